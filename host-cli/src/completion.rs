//! What the model wrote for one sample: a line of `predictions/<length>/<task>.jsonl`.

use serde::{Deserialize, Serialize};

/// Why decoding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The task's number of tokens was generated.
    Length,
    /// The model wrote an end-of-text token.
    Eos,
    /// No further text could change the score.
    Decided,
}

/// A prediction in RULER's format; its evaluate.py reads these lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The sample's `index` field (in `niah` of profile `ruler` not its number).
    pub index: i64,
    /// The generated text.
    pub pred: String,
    /// The prompt.
    pub input: String,
    /// The references.
    pub outputs: Vec<String>,
    /// What RULER has no field for.
    pub others: Others,
    /// RULER's field: the tokens cut from the prompt. Always 0: nothing is ever cut here.
    #[serde(default)]
    pub truncation: i64,
    /// The sample's `length` field.
    #[serde(default)]
    pub length: i64,
}

impl Finish {
    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Eos => "eos",
            Self::Decided => "decided",
        }
    }
}

/// Where a reference stands in the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedlePlace {
    /// Which of `outputs`, from 0.
    pub reference: usize,
    /// Tokens before its first occurrence, BOS included.
    pub token: usize,
}

/// Fields of this program's own; absent where RULER's scripts wrote the line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Others {
    /// Number of the sample in its cell, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// Why decoding ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Tokens fed to the model, BOS and template included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<usize>,
    /// Tokens generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_tokens: Option<usize>,
    /// In tasks that hide needles: where the references stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needles: Vec<NeedlePlace>,
}
