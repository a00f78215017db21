//! SQuAD 2.0 as published (Rajpurkar et al. 2018).

use std::path::Path;

use longseq_core::ruler::sizes::Document;
use serde::Deserialize;

use super::{
    questions::{OwnedQuestion, Questions, index_of, sorted},
    source::Opened,
};
use crate::{error::Result, sentences};

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
    /// In code points of the paragraph.
    #[serde(default)]
    answer_start: usize,
}

/// Reads the file. Questions without an answer are left out; the article's other paragraphs
/// are a question's preferred distractors, or their sentences.
pub fn load(file: Option<&Path>, document: Document) -> Result<Questions> {
    let opened = Opened::file_or_built_in("squad", file, BUILT_IN)?;
    let expected = "SQuAD 2.0's dev-v2.0.json";
    let parsed: File =
        serde_json::from_str(&opened.text).map_err(|source| opened.corrupt(source, expected))?;
    let paragraphs = || parsed.data.iter().flat_map(|article| &article.paragraphs);
    let all = paragraphs().flat_map(|paragraph| parts(paragraph, document));
    let answering = paragraphs()
        .flat_map(|paragraph| answerable(paragraph).map(move |qa| own(paragraph, qa, document)));
    let documents = sorted(all.chain(answering).map(str::to_owned).collect());
    let mut questions = Vec::new();
    for article in &parsed.data {
        let all: Vec<&str> =
            article.paragraphs.iter().flat_map(|paragraph| parts(paragraph, document)).collect();
        for paragraph in &article.paragraphs {
            for qa in answerable(paragraph) {
                let own = own(paragraph, qa, document);
                let more = all.iter().filter(|&&other| other != own);
                questions.push(OwnedQuestion {
                    query: qa.question.clone(),
                    answers: qa.answers.iter().map(|answer| answer.text.clone()).collect(),
                    context: index_of(&documents, own).into_iter().collect(),
                    more: more.filter_map(|other| index_of(&documents, other)).collect(),
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

fn answerable(paragraph: &Paragraph) -> impl Iterator<Item = &Qa> {
    paragraph.qas.iter().filter(|qa| !qa.is_impossible)
}

/// The documents of a paragraph.
fn parts(paragraph: &Paragraph, document: Document) -> Vec<&str> {
    let text = paragraph.context.as_str();
    match document {
        Document::Paragraph => vec![text],
        Document::Sentence => {
            let spans = sentences::split(text).into_iter();
            spans.map(|(start, end)| &text[start as usize..end as usize]).collect()
        }
    }
}

/// The document that answers: the paragraph, or its sentence that holds the first answer. An
/// answer that no sentence holds keeps its paragraph.
fn own<'p>(paragraph: &'p Paragraph, qa: &Qa, document: Document) -> &'p str {
    let text = paragraph.context.as_str();
    let Some(answer) = qa.answers.first().filter(|_| document == Document::Sentence) else {
        return text;
    };
    let start = text.char_indices().nth(answer.answer_start).map_or(0, |(at, _)| at);
    let end = start + answer.text.len();
    let holds = |&(from, to): &(u32, u32)| from as usize <= start && end <= to as usize;
    let sentence = sentences::split(text).into_iter().find(holds);
    sentence.map_or(text, |(from, to)| &text[from as usize..to as usize])
}
