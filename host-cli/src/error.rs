//! The one error of the command line: what and where, and what to do about it.

use std::{fmt, io::ErrorKind, path::Path};

/// An error that ends a command with exit code 2.
///
/// Displays as `error: WHAT` and, on the next line, `help: REMEDY`.
#[derive(Clone, Debug)]
pub struct Error {
    what: String,
    help: Option<String>,
}

/// Result of anything that can end a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that says what is wrong and where.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What is wrong and where, without the remedy.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What is wrong with the GPU, or missing for one.
    #[cfg(feature = "cuda")]
    pub fn gpu(source: &longseq_cuda::error::GpuError) -> Self {
        Self::new(source.to_string()).help(source.help())
    }

    /// An I/O error at `path` while doing `action` ("read", "write", …), with the remedy that its
    /// kind suggests.
    pub fn io(action: &str, path: &Path, source: &std::io::Error) -> Self {
        let error = Self::new(format!("cannot {action} {}: {source}", path.display()));
        let help = match source.kind() {
            ErrorKind::NotFound => "check the path",
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                "check the path: one of a file and a folder is there, the other is needed"
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "allow it, or name another path"
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
            _ => return error,
        };
        error.help(help)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
