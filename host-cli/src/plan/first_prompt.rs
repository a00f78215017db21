//! Both ends of a prompt, to be looked at: a doubled BOS or a wrong template is seen there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Cell;
use crate::tokenizer::{Prompt, Tokenizer};

/// Token ids shown of each end.
const SHOWN: usize = 8;

/// A prompt as the model reads it. Displays as lines for a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPrompt {
    /// Its task.
    pub task: String,
    /// Its length as asked for, in tokens.
    pub length: usize,
    /// Number of the sample in its cell: 0, or in a run that goes on the first one left.
    pub sample: usize,
    /// Name of the template.
    pub template: String,
    /// Its tokens, BOS included, without the answer's.
    pub tokens: usize,
    /// How many BOS tokens it starts with.
    pub bos: usize,
    /// Its first tokens.
    pub begins: Tokens,
    /// Its last tokens.
    pub ends: Tokens,
}

/// A few tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Their ids.
    pub ids: Vec<u32>,
    /// Their text together.
    pub text: String,
}

impl FirstPrompt {
    /// The ends of sample number `sample` of `cell`.
    pub fn new(
        cell: &Cell,
        sample: usize,
        template: &str,
        prompt: &Prompt,
        tokenizer: &Tokenizer,
    ) -> Self {
        let ids = &prompt.ids;
        let end = |ids: &[u32]| Tokens {
            ids: ids.to_vec(),
            text: tokenizer.decode(ids, false).unwrap_or_default(),
        };
        Self {
            task: cell.task.clone(),
            length: cell.length,
            sample,
            template: template.to_owned(),
            tokens: ids.len(),
            bos: prompt.bos,
            begins: end(&ids[..ids.len().min(SHOWN)]),
            ends: end(&ids[ids.len().saturating_sub(SHOWN)..]),
        }
    }
}

impl fmt::Display for FirstPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, length, sample, tokens, bos, begins, ends, .. } = self;
        writeln!(f, "prompt {sample:<4}{task} at {length} tokens: {tokens} tokens, {bos} BOS")?;
        writeln!(f, "           begins {begins}")?;
        writeln!(f, "           ends   {ends}")
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ids, text } = self;
        write!(f, "{ids:?} {text:?}")
    }
}
