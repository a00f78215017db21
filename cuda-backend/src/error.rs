//! What can go wrong between this program and a GPU, and what to do about it.

use std::{fmt, path::PathBuf};

use crate::driver::libraries::{self, Library};

/// The oldest driver interface that is used: CUDA 12.8, which came with driver 570.
pub const NEEDED_DRIVER: i32 = 12_080;

/// The oldest compute capability that the kernels are written for: 8.0, the first with bf16 matrix products.
pub const NEEDED_CAPABILITY: (u32, u32) = (8, 0);

/// Why a GPU cannot be used, or what it failed at. Displays as what is wrong; [`help`](Self::help) is the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GpuError {
    /// The driver's library is not on this machine.
    NoDriver,
    /// The driver's interface is older than [`NEEDED_DRIVER`].
    DriverTooOld {
        /// As the driver says it: 1000 × major + 10 × minor.
        found: i32,
    },
    /// The driver is there and refuses.
    Driver {
        /// What it was asked for.
        doing: &'static str,
        /// Its answer.
        code: String,
    },
    /// The driver sees no GPU.
    NoDevice,
    /// There is no GPU of that number.
    NoSuchDevice {
        /// Its number, from 0.
        asked: usize,
        /// How many there are.
        present: usize,
    },
    /// The GPU's compute capability is below [`NEEDED_CAPABILITY`].
    DeviceTooOld {
        /// Its name.
        name: String,
        /// Its compute capability.
        found: (u32, u32),
    },
    /// A library of the CUDA toolkit is nowhere where it is looked for.
    NoLibrary {
        /// Which.
        library: Library,
        /// The folders that were searched beside those of the system's loader.
        searched: Vec<PathBuf>,
        /// Files that are there and could not be loaded, and why.
        refused: Vec<String>,
    },
    /// A library of the CUDA toolkit is too old.
    LibraryTooOld {
        /// Which.
        library: Library,
        /// Its version.
        version: String,
        /// Where it was found.
        found: String,
    },
    /// NVRTC is there without the library of built-in functions that belongs to it.
    NoBuiltins {
        /// NVRTC's own file, where that is known.
        nvrtc: Option<PathBuf>,
    },
    /// NVRTC is too old for the GPU.
    UnknownArchitecture {
        /// The GPU's.
        architecture: String,
        /// Version of NVRTC: major, minor.
        nvrtc: (i32, i32),
    },
    /// A kernel does not compile.
    Compile {
        /// Its source file.
        source: String,
        /// What it was compiled for.
        architecture: String,
        /// What the compiler says.
        log: String,
    },
    /// The driver does not take a compiled kernel.
    Load {
        /// Its source file, or the kernel's name.
        kernel: String,
        /// The driver's answer.
        code: String,
    },
    /// The GPU's memory does not suffice.
    OutOfMemory {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes that were free, where the driver says so.
        free: Option<u64>,
    },
    /// A kernel could not be started, or failed.
    Launch {
        /// Its name.
        kernel: String,
        /// The driver's answer.
        code: String,
    },
    /// Kernels run, but compute something else than the CPU.
    WrongResults {
        /// Of what the results are.
        of: String,
        /// How far they are off, relatively.
        error: String,
        /// How far they may be off.
        bound: String,
    },
    /// A matrix product that cuBLASLt does not do.
    Product {
        /// Rows, columns and inner extent; nothing where the library does not even start.
        shape: Option<[usize; 3]>,
        /// The library's answer.
        code: String,
    },
}

impl GpuError {
    /// What a user can do.
    pub fn help(&self) -> String {
        let with_cpu = |first: &str| format!("{first}, or compute with --backend cpu");
        let install = |library: Library| format!("pip install {}", library.wheel().unwrap_or("it"));
        match self {
            Self::NoDriver => with_cpu(
                "install NVIDIA's driver (in a container, start it with the GPUs, as with `--gpus all`)",
            ),
            Self::DriverTooOld { .. } => with_cpu("install a driver of the series 570 or newer"),
            Self::Driver { code, .. } if code.contains("STUB_LIBRARY") => with_cpu(
                "this libcuda is the toolkit's, for linking: take its folder off LD_LIBRARY_PATH",
            ),
            Self::Driver { .. } => with_cpu("see whether `nvidia-smi` works"),
            Self::NoDevice => with_cpu(
                "see whether `nvidia-smi` lists one and CUDA_VISIBLE_DEVICES does not hide it",
            ),
            Self::NoSuchDevice { .. } => "`longseq devices` lists them, from 0".to_owned(),
            Self::DeviceTooOld { .. } => {
                with_cpu("take a GPU of compute capability 8.0 (Ampere) or newer")
            }
            Self::NoLibrary { library, .. } => with_cpu(&format!(
                "{}, or install the CUDA toolkit, or name its folder in {}",
                install(*library),
                libraries::VARIABLE
            )),
            Self::LibraryTooOld { library, .. } => with_cpu(&format!(
                "{} and name its folder in {}, or install a newer CUDA toolkit",
                install(*library),
                libraries::VARIABLE
            )),
            Self::NoBuiltins { .. } => with_cpu(&format!(
                "keep libnvrtc-builtins.so beside libnvrtc.so, or {}",
                install(Library::Nvrtc)
            )),
            Self::UnknownArchitecture { .. } => with_cpu(&format!(
                "{} --upgrade, or install a newer CUDA toolkit",
                install(Library::Nvrtc)
            )),
            Self::Compile { .. } | Self::Launch { .. } | Self::Product { .. } => {
                "please report it; meanwhile compute with --backend cpu".to_owned()
            }
            Self::WrongResults { .. } => "please report it, with what `longseq devices` says; \
                                          meanwhile compute with --backend cpu"
                .to_owned(),
            Self::Load { .. } => {
                with_cpu("let NVRTC be no newer than the driver (`longseq devices` shows both)")
            }
            Self::OutOfMemory { .. } => {
                with_cpu("take a smaller --batch, shorter lengths or a smaller model")
            }
        }
    }
}

