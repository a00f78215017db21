//! HotpotQA, distractor setting, as published (Yang et al. 2018).

use std::path::Path;

use serde::Deserialize;

use super::{
    questions::{OwnedQuestion, Questions, index_of, sorted},
    source::Opened,
};
use crate::error::Result;

const BUILT_IN: &str = include_str!("../../corpora/hotpotqa.json");

#[derive(Deserialize)]
struct Entry {
    question: String,
    answer: String,
    context: Vec<(String, Vec<String>)>,
}

/// Reads the file. A document is a title, a line feed and the sentences as they stand.
pub fn load(file: Option<&Path>) -> Result<Questions> {
    let opened = Opened::file_or_built_in("hotpotqa", file, BUILT_IN)?;
    let expected = "HotpotQA's hotpot_dev_distractor_v1.json";
    let entries: Vec<Entry> =
        serde_json::from_str(&opened.text).map_err(|source| opened.corrupt(source, expected))?;
    let document =
        |(title, sentences): &(String, Vec<String>)| format!("{title}\n{}", sentences.concat());
    let contexts = entries.iter().flat_map(|entry| &entry.context);
    let documents = sorted(contexts.map(document).collect());
    let questions: Vec<OwnedQuestion> = entries
        .into_iter()
        .map(|entry| OwnedQuestion {
            context: entry
                .context
                .iter()
                .filter_map(|context| index_of(&documents, &document(context)))
                .collect(),
            query: entry.question,
            answers: vec![entry.answer],
            more: Vec::new(),
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
