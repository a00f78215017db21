//! A generated prompt with its references.

use serde::{Deserialize, Serialize};

/// One line of a `validation.jsonl`. Field order and presence are RULER's: profile `huang2025`
/// keeps the answer prefix inside `input` and writes the first four fields only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The sample number; in `niah` of profile `ruler` the character offset of the first answer
    /// in `input` (RULER's own behaviour), -1 where it is absent.
    pub index: i64,
    /// The prompt, without the answer prefix where `answer_prefix` is present.
    pub input: String,
    /// The references.
    pub outputs: Vec<String>,
    /// Tokens of the whole prompt plus the tokens to generate.
    pub length: usize,
    /// `length` plus the tokens of a model template counted outside the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_w_model_temp: Option<usize>,
    /// The text the model's answer continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_prefix: Option<String>,
    /// Tokens before the first answer (`niah` only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_position_answer: Option<usize>,
}
