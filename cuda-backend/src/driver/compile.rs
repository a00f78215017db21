//! Kernels from source to machine code (cubin), for one GPU architecture, with NVRTC. No GPU is needed.
//!
//! A cubin, not PTX: PTX of an NVRTC that is newer than the driver is refused by it.

use std::{
    ffi::{CString, c_char},
    ptr,
};

use cudarc::nvrtc::{result, sys};

use super::{
    libraries::{self, Found, Library},
    resources::{self, Resources},
};
use crate::error::GpuError;

/// What is compiled, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Name of the source file, for messages.
    pub name: &'a str,
    /// Its text.
    pub source: &'a str,
    /// What it includes: names and texts. Nothing else is looked for.
    pub headers: &'a [(&'a str, &'a str)],
    /// `sm_90a` and the like.
    pub architecture: &'a str,
    /// Further options of NVRTC.
    pub options: &'a [&'a str],
}

/// A compiled file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Machine code, as the driver loads it.
    pub cubin: Vec<u8>,
    /// What each kernel takes.
    pub kernels: Vec<Resources>,
    /// What the compiler said.
    pub log: String,
}

/// NVRTC, found and loaded.
#[derive(Clone, Debug)]
pub struct Compiler {
    found: &'static Found,
    version: (i32, i32),
    capabilities: Vec<(u32, u32)>,
}

/// Every unit is compiled with it: its resources are reported.
const REPORT: &str = "--ptxas-options=-v";

impl Compiler {
    /// Looks for NVRTC.
    ///
    /// # Errors
    /// [`GpuError::NoLibrary`], [`GpuError::LibraryTooOld`].
    pub fn new() -> Result<Self, GpuError> {
        let found = Library::Nvrtc.load()?;
        let failed = |source: result::NvrtcError| GpuError::Compile {
            source: "nothing".to_owned(),
            architecture: "any GPU".to_owned(),
            log: source.to_string(),
        };
        let (mut major, mut minor) = (0, 0);
        // SAFETY: NVRTC is loaded; the function writes two numbers.
        unsafe { sys::nvrtcVersion(&mut major, &mut minor) }.result().map_err(failed)?;
        // A function that an old one lacks would panic.
        if major < libraries::OLDEST {
            let (library, version) = (Library::Nvrtc, format!("{major}.{minor}"));
            return Err(GpuError::LibraryTooOld { library, version, found: found.to_string() });
        }
        let mut count = 0;
        // SAFETY: as above; the second function writes as many numbers as the first one says.
        let known = unsafe {
            sys::nvrtcGetNumSupportedArchs(&mut count).result().map_err(failed)?;
            let mut known = vec![0; usize::try_from(count).unwrap_or(0)];
            sys::nvrtcGetSupportedArchs(known.as_mut_ptr()).result().map_err(failed)?;
            known
        };
        let capabilities = known.into_iter().filter_map(|number| u32::try_from(number).ok());
        let capabilities = capabilities.map(|number| (number / 10, number % 10)).collect();
        Ok(Self { found, version: (major, minor), capabilities })
    }

    /// Its version: major, minor.
    pub const fn version(&self) -> (i32, i32) {
        self.version
    }

