//! Finds the libraries of CUDA, also where the system's loader does not look.
//!
//! cudarc asks the loader for `libnvrtc.so.13` and the like, and panics where it has none. The loader knows nothing of
//! the folders of Python's wheels. But glibc takes a library that is already in memory for one that is asked for by its
//! own name (`SONAME`): so a file is loaded by its path first, and stays. NVRTC asks for its built-in functions in the same
//! way, so these are loaded before it.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use cudarc::{cublaslt, driver, nvrtc};

use super::folders::{Folder, named_folders, other_folders, python_path};
use crate::error::GpuError;

/// The variable that names folders with the libraries; they go before all others.
pub const VARIABLE: &str = "LONGSEQ_CUDA_LIBRARIES";

/// Major versions of the toolkit whose libraries are used, the newest first.
const MAJORS: [i32; 2] = [13, 12];

/// The oldest of them.
pub(crate) const OLDEST: i32 = MAJORS[MAJORS.len() - 1];

/// A library that is looked for when it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// The driver; there is none but the system's.
    Driver,
    /// The compiler.
    Nvrtc,
    /// Matrix products.
    CublasLt,
}

/// A library that was found and is loaded. Displays as its place and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who knew it.
    pub place: Place,
    /// Its file, where the system tells.
    pub path: Option<PathBuf>,
}

/// Where a library can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where the system's loader looks: `LD_LIBRARY_PATH`, `ldconfig`.
    Loader,
    /// A folder that [`VARIABLE`] names.
    Variable,
    /// A package of Python, or of conda.
    Python,
    /// The toolkit's own folder.
    Toolkit,
}

impl Library {
    /// The package of PyPI that has it, for the driver that is there; none has the driver.
    pub fn wheel(self) -> Option<&'static str> {
        let old = majors()[0] == 12;
        match self {
            Self::Driver => None,
            Self::Nvrtc => Some(if old { "nvidia-cuda-nvrtc-cu12" } else { "nvidia-cuda-nvrtc" }),
            Self::CublasLt => Some(if old { "nvidia-cublas-cu12" } else { "nvidia-cublas" }),
        }
    }

    /// Its file's name, without the version.
    const fn file(self) -> &'static str {
        match self {
            Self::Driver => "libcuda.so",
            Self::Nvrtc => "libnvrtc.so",
            Self::CublasLt => "libcublasLt.so",
        }
    }

    /// Finds it and loads it, once; then it stays loaded, and its functions can be called.
    ///
    /// # Errors
    /// [`GpuError::NoDriver`], [`GpuError::NoLibrary`].
    pub fn load(self) -> Result<&'static Found, GpuError> {
        static FOUND: [OnceLock<Result<Found, GpuError>>; 3] = [const { OnceLock::new() }; 3];
        FOUND[self as usize].get_or_init(|| self.find()).as_ref().map_err(Clone::clone)
    }

    fn find(self) -> Result<Found, GpuError> {
        let (mut folders, mut refused) = (Vec::new(), Vec::new());
        if self != Self::Driver {
            folders = named_folders(&|name| env::var_os(name));
            let named = self.load_from(&folders, &mut refused);
            if !named && !self.is_present() {
                let others = other_folders(&|name| env::var_os(name), python_path);
                self.load_from(&others, &mut refused);
                folders.extend(others);
            }
        }
        let Some(address) = self.address() else {
            let searched = folders.into_iter().map(|folder| folder.path).collect();
            return Err(match self {
                Self::Driver => GpuError::NoDriver,
                library => GpuError::NoLibrary { library, searched, refused },
            });
        };
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let path = file_at(&maps, address);
        let within = path.as_deref().and_then(Path::parent);
        if let (Self::Nvrtc, Some(folder)) = (self, within) {
            load_builtins(folder);
        }
        let place = folders.iter().find(|folder| Some(&*folder.path) == within);
        Ok(Found { place: place.map_or(Place::Loader, |folder| folder.place), path })
    }

    /// Whether cudarc would find it: without it, any other of its functions would panic.
    fn is_present(self) -> bool {
        // SAFETY: loading a library runs its initialisers; these are NVIDIA's, and meant to be loaded by programs.
        unsafe {
            match self {
                Self::Driver => driver::sys::is_culib_present(),
                Self::Nvrtc => nvrtc::sys::is_culib_present(),
                Self::CublasLt => cublaslt::sys::is_culib_present(),
            }
        }
    }

    /// Where its function that tells the version is, if it is present and has one.
    fn address(self) -> Option<usize> {
        if !self.is_present() {
            return None;
        }
        // SAFETY: as above. The address of a function is only looked at.
        unsafe {
            let (library, function) = match self {
                Self::Driver => (driver::sys::culib(), "cuDriverGetVersion"),
                Self::Nvrtc => (nvrtc::sys::culib(), "nvrtcVersion"),
                Self::CublasLt => (cublaslt::sys::culib(), "cublasLtGetVersion"),
            };
            library.get::<unsafe extern "C" fn()>(function).ok().map(|function| *function as usize)
        }
    }

    /// Loads it from the first folder that has it. Files that could not be loaded are noted, with why.
    fn load_from(self, folders: &[Folder], refused: &mut Vec<String>) -> bool {
        let names = majors().map(|major| format!("{}.{major}", self.file()));
        let files = names.iter().flat_map(|name| folders.iter().map(move |of| of.path.join(name)));
        files.filter(|path| path.is_file()).any(|path| {
            if let (Self::Nvrtc, Some(folder)) = (self, path.parent()) {
                load_builtins(folder);
            }
            keep(&path).map_err(|why| refused.push(why)).is_ok()
        })
    }
}

