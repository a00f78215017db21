//! Where a corpus came from.

use std::{borrow::Cow, path::Path};

use serde::Serialize;

use crate::{
    digest::sha256_hex,
    error::{Error, Result},
    files,
};

/// Where a corpus came from, for the record of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// `essays`, `words`, `english-words`, `squad` or `hotpotqa`.
    pub corpus: &'static str,
    /// The file or folder, or `built in`.
    pub origin: String,
    /// SHA-256 of the file (of `words`: of nouns, adjectives and verbs, one file after another).
    pub sha256: String,
}

impl Source {
    /// The source of a corpus that is made of `texts`.
    pub(super) fn new(corpus: &'static str, origin: &str, texts: &[&str]) -> Self {
        let sha256 = sha256_hex(texts.concat().as_bytes());
        Self { corpus, origin: origin.to_owned(), sha256 }
    }
}

/// The text of a corpus with the name by which errors call it.
pub struct Opened {
    /// The path, or `the built-in CORPUS`.
    pub name: String,
    pub text: Cow<'static, str>,
    pub source: Source,
}

impl Opened {
    /// Reads `path`.
    pub fn file(corpus: &'static str, path: &Path) -> Result<Self> {
        let (name, text) = (path.display().to_string(), read_text(path, corpus)?);
        Ok(Self { source: Source::new(corpus, &name, &[&text]), name, text: text.into() })
    }

    /// Reads `path`, or takes what is built in.
    pub fn file_or_built_in(
        corpus: &'static str,
        path: Option<&Path>,
        text: &'static str,
    ) -> Result<Self> {
        path.map_or_else(|| Ok(Self::built_in(corpus, text)), |path| Self::file(corpus, path))
    }

    /// Takes what is built in.
    pub fn built_in(corpus: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        let (name, text) = (format!("the built-in {corpus}"), text.into());
        Self { source: Source::new(corpus, "built in", &[&text]), name, text }
    }

    /// An error about the content.
    pub fn corrupt(&self, what: impl std::fmt::Display, expected: &str) -> Error {
        Error::new(format!("{}: {what}", self.name)).help(format!(
            "--{} expects {expected}; `longseq corpora fetch` downloads it, and without the flag \
             the built-in corpus is used",
            self.source.corpus
        ))
    }
}

/// A file as text.
pub fn read_text(path: &Path, flag: &str) -> Result<String> {
    let help = format!("check the path given with --{flag}");
    let bytes = files::read(path).map_err(|source| Error::io("read", path, &source).help(&help))?;
    String::from_utf8(bytes).map_err(|source| {
        Error::new(format!("{} is not UTF-8 text: {source}", path.display())).help(help)
    })
}
