//! Questions with their documents.

use longseq_core::ruler::corpus::{Question, QuestionSet};

use super::source::Source;

/// A QA corpus, owned.
#[derive(Debug)]
pub struct Questions {
    /// Distinct documents in code point order.
    pub(super) documents: Vec<String>,
    pub(super) questions: Vec<OwnedQuestion>,
    pub(super) source: Source,
}

/// See [`Question`].
#[derive(Debug)]
pub struct OwnedQuestion {
    pub query: String,
    pub answers: Vec<String>,
    pub context: Vec<u32>,
    pub more: Vec<u32>,
}

impl Questions {
    /// Where it came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Number of questions.
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether there is no question; a loaded corpus has one.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// Runs `use_set` on the corpus as a generator takes it.
    pub fn with_set<T>(&self, use_set: impl FnOnce(&QuestionSet<'_>) -> T) -> T {
        let documents: Vec<&str> = self.documents.iter().map(String::as_str).collect();
        let answers: Vec<Vec<&str>> = self
            .questions
            .iter()
            .map(|question| question.answers.iter().map(String::as_str).collect())
            .collect();
        let questions: Vec<Question<'_>> = self
            .questions
            .iter()
            .zip(&answers)
            .map(|(question, answers)| Question {
                query: &question.query,
                answers,
                context: &question.context,
                more: &question.more,
            })
            .collect();
        use_set(&QuestionSet { documents: &documents, questions: &questions })
    }
}

/// Distinct documents in code point order.
pub fn sorted(mut documents: Vec<String>) -> Vec<String> {
    documents.sort_unstable();
    documents.dedup();
    documents
}

/// Index of a document in what [`sorted`] made of a list that held it.
pub fn index_of(documents: &[String], document: &str) -> Option<u32> {
    let found = documents.binary_search_by(|other| other.as_str().cmp(document)).ok()?;
    u32::try_from(found).ok()
}
