//! What a run computes: resolved, checked, hashed and written down before the first token.
//!
//! The [`Plan`] holds everything that predictions depend on, and nothing else: two runs of the
//! same plan write the same predictions. What they do not depend on (paths, threads, batch, CPU)
//! is recorded beside it as the [`Machine`].

mod beside;
mod file;
mod first_prompt;
mod machine;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::sha256_hex;

pub use beside::{Beside, Footprint, ModelCard, SequenceBytes};
pub use file::PlanFile;
pub use first_prompt::{FirstPrompt, Tokens};
pub use machine::{Machine, cpu_model};

/// Everything that the predictions of a run depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The program.
    pub program: Program,
    /// `ruler`, `huang2025` or `mini`.
    pub profile: String,
    /// RULER task names, in order; with `_depth<PERCENT>` where depths were asked for.
    pub tasks: Vec<String>,
    /// Sequence lengths in tokens, output included, in order.
    pub lengths: Vec<usize>,
    /// Samples of each cell (a task at a length).
    pub samples: usize,
    /// The seed of the prompts.
    pub seed: u32,
    /// `run`: one stream of draws a cell, as RULER's scripts; `per-sample`: one a sample.
    pub seeding: String,
    /// `exact`: as RULER's scripts; `shrink`: smaller haystacks where theirs do not fit.
    pub fit: String,
    /// Depths of the needles in percent, where asked for.
    pub depths: Vec<u8>,
    /// UUIDs where the fork's `niah_essay_uuids_<depth>` has numbers.
    pub corrected_uuids: bool,
    /// Line feeds and tabs of prompts became spaces.
    pub remove_newline_tab: bool,
    /// What stands around the task's text.
    pub template: TemplateText,
    /// The texts that prompts are made of.
    pub corpora: Vec<Corpus>,
    /// The tokenizer.
    pub tokenizer: TokenizerFile,
    /// The checkpoint.
    pub checkpoint: CheckpointFiles,
    /// What computes the logits: `reference`, or `cpu` and its instruction set.
    pub backend: String,
    /// Of weights in products: `bf16`, `f32`, `f64`, ….
    pub precision: String,
    /// Token ids that end a text early; empty: every text has the task's number of tokens.
    pub end_of_text: Vec<u32>,
    /// Whether a sample stops as soon as its score can no longer change.
    pub decided_stop: bool,
    /// Faults that were reproduced, by name.
    pub quirks: Vec<String>,
}

/// The program that ran a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Version of the package.
    pub version: String,
    /// Commit it was built from; `-dirty` where files had been changed, `unknown` without git.
    pub commit: String,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("LONGSEQ_COMMIT").to_owned(),
        }
    }
}

/// A prompt template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateText {
    /// Its name, or the path of its file.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A text that prompts are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corpus {
    /// Which one: `essays`, `words`, …
    pub name: String,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// A tokenizer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenizerFile {
    /// SHA-256 of `tokenizer.json`.
    pub sha256: String,
    /// One more than the highest token id.
    pub vocabulary: usize,
    /// Id of the token put in front of every prompt, if any.
    pub bos: Option<u32>,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointFiles {
    /// The family of models.
    pub family: String,
    /// Parameters.
    pub parameters: u64,
    /// SHA-256 over its files (see `digest`).
    pub sha256: String,
}

/// A task at a length: a column and a row of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Sequence length in tokens, output included.
    pub length: usize,
    /// RULER's task name.
    pub task: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} tokens", self.task, self.length)
    }
}

impl Plan {
    /// Its cells, length by length.
    pub fn cells(&self) -> Vec<Cell> {
        let of = |&length| self.tasks.iter().map(move |task| Cell { length, task: task.clone() });
        self.lengths.iter().flat_map(of).collect()
    }

    /// SHA-256 of its canonical JSON: keys sorted, no white space, UTF-8.
    pub fn sha256(&self) -> String {
        sha256_hex(canonical(&self.to_value()).to_string().as_bytes())
    }

    fn to_value(&self) -> Value {
        // Strings, numbers and lists: nothing here that JSON could not hold.
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn canonical(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}
