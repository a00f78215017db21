//! What the operating system's files need beside bytes.

use std::{fs::File, io};

/// Gives a temporary file, which is for its owner only, the rights of a usual one.
#[cfg(unix)]
pub fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// Gives a temporary file, which is for its owner only, the rights of a usual one.
#[cfg(not(unix))]
pub fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}