impl fmt::Display for GpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDriver => f.write_str("no CUDA driver: libcuda.so.1 cannot be loaded"),
            Self::DriverTooOld { found } => write!(
                f,
                "the CUDA driver is too old: its interface is {}, needed is {}",
                Version(*found),
                Version(NEEDED_DRIVER)
            ),
            Self::Driver { doing, code } => {
                write!(f, "the CUDA driver cannot {doing}: {code}")
            }
            Self::NoDevice => f.write_str("the CUDA driver sees no GPU"),
            Self::NoSuchDevice { asked, present } => {
                write!(f, "there is no GPU {asked}: the CUDA driver sees {present}")
            }
            Self::DeviceTooOld { name, found: (major, minor) } => {
                let (needed_major, needed_minor) = NEEDED_CAPABILITY;
                write!(
                    f,
                    "{name} is too old: its compute capability is {major}.{minor}, needed is \
                     {needed_major}.{needed_minor}"
                )
            }
            Self::NoLibrary { library, searched, refused } => {
                write!(f, "{library} is not found: neither by the system's loader nor in ")?;
                match searched.as_slice() {
                    [] => f.write_str("Python's folders or /usr/local/cuda/lib64")?,
                    folders => write!(f, "{}", Listed(folders))?,
                }
                refused.iter().try_for_each(|why| write!(f, "; {why}"))
            }
            Self::LibraryTooOld { library, version, found } => write!(
                f,
                "{library} is too old: its version is {version}, needed is {}.0; it is {found}",
                libraries::OLDEST
            ),
            Self::NoBuiltins { nvrtc } => {
                let of = nvrtc.as_deref().map(|path| path.display().to_string());
                let of = of.unwrap_or_else(|| "NVRTC".to_owned());
                write!(f, "{of} has no libnvrtc-builtins.so with it and cannot compile")
            }
            Self::UnknownArchitecture { architecture, nvrtc: (major, minor) } => {
                write!(f, "NVRTC {major}.{minor} does not know this GPU's {architecture}")
            }
            Self::Compile { source, architecture, log } => {
                write!(f, "{source} does not compile for {architecture}:\n{}", log.trim_end())
            }
            Self::Load { kernel, code } => {
                write!(f, "the CUDA driver does not take the compiled {kernel}: {code}")
            }
            Self::OutOfMemory { wanted, free } => {
                write!(f, "cannot get {} of the GPU's memory", Gib(*wanted))?;
                free.map_or(Ok(()), |free| write!(f, ": {} are free", Gib(free)))
            }
            Self::Launch { kernel, code } => write!(f, "the kernel {kernel} failed: {code}"),
            Self::WrongResults { of, error, bound } => write!(
                f,
                "this GPU does not compute what the CPU does: the logits of {of} are {error} off, \
                 at most {bound} is allowed"
            ),
            Self::Product { shape: None, code } => write!(f, "cuBLASLt does not start: {code}"),
            Self::Product { shape: Some([rows, columns, inner]), code } => {
                write!(f, "cuBLASLt fails at a product {rows} × {columns} × {inner}: {code}")
            }
        }
    }
}

impl std::error::Error for GpuError {}

/// A version as drivers tell it: 13000 is 13.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub i32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

/// Bytes, as people read them.
struct Gib(u64);

impl fmt::Display for Gib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} GiB", self.0 as f64 / (1u64 << 30) as f64)
    }
}

/// Paths, separated by commas.
struct Listed<'a>(&'a [PathBuf]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(number, path)| {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{}", path.display())
        })
    }
}
