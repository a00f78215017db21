//! Answered samples as a reader wants to see them: what was asked, what came, what was missed.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
};

use longseq_core::ruler::score::{Metric, Prediction};
use serde::Serialize;

use super::run::{Cell, Run};
use crate::{
    completion::{Completion, Finish},
    error::{Error, Result},
    score::files::{find, lengths},
};

/// Characters shown of each end of a prompt.
const SHOWN: usize = 320;

/// The most characters of an answer or a reference that are shown.
const ANSWER: usize = 600;

/// How much of a sample is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Both ends of a prompt, and the start of an answer.
    Middle,
    /// All of it.
    Nowhere,
}

/// A sample with its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// Its number in its cell.
    pub number: usize,
    /// Its score in percent.
    pub percent: f64,
    /// The prompt's first characters; all of them if it is short.
    pub head: String,
    /// Characters of the prompt between head and tail.
    pub left_out: usize,
    /// The prompt's last characters; empty if the head is all of it.
    pub tail: String,
    /// Tokens of the prompt, if recorded.
    pub prompt_tokens: Option<usize>,
    /// The answer.
    pub output: String,
    /// Why it ends, if recorded.
    pub finish: Option<Finish>,
    /// What it should hold.
    pub references: Vec<Reference>,
}

/// A text that the answer should hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reference {
    /// The text.
    pub text: String,
    /// Whether the answer holds it.
    pub found: bool,
    /// Where the prompt holds it, if recorded: tokens before it, and their share of the prompt in
    /// percent.
    pub place: Option<Place>,
}

/// A place in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Tokens before it.
    pub token: usize,
    /// Their share of the prompt in percent.
    pub depth: f64,
}

/// The samples of a cell whose numbers are in `numbers`, by number. Lines that this program did not
/// write are passed over.
pub fn read(run: &Run, cell: &Cell, numbers: &BTreeSet<usize>, cut: Cut) -> Result<Vec<Answered>> {
    let mut answered = Vec::new();
    for (_, folder) in lengths(&run.folder)?.into_iter().filter(|(at, _)| *at == cell.length) {
        let tasks = find(&folder)?.tasks;
        for file in tasks.iter().filter(|of| of.name == cell.name).flat_map(|of| &of.files) {
            let failed = |error: &std::io::Error| Error::io("read", file, error);
            let mut reader = BufReader::new(File::open(file).map_err(|e| failed(&e))?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).map_err(|e| failed(&e))? > 0 {
                // Scoring has read the file before: what is no prediction is a torn last line.
                if let Ok(completion) = serde_json::from_slice::<Completion>(&line) {
                    let number = completion.others.sample.filter(|of| numbers.contains(of));
                    answered
                        .extend(number.map(|number| Answered::new(number, &completion, cell, cut)));
                }
                line.clear();
            }
        }
    }
    answered.sort_by_key(|of| of.number);
    Ok(answered)
}

/// Numbers of the first `most` samples of a cell that did not get the full score.
pub fn lost(cell: &Cell, most: usize) -> BTreeSet<usize> {
    let lost = cell.samples.iter().filter(|sample| sample.score < 1.0);
    lost.filter_map(|sample| sample.number).take(most).collect()
}

impl Answered {
    fn new(number: usize, completion: &Completion, cell: &Cell, cut: Cut) -> Self {
        let Completion { pred, input, outputs, others, .. } = completion;
        let prediction = Prediction::new(pred);
        let references = outputs.iter().map(String::as_str);
        let score = cell.name.metric().score(prediction, references).unwrap_or(0.0);
        let (head, left_out, tail) = match cut {
            Cut::Middle => ends(input),
            Cut::Nowhere => (input.clone(), 0, String::new()),
        };
        let answer = |text: &str| match cut {
            Cut::Middle => shortened(text),
            Cut::Nowhere => text.to_owned(),
        };
        let reference = |(place, text): (usize, &String)| {
            let found = Metric::StringMatchAll.score(prediction, [text.as_str()]) == Some(1.0);
            let needle = others.needles.iter().find(|needle| needle.reference == place);
            let place = needle.zip(others.prompt_tokens).map(|(needle, tokens)| Place {
                token: needle.token,
                depth: needle.token as f64 / tokens.max(1) as f64 * 100.0,
            });
            Reference { text: answer(text), found, place }
        };
        Self {
            number,
            percent: score * 100.0,
            head,
            left_out,
            tail,
            prompt_tokens: others.prompt_tokens,
            output: answer(pred),
            finish: others.finish,
            references: outputs.iter().enumerate().map(reference).collect(),
        }
    }
}

/// Both ends of a text and how many characters lie between them.
fn ends(text: &str) -> (String, usize, String) {
    let characters = text.chars().count();
    if characters <= 2 * SHOWN {
        return (text.to_owned(), 0, String::new());
    }
    let left_out = characters - 2 * SHOWN;
    let head = text.chars().take(SHOWN).collect();
    (head, left_out, text.chars().skip(SHOWN + left_out).collect())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ANSWER) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
