//! What the operating system's files need beside bytes.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

use indicatif::BinaryBytes;
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

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

/// Writes a file, in a folder that is made where it is not there; it takes its name when it is complete.
///
/// # Errors
/// What the operating system says, with the path.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let failed = |source: &io::Error| Error::io("write", path, source);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, &source))?;
    let mut file = NamedTempFile::new_in(folder).map_err(|source| failed(&source))?;
    file.write_all(content).map_err(|source| failed(&source))?;
    persist(file, path).map_err(|source| failed(&source))
}

/// Gives a temporary file that is complete its name, and the rights of a usual file.
pub fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    make_readable(file.as_file())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Gives a temporary file, which is for its owner only, the rights of a usual one.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// Gives a temporary file, which is for its owner only, the rights of a usual one.
#[cfg(not(unix))]
fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}
