//! Samples as the tokens that a model reads.

use std::collections::BTreeSet;

use longseq_core::ruler::score::Metric;
use rayon::prelude::*;

use crate::{
    completion::{Completion, Others},
    error::{Error, Result},
    plan::Cell,
    sample::Sample,
    tokenizer::{Prompt, Tokenizer},
};

use super::answer::Answer;
use crate::{completion::NeedlePlace, score::task_name::TaskName};

/// What RULER says of a task at a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Tokens of an answer, at most.
    pub tokens_to_generate: usize,
    /// How answers are scored.
    pub metric: Metric,
    /// Tokens of prompt and answer together, BOS not counted, at most. The length of the cell,
    /// where the generator of the profile keeps to it.
    pub limit: usize,
}

/// Makes the samples of a plan's cells: the same ones every time.
pub trait Source {
    /// What RULER says of a cell.
    fn protocol(&self, cell: &Cell) -> Result<Protocol>;

    /// The samples of a cell, in order.
    fn samples(&self, cell: &Cell) -> Result<Vec<Sample>>;
}

/// A sample and its tokens.
#[derive(Debug)]
pub struct Encoded {
    /// Number of the sample in its cell, from 0.
    pub number: usize,
    /// The sample.
    pub sample: Sample,
    /// The tokens of the whole prompt; an error fails this sample.
    pub prompt: Result<Prompt>,
}

/// Makes and encodes the samples of a cell whose numbers are in `pending`.
pub fn encode(
    source: &dyn Source,
    tokenizer: &Tokenizer,
    cell: &Cell,
    pending: &BTreeSet<usize>,
) -> Result<Vec<Encoded>> {
    let samples = source.samples(cell)?;
    let numbered: Vec<_> =
        samples.into_iter().enumerate().filter(|(number, _)| pending.contains(number)).collect();
    if numbered.len() < pending.len() {
        let (found, asked) = (numbered.len(), pending.len());
        return Err(Error::new(format!("{cell}: {found} samples instead of {asked}")));
    }
    let encode = |(number, sample): (usize, Sample)| {
        let prompt = tokenizer.encode_prompt(&text(&sample)).and_then(|prompt| {
            if prompt.ids.is_empty() {
                Err(Error::new("the prompt has no tokens"))
            } else {
                Ok(prompt)
            }
        });
        Encoded { number, sample, prompt }
    };
    Ok(numbered.into_par_iter().map(encode).collect())
}

/// The text that the model continues.
fn text(sample: &Sample) -> String {
    let answer_prefix = sample.answer_prefix.as_deref().unwrap_or_default();
    format!("{}{answer_prefix}", sample.input)
}

impl Encoded {
    /// The line of the journal.
    ///
    /// # Errors
    /// The tokenizer cannot count the tokens before a needle.
    pub fn completion(
        &self,
        answer: Answer,
        cell: &Cell,
        tokenizer: &Tokenizer,
    ) -> Result<Completion> {
        let input = text(&self.sample);
        let hides_needles = TaskName::parse(&cell.task).is_some_and(TaskName::hides_needles);
        let needles = if hides_needles { self.needles(&input, tokenizer)? } else { Vec::new() };
        Ok(Completion {
            index: self.sample.index,
            pred: answer.text,
            input,
            outputs: self.sample.outputs.clone(),
            others: Others {
                sample: Some(self.number),
                finish: Some(answer.finish),
                prompt_tokens: self.prompt.as_ref().ok().map(|prompt| prompt.ids.len()),
                generated_tokens: Some(answer.tokens),
                needles,
            },
            truncation: 0,
            length: i64::try_from(self.sample.length).unwrap_or(i64::MAX),
        })
    }

    /// The first place of each reference that the prompt holds.
    fn needles(&self, input: &str, tokenizer: &Tokenizer) -> Result<Vec<NeedlePlace>> {
        let bos = self.prompt.as_ref().map_or(0, |prompt| prompt.bos);
        let mut counter = tokenizer.counter();
        let references = self.sample.outputs.iter().enumerate();
        let found = references.filter_map(|(i, reference)| Some((i, input.find(reference)?)));
        let place = |(reference, at): (usize, usize)| {
            Ok(NeedlePlace { reference, token: bos + counter.count_text(&input[..at])? })
        };
        found.map(place).collect()
    }
}
