//! What the operating system's files need beside bytes.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The most that [`read`] takes in: many times the largest corpus or tokenizer.
const MOST_BYTES: u64 = 1 << 30;

/// The bytes of a file or a pipe; an error where they are more than 1 GiB, as those of `/dev/zero`.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB"));
    }
    Ok(bytes)
}

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