/// Loads the built-in functions of NVRTC from its folder. Where they are missing, it says so when it compiles.
fn load_builtins(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("libnvrtc-builtins.so."))
    };
    for path in entries.filter(named) {
        let _ = keep(&path);
    }
}

/// Loads a file for as long as the program runs.
fn keep(path: &Path) -> Result<(), String> {
    // SAFETY: as in `Library::is_present`; the file has the name of one of NVIDIA's.
    let library = unsafe { libloading::Library::new(path) };
    library.map(std::mem::forget).map_err(|source| {
        let source =
            std::error::Error::source(&source).map_or(source.to_string(), ToString::to_string);
        format!("{} cannot be loaded: {source}", path.display())
    })
}

/// Major versions in the order in which they are tried: those that the driver, if there is one, is as new as.
fn majors() -> [i32; MAJORS.len()] {
    let driver = super::device::driver_version().map_or(MAJORS[0], |version| version / 1000);
    let mut majors = MAJORS;
    majors.sort_by_key(|major| (*major > driver, -major));
    majors
}

/// The file that is mapped at an address, in the words of `/proc/self/maps`.
fn file_at(maps: &str, address: usize) -> Option<PathBuf> {
    let line = maps.lines().find(|line| {
        let ends = line.split(' ').next().and_then(|range| range.split_once('-'));
        let ends = ends.map(|(start, end)| [start, end].map(|x| usize::from_str_radix(x, 16)));
        matches!(ends, Some([Ok(start), Ok(end)]) if (start..end).contains(&address))
    })?;
    // Behind range, rights, offset, device and inode.
    Some(PathBuf::from(&line[line.find('/')?..]))
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Driver => "the CUDA driver (libcuda.so.1)",
            Self::Nvrtc => "NVRTC (libnvrtc.so)",
            Self::CublasLt => "cuBLASLt (libcublasLt.so)",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loader => "system",
            Self::Variable => VARIABLE,
            Self::Python => "Python package",
            Self::Toolkit => "CUDA toolkit",
        })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{} ({})", path.display(), self.place),
            None => write!(f, "{}", self.place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_at_an_address() {
        let maps = "\
7f00a000-7f00b000 r--p 00000000 08:01 77   /opt/with a space/libnvrtc.so.13
7f00b000-7f00d000 r-xp 00001000 08:01 77   /opt/with a space/libnvrtc.so.13
7f00d000-7f00e000 rw-p 00000000 00:00 0
7f00e000-7f00f000 r-xp 00000000 08:01 78   /usr/lib/libc.so.6
";
        let nvrtc = Some(PathBuf::from("/opt/with a space/libnvrtc.so.13"));
        assert_eq!(file_at(maps, 0x7f00_b000), nvrtc);
        assert_eq!(file_at(maps, 0x7f00_cfff), nvrtc);
        assert_eq!(file_at(maps, 0x7f00_d000), None);
        assert_eq!(file_at(maps, 0x7f00_f000), None);
    }
}
