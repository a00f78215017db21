//! When an answer is complete, and what it says.

use longseq_core::ruler::score::Metric;

use crate::{completion::Finish, error::Result, tokenizer::Tokenizer};

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Why it ends.
    pub finish: Finish,
    /// Tokens that were generated, a token that ends the text included.
    pub tokens: usize,
}

/// What ends the answers of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Makes text of tokens.
    pub tokenizer: &'a Tokenizer,
    /// Tokens of an answer, at most.
    pub tokens_to_generate: usize,
    /// Tokens that end a text.
    pub end_of_text: &'a [u32],
    /// How the task is scored.
    pub metric: Metric,
    /// Whether to stop once the score can no longer change.
    pub decided_stop: bool,
}

impl Rules<'_> {
    /// The answer, if `written` (its tokens so far) is all of it.
    pub fn judge(&self, written: &[u32], references: &[String]) -> Result<Option<Answer>> {
        let tokens = written.len();
        let (text, finish) = match written {
            [text @ .., last] if self.end_of_text.contains(last) => (text, Finish::Eos),
            _ if tokens >= self.tokens_to_generate => (written, Finish::Length),
            _ if self.is_decided(written, references)? => (written, Finish::Decided),
            _ => return Ok(None),
        };
        let text = self.tokenizer.decode(text, self.skips_specials())?;
        Ok(Some(Answer { text, finish, tokens }))
    }

    /// Only what every continuation of the tokens keeps counts.
    fn is_decided(&self, written: &[u32], references: &[String]) -> Result<bool> {
        if !self.decided_stop {
            return Ok(false);
        }
        let settled = self.tokenizer.decode_settled(written, self.skips_specials())?;
        let references = references.iter().map(String::as_str);
        Ok(settled.is_some_and(|text| self.metric.is_decided(&text, references)))
    }

    /// Models that end their texts are read without special tokens, as RULER's script for
    /// Hugging Face models does. The mamba_ssm ones write on past `<|endoftext|>`, and RULER's
    /// script for them leaves it in the text.
    fn skips_specials(&self) -> bool {
        !self.end_of_text.is_empty()
    }
}
