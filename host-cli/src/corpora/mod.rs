//! What prompts are made of: essays, word lists and questions, from files or built in.
//!
//! Each corpus is read when it is first asked for, and its SHA-256 kept.

mod essays;
pub mod fetch;
mod hotpotqa;
pub mod pinned;
mod questions;
mod source;
mod squad;
mod words;

use std::path::PathBuf;

use longseq_core::ruler::{
    needle::Kind,
    sizes::Document,
    task::{Dataset, Haystack, Recipe},
};
use once_cell::sync::OnceCell;

use crate::error::Result;

pub use essays::{EssayHaystack, EssayText};
pub use questions::Questions;
pub use source::Source;
pub use words::{EnglishWords, Words};

/// Which files to read; what is not named is built in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorpusFiles {
    /// RULER's `PaulGrahamEssays.json`, or plain text.
    pub essays: Option<PathBuf>,
    /// A folder with `nounlist.txt`, `adjectivelist.txt` and `verblist.txt`.
    pub words: Option<PathBuf>,
    /// RULER's `english_words.json`.
    pub english_words: Option<PathBuf>,
    /// SQuAD 2.0, as published.
    pub squad: Option<PathBuf>,
    /// HotpotQA (distractor setting), as published.
    pub hotpotqa: Option<PathBuf>,
}

/// The corpora of one program run.
#[derive(Debug, Default)]
pub struct Corpora {
    files: CorpusFiles,
    documents: Document,
    essays: OnceCell<EssayText>,
    words: OnceCell<Words>,
    english_words: OnceCell<EnglishWords>,
    squad: OnceCell<Questions>,
    hotpotqa: OnceCell<Questions>,
}

impl Corpora {
    /// Corpora from `files`; nothing is read yet.
    pub fn new(files: CorpusFiles) -> Self {
        Self { files, ..Self::default() }
    }

    /// The same with other documents for `qa`. Nothing has been read yet.
    #[must_use]
    pub fn with_documents(self, documents: Document) -> Self {
        Self { documents, ..self }
    }

    /// The essay haystack.
    pub fn essays(&self) -> Result<&EssayText> {
        self.essays.get_or_try_init(|| EssayText::load(self.files.essays.as_deref()))
    }

    /// Nouns, adjectives and verbs.
    pub fn words(&self) -> Result<&Words> {
        self.words.get_or_try_init(|| Words::load(self.files.words.as_deref()))
    }

    /// The long second list of words.
    pub fn english_words(&self) -> Result<&EnglishWords> {
        let file = self.files.english_words.as_deref();
        self.english_words.get_or_try_init(|| EnglishWords::load(file))
    }

    /// Questions of SQuAD's kind: one paragraph answers.
    pub fn squad(&self) -> Result<&Questions> {
        self.squad.get_or_try_init(|| squad::load(self.files.squad.as_deref(), self.documents))
    }

    /// Questions of HotpotQA's kind: two paragraphs of ten answer together.
    pub fn hotpotqa(&self) -> Result<&Questions> {
        self.hotpotqa
            .get_or_try_init(|| hotpotqa::load(self.files.hotpotqa.as_deref(), self.documents))
    }

    /// Reads the corpora that a recipe may use, and says where they came from.
    pub fn read_for(&self, recipe: &Recipe) -> Result<Vec<&Source>> {
        if uses_words(recipe) {
            self.words()?;
        }
        match recipe {
            Recipe::CommonWords => {
                self.english_words()?;
            }
            Recipe::QuestionAnswering(Dataset::Squad) => {
                self.squad()?;
            }
            Recipe::QuestionAnswering(Dataset::HotpotQa) => {
                self.hotpotqa()?;
            }
            _ if uses_essays(recipe) => {
                self.essays()?;
            }
            _ => {}
        }
        Ok(self.sources_of(recipe))
    }

    /// Where the corpora that a recipe uses came from, as far as they were read.
    pub fn sources_of(&self, recipe: &Recipe) -> Vec<&Source> {
        let words = self.words.get().map(Words::source).filter(|_| uses_words(recipe));
        let other = match recipe {
            Recipe::CommonWords => self.english_words.get().map(EnglishWords::source),
            Recipe::QuestionAnswering(Dataset::Squad) => self.squad.get().map(Questions::source),
            Recipe::QuestionAnswering(Dataset::HotpotQa) => {
                self.hotpotqa.get().map(Questions::source)
            }
            _ => self.essays.get().map(EssayText::source).filter(|_| uses_essays(recipe)),
        };
        words.into_iter().chain(other).collect()
    }
}

/// Whether prompts hold words of the three lists.
pub fn uses_words(recipe: &Recipe) -> bool {
    match recipe {
        Recipe::Needle(needle) => [needle.key, needle.value].contains(&Kind::Words),
        Recipe::CommonWords => true,
        _ => false,
    }
}

/// Whether prompts hold essays.
pub fn uses_essays(recipe: &Recipe) -> bool {
    match recipe {
        Recipe::Needle(needle) => needle.haystack == Haystack::Essay,
        Recipe::VariableTracking(haystack) => *haystack == Haystack::Essay,
        _ => false,
    }
}
