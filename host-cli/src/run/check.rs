//! Before the first token: does every prompt fit, and how much is there to do?

use std::{collections::BTreeSet, path::Path};

use super::{
    cell::Schedule,
    encode::{Encoded, Protocol, Source, encode},
};
use crate::{
    error::{Error, Result},
    journal,
    plan::{Cell, FirstPrompt, Plan},
    tokenizer::Tokenizer,
};

/// What is left to do of a plan.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The cells with samples that have no prediction yet.
    pub cells: Vec<CellCheck>,
    /// Samples that have one.
    pub finished: usize,
    /// The first prompt that is left: of a run that begins the first of all.
    pub first: Option<FirstPrompt>,
}

/// What is left to do of a cell.
#[derive(Clone, Debug)]
pub struct CellCheck {
    /// The cell.
    pub cell: Cell,
    /// Numbers of the samples without a prediction.
    pub pending: BTreeSet<usize>,
    /// Tokens of their prompts.
    pub prompt_tokens: usize,
    /// Of these, tokens that need not be read because prompts share them.
    pub saved: usize,
    /// Tokens of their answers, at most.
    pub answer_tokens: usize,
    /// Tokens of the longest prompt and its answer: what a slot must hold.
    pub longest: usize,
}

impl Check {
    /// Makes and encodes every sample of `plan` that has no prediction under `root`, and refuses
    /// a prompt that is too long.
    pub fn new(
        plan: &Plan,
        root: &Path,
        source: &dyn Source,
        tokenizer: &Tokenizer,
        schedule: Schedule,
        mut begin: impl FnMut(&Cell),
    ) -> Result<Self> {
        let mut check = Self::default();
        for cell in plan.cells() {
            let finished = journal::finished(root, &cell, plan.samples)?;
            check.finished += finished.len();
            let pending: BTreeSet<usize> =
                (0..plan.samples).filter(|sample| !finished.contains(sample)).collect();
            if pending.is_empty() {
                continue;
            }
            begin(&cell);
            let encoded = encode(source, tokenizer, &cell, &pending)?;
            let protocol = source.protocol(&cell)?;
            let bos = usize::from(tokenizer.bos().is_some());
            let first = || first_prompt(plan, &cell, encoded.first()?, tokenizer);
            check.first = check.first.or_else(first);
            let checked = CellCheck::new(cell, pending, &encoded, protocol, bos, schedule)?;
            check.cells.push(checked);
        }
        Ok(check)
    }

    /// Samples without a prediction.
    pub fn pending(&self) -> usize {
        self.cells.iter().map(|cell| cell.pending.len()).sum()
    }

    /// Tokens of all prompts to be read.
    pub fn prompt_tokens(&self) -> usize {
        self.cells.iter().map(|cell| cell.prompt_tokens).sum()
    }

    /// Of these, tokens that need not be read because prompts share them.
    pub fn saved(&self) -> usize {
        self.cells.iter().map(|cell| cell.saved).sum()
    }

    /// Tokens of all answers, at most.
    pub fn answer_tokens(&self) -> usize {
        self.cells.iter().map(|cell| cell.answer_tokens).sum()
    }

    /// Tokens that pass through the model, at most: the last one of an answer does not.
    pub fn work(&self) -> usize {
        self.prompt_tokens() - self.saved() + self.answer_tokens() - self.pending()
    }

    /// Tokens of the longest prompt and its answer: what a slot must hold.
    pub fn longest(&self) -> usize {
        self.cells.iter().map(|cell| cell.longest).max().unwrap_or(0)
    }
}

impl CellCheck {
    fn new(
        cell: Cell,
        pending: BTreeSet<usize>,
        encoded: &[Encoded],
        protocol: Protocol,
        bos: usize,
        schedule: Schedule,
    ) -> Result<Self> {
        let prompts: Vec<&[u32]> = encoded
            .iter()
            .filter_map(|encoded| encoded.prompt.as_ref().ok())
            .map(|prompt| prompt.ids.as_slice())
            .collect();
        let longest = prompts.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let longest = longest + protocol.tokens_to_generate;
        let limit = protocol.limit + bos;
        if longest > limit {
            let output = protocol.tokens_to_generate;
            let what =
                format!("{cell}: prompt, BOS and {output} tokens of output take {longest} tokens");
            return Err(Error::new(format!("{what}, {limit} are allowed"))
                .help("ask for a longer length, or take a shorter template"));
        }
        let these: Vec<usize> = (0..prompts.len()).collect();
        Ok(Self {
            prompt_tokens: prompts.iter().map(|ids| ids.len()).sum(),
            saved: schedule.trunk(&prompts, &these).saved(),
            answer_tokens: pending.len() * protocol.tokens_to_generate,
            longest,
            cell,
            pending,
        })
    }
}

fn first_prompt(
    plan: &Plan,
    cell: &Cell,
    Encoded { number, prompt, .. }: &Encoded,
    tokenizer: &Tokenizer,
) -> Option<FirstPrompt> {
    let prompt = prompt.as_ref().ok()?;
    Some(FirstPrompt::new(cell, *number, &plan.template.name, prompt, tokenizer))
}
