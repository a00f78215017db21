//! What the operating system's files need beside bytes.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use indicatif::BinaryBytes;

/// The most that [`read`] takes in: many times the largest corpus or tokenizer.
const MOST_BYTES: u64 = 1 << 30;

/// The bytes of a file or a pipe; an error where they are more than 1 GiB, as those of `/dev/zero`.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(path, MOST_BYTES)
}

/// The bytes of a file or a pipe; an error where they are more than `most`.
pub fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let what = format!("it is larger than {}", BinaryBytes(most));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
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