    /// Where it was found.
    pub const fn found(&self) -> &'static Found {
        self.found
    }

    /// The architecture to compile for: that of the compute capability, or the newest that NVRTC knows whose code runs on
    /// it, which is one of the same major version. 9.0 is `sm_90a`, with Hopper's own instructions.
    ///
    /// # Errors
    /// [`GpuError::UnknownArchitecture`].
    pub fn architecture(&self, capability: (u32, u32)) -> Result<String, GpuError> {
        let (major, minor) = capability;
        let runs = |of: &&(u32, u32)| of.0 == major && of.1 <= minor;
        match self.capabilities.iter().filter(runs).max() {
            Some((9, 0)) => Ok("sm_90a".to_owned()),
            Some((major, minor)) => Ok(format!("sm_{major}{minor}")),
            None => Err(GpuError::UnknownArchitecture {
                architecture: format!("sm_{major}{minor}"),
                nvrtc: self.version,
            }),
        }
    }

    /// Whether it compiles anything: its built-in functions are looked for only then.
    ///
    /// # Errors
    /// [`GpuError::NoBuiltins`], or whatever else is wrong with it.
    pub fn check(&self) -> Result<(), GpuError> {
        let source = "extern \"C\" __global__ void nothing() {}";
        let newest = self.capabilities.iter().max().copied().unwrap_or((8, 0));
        let architecture = self.architecture(newest)?;
        let (headers, options, architecture) = (&[][..], &[][..], &architecture[..]);
        let unit = Unit { name: "nothing.cu", source, headers, architecture, options };
        self.compile(&unit).map(drop)
    }

    /// Compiles a file.
    ///
    /// # Errors
    /// [`GpuError::Compile`], [`GpuError::NoBuiltins`].
    pub fn compile(&self, unit: &Unit<'_>) -> Result<Compiled, GpuError> {
        let architecture = format!("--gpu-architecture={}", unit.architecture);
        let options = [&architecture[..], REPORT].into_iter();
        let options: Vec<&str> = options.chain(unit.options.iter().copied()).collect();
        let failed = |log: String| GpuError::Compile {
            source: unit.name.to_owned(),
            architecture: unit.architecture.to_owned(),
            log,
        };
        let headers = unit.headers.iter().flat_map(|(name, text)| [*name, *text]);
        let mut texts = [unit.name, unit.source].into_iter().chain(headers).chain(options.clone());
        if texts.any(|text| text.contains('\0')) {
            return Err(failed("a zero byte in a text or an option".to_owned()));
        }
        let program = Program::new(unit).map_err(|code| failed(code.to_string()))?;
        let compiled = program.compile(&options);
        let log = program.log();
        match compiled {
            Err(result::NvrtcError(sys::nvrtcResult::NVRTC_ERROR_BUILTIN_OPERATION_FAILURE)) => {
                return Err(GpuError::NoBuiltins { nvrtc: self.found.path.clone() });
            }
            Err(code) => return Err(failed(format!("{code}\n{log}"))),
            Ok(()) => {}
        }
        let cubin = program.cubin().map_err(|code| failed(code.to_string()))?;
        Ok(Compiled { cubin, kernels: resources::read(&log), log })
    }
}

/// A program of NVRTC, which refers to its texts, and to the list of them, as long as it lives.
struct Program {
    handle: sys::nvrtcProgram,
    _texts: Vec<CString>,
    _pointers: Vec<*const c_char>,
}

impl Program {
    /// Texts with zero bytes have been refused.
    fn new(unit: &Unit<'_>) -> Result<Self, result::NvrtcError> {
        let (names, headers): (Vec<&str>, Vec<&str>) = unit.headers.iter().copied().unzip();
        let texts = [unit.source, unit.name].into_iter().chain(headers).chain(names);
        let texts: Vec<_> = texts.map(|text| CString::new(text).unwrap_or_default()).collect();
        let pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        let (headers, names) = pointers[2..].split_at(unit.headers.len());
        let mut handle = ptr::null_mut();
        // SAFETY: NVRTC is loaded; all texts end with a zero; they and their list live as long as the program.
        unsafe {
            sys::nvrtcCreateProgram(
                &mut handle,
                pointers[0],
                pointers[1],
                headers.len() as i32,
                headers.as_ptr(),
                names.as_ptr(),
            )
        }
        .result()?;
        Ok(Self { handle, _texts: texts, _pointers: pointers })
    }

    fn compile(&self, options: &[&str]) -> Result<(), result::NvrtcError> {
        // SAFETY: the handle is that of a program, until it is dropped.
        unsafe { result::compile_program(self.handle, options) }
    }

    fn log(&self) -> String {
        // SAFETY: as above.
        let log = unsafe { result::get_program_log(self.handle) }.unwrap_or_default();
        let bytes: Vec<u8> = log.into_iter().map(|byte| byte.to_ne_bytes()[0]).collect();
        String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()
    }

    fn cubin(&self) -> Result<Vec<u8>, result::NvrtcError> {
        let mut length = 0;
        // SAFETY: as above; the second function writes as many bytes as the first one says.
        unsafe {
            sys::nvrtcGetCUBINSize(self.handle, &mut length).result()?;
            let mut cubin = vec![0u8; length];
            sys::nvrtcGetCUBIN(self.handle, cubin.as_mut_ptr().cast()).result()?;
            Ok(cubin)
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: as above, and it is not used after. What it answers changes nothing.
        let _ = unsafe { sys::nvrtcDestroyProgram(ptr::from_mut(&mut self.handle)) };
    }
}
