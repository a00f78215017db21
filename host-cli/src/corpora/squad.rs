//! SQuAD 2.0 as published (Rajpurkar et al. 2018).

use std::path::Path;

use serde::Deserialize;

use super::{
    questions::{OwnedQuestion, Questions, index_of, sorted},
    source::Opened,
};
use crate::error::Result;

const BUILT_IN: &str = include_str!("../../corpora/squad.json");

#[derive(Deserialize)]
struct File {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Qa>,
}

#[derive(Deserialize)]
struct Qa {
    question: String,
    is_impossible: bool,
    #[serde(default)]
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

/// Reads the file. Questions without an answer are left out; the article's other paragraphs
/// are a question's preferred distractors.
pub fn load(file: Option<&Path>) -> Result<Questions> {
    let opened = Opened::file_or_built_in("squad", file, BUILT_IN)?;
    let expected = "SQuAD 2.0's dev-v2.0.json";
    let parsed: File =
        serde_json::from_str(&opened.text).map_err(|source| opened.corrupt(source, expected))?;
    let paragraphs = parsed.data.iter().flat_map(|article| &article.paragraphs);
    let documents = sorted(paragraphs.map(|paragraph| paragraph.context.clone()).collect());
    let index = |paragraph: &Paragraph| index_of(&documents, &paragraph.context);
    let mut questions = Vec::new();
    for article in parsed.data {
        let all: Vec<u32> = article.paragraphs.iter().filter_map(index).collect();
        for (paragraph, &own) in article.paragraphs.iter().zip(&all) {
            let more: Vec<u32> = all.iter().copied().filter(|&other| other != own).collect();
            for qa in paragraph.qas.iter().filter(|qa| !qa.is_impossible) {
                questions.push(OwnedQuestion {
                    query: qa.question.clone(),
                    answers: qa.answers.iter().map(|answer| answer.text.clone()).collect(),
                    context: vec![own],
                    more: more.clone(),
                });
            }
        }
    }
    if questions.is_empty() {
        return Err(opened.corrupt("there is no question with an answer in it", expected));
    }
    if let Some(question) = questions.iter().find(|question| question.answers.is_empty()) {
        let what = format!("the question {:?} has no answers", question.query);
        return Err(opened.corrupt(what, expected));
    }
    Ok(Questions { documents, questions, source: opened.source })
}
