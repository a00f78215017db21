//! Puts samples where RULER's scripts put them, whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Cell;
use crate::{
    error::{Error, Result},
    files::persist,
};

/// What became of a cell's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// They were written.
    New,
    /// They were there with the same samples.
    Unchanged,
}

/// The files of a cell: `validation.jsonl`, and `recipe.json`, which says how it was made.
#[derive(Clone, Debug)]
pub struct Target {
    save_dir: PathBuf,
    folder: PathBuf,
}

impl Target {
    /// `SAVE_DIR/<length>/<cell>/`, without `<length>` where it is `None`.
    pub fn new(save_dir: &Path, length: Option<usize>, cell: &Cell) -> Self {
        let parent = match length {
            Some(length) => save_dir.join(length.to_string()),
            None => save_dir.to_path_buf(),
        };
        Self { save_dir: save_dir.to_path_buf(), folder: parent.join(cell.name()) }
    }

    /// The samples' file.
    pub fn samples(&self) -> PathBuf {
        self.folder.join("validation.jsonl")
    }

    /// An empty file for the samples. It vanishes unless it is [finished](Self::finish).
    pub fn begin(&self) -> Result<NamedTempFile> {
        let begin = || {
            fs::create_dir_all(&self.save_dir)?;
            NamedTempFile::new_in(&self.save_dir)
        };
        begin().map_err(|source| Error::io("write to", &self.save_dir, &source))
    }

    /// The error of writing the samples.
    pub fn failed(&self, source: &io::Error) -> Error {
        Error::io("write", &self.samples(), source)
    }

    /// Puts the files in their place. Other samples that are there are replaced only if
    /// `overwrite`.
    pub fn finish(
        &self,
        mut file: NamedTempFile,
        recipe: &serde_json::Value,
        overwrite: bool,
    ) -> Result<Written> {
        let path = self.samples();
        let same = match File::open(&path) {
            Ok(there) => Some(is_same(file.as_file_mut(), there)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => None,
            Err(source) => Some(Err(source)),
        };
        match same.transpose().map_err(|source| self.failed(&source))? {
            Some(true) => return Ok(Written::Unchanged),
            Some(false) if !overwrite => {
                return Err(Error::new(format!("{} is there with other samples", path.display()))
                    .help("choose another --save-dir, or replace it with --overwrite"));
            }
            _ => {}
        }
        self.place(file, recipe).map_err(|source| self.failed(&source))?;
        Ok(Written::New)
    }

    /// The samples come last: where they are, the recipe is theirs.
    fn place(&self, samples: NamedTempFile, recipe: &serde_json::Value) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = NamedTempFile::new_in(&self.save_dir)?;
        serde_json::to_writer_pretty(&mut file, recipe)?;
        file.write_all(b"\n")?;
        persist(file, &self.folder.join("recipe.json"))?;
        persist(samples, &self.samples())
    }
}

fn is_same(new: &mut File, there: File) -> io::Result<bool> {
    new.rewind()?;
    if new.metadata()?.len() != there.metadata()?.len() {
        return Ok(false);
    }
    let (mut new, mut there) = (BufReader::new(new).bytes(), BufReader::new(there).bytes());
    loop {
        match (new.next().transpose()?, there.next().transpose()?) {
            (None, None) => return Ok(true),
            (a, b) if a != b => return Ok(false),
            _ => {}
        }
    }
}
