//! HotpotQA, distractor setting, as published (Yang et al. 2018).

use std::path::Path;

use longseq_core::ruler::sizes::Document;
use serde::Deserialize;

use super::{
    questions::{OwnedQuestion, Questions, index_of, sorted},
    source::Opened,
};
use crate::error::Result;

const BUILT_IN: &str = include_str!("../../corpora/hotpotqa.json");

/// A title and the sentences under it.
type Paragraph = (String, Vec<String>);

#[derive(Deserialize)]
struct Entry {
    question: String,
    answer: String,
    context: Vec<Paragraph>,
    /// Titles, and numbers of the sentences under them that the answer follows from.
    #[serde(default)]
    supporting_facts: Vec<(String, usize)>,
}

/// Reads the file. A document is a title, a line feed and the sentences as they stand, or one of
/// them: then documents with a supporting fact are a question's own, and the others its preferred
/// distractors.
pub fn load(file: Option<&Path>, document: Document) -> Result<Questions> {
    let opened = Opened::file_or_built_in("hotpotqa", file, BUILT_IN)?;
    let expected = "HotpotQA's hotpot_dev_distractor_v1.json";
    let entries: Vec<Entry> =
        serde_json::from_str(&opened.text).map_err(|source| opened.corrupt(source, expected))?;
    let (own, more): (Vec<_>, Vec<_>) =
        entries.iter().map(|entry| documents_of(entry, document)).unzip();
    let documents = sorted(own.iter().chain(&more).flatten().cloned().collect());
    let indices = |of: &[String]| of.iter().filter_map(|of| index_of(&documents, of)).collect();
    let questions: Vec<OwnedQuestion> = entries
        .into_iter()
        .zip(own.iter().zip(&more))
        .map(|(entry, (own, more))| OwnedQuestion {
            context: indices(own),
            query: entry.question,
            answers: vec![entry.answer],
            more: indices(more),
        })
        .collect();
    if questions.is_empty() {
        return Err(opened.corrupt("there is no question in it", expected));
    }
    if documents.is_empty() {
        return Err(opened.corrupt("there is no document in it", expected));
    }
    Ok(Questions { documents, questions, source: opened.source })
}

/// The documents that belong to a question, and those it prefers as distractors.
fn documents_of(entry: &Entry, document: Document) -> (Vec<String>, Vec<String>) {
    if document == Document::Paragraph {
        let whole = |(title, sentences): &Paragraph| format!("{title}\n{}", sentences.concat());
        return (entry.context.iter().map(whole).collect(), Vec::new());
    }
    let (mut own, mut more) = (Vec::new(), Vec::new());
    for (title, sentences) in &entry.context {
        let fact = entry.supporting_facts.iter().find(|(of, _)| of == title);
        // Some numbers of the published file are past the paragraph's end.
        let sentence = sentences.get(fact.map_or(0, |&(_, at)| at)).or(sentences.last());
        let text = format!("{title}\n{}", sentence.map_or("", |sentence| sentence.trim()));
        if fact.is_some() { own.push(text) } else { more.push(text) }
    }
    (own, more)
}
