//! Files of a checkpoint: small ones read, large ones mapped.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use memmap2::Mmap;

use crate::error::{Error, Result};

/// Bytes that are read at a time.
const PIECE: usize = 1 << 18;

/// A memory-mapped file.
#[derive(Debug)]
pub struct Mapped {
    path: PathBuf,
    file: Arc<File>,
    map: Mmap,
}

impl Mapped {
    /// Maps a regular file.
    pub fn open(path: &Path) -> Result<Self> {
        Self::map(path, Arc::new(open(path)?))
    }

    /// Maps the same file once more. Of a new map nothing is in memory, and what was read through it is no longer when
    /// it is dropped.
    pub fn again(&self) -> Result<Self> {
        Self::map(&self.path, self.file.clone())
    }

    fn map(path: &Path, file: Arc<File>) -> Result<Self> {
        // SAFETY: the map is only read. Another process that writes to the file or cuts it while
        // it is mapped could change or take away what is read (as it could under any reader that
        // comes back to a file); a checkpoint is not written while it is in use, and nothing
        // here writes to one.
        let map = unsafe { Mmap::map(&*file) };
        let map = map.map_err(|source| Error::io("map", path, &source))?;
        Ok(Self { path: path.to_path_buf(), file, map })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Hands all bytes to `see`, some at a time and without the map: in memory they are no longer than that.
    pub fn read(&self, mut see: impl FnMut(&[u8])) -> Result<()> {
        let mut read = || -> io::Result<()> {
            let mut file = &*self.file;
            file.rewind()?;
            let mut piece = vec![0; PIECE];
            loop {
                match file.read(&mut piece) {
                    Ok(0) => return Ok(()),
                    Ok(count) => see(&piece[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        };
        read().map_err(|source| Error::io("read", &self.path, &source))
    }
}

/// The bytes of a file that must not be larger than `limit`.
pub fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::io("read", path, &source))?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(format!("{} is larger than {limit} bytes", path.display()))
            .help("this is not the file that it should be; download it again"));
    }
    Ok(bytes)
}

/// Opens a regular file: a pipe would wait for ever, a device never end.
fn open(path: &Path) -> Result<File> {
    let refused = |source: &_| {
        Error::io("read", path, source).help("--model names the folder of a checkpoint")
    };
    let metadata = fs::metadata(path).map_err(|source| refused(&source))?;
    if !metadata.is_file() {
        return Err(Error::new(format!("{} is no regular file", path.display()))
            .help("--model names the folder of a checkpoint"));
    }
    File::open(path).map_err(|source| refused(&source))
}
