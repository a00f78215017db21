//! Where a sample's needles are.

use std::ops::Range;

use longseq_core::ruler::needle::NEEDLE_START;

use crate::{
    error::{Error, Result},
    sample::Sample,
    tokenizer::Tokenizer,
};

/// A needle that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// The sentence.
    pub text: String,
    /// Its tokens in the prompt, BOS counted.
    pub tokens: Range<usize>,
}

/// The needles that a sample asks for, in the order of its references.
///
/// # Errors
/// A sample without needles; a prompt that cannot be encoded.
pub fn find(sample: &Sample, tokenizer: &Tokenizer, bos: usize) -> Result<Vec<Needle>> {
    let needle = |value: &String| {
        let text = &sample.input;
        // The value as a needle has it, not as part of a longer one.
        let end = text.find(&format!(" is: {value}.")).map(|at| at + value.len() + 6);
        let span = end.and_then(|end| Some(text[..end].rfind(NEEDLE_START)?..end));
        let span = span.ok_or_else(|| {
            Error::new(format!("no needle in the prompt has the value {value:?}"))
                .help("probe tasks with needles: niah_…")
        })?;
        let tokens = tokens(text, &span, tokenizer)?;
        Ok(Needle { text: text[span].to_owned(), tokens: tokens.start + bos..tokens.end + bos })
    };
    sample.outputs.iter().map(needle).collect()
}

/// The tokens that a piece of a text is made of. One that begins or ends outside of it, with white space for instance, counts.
fn tokens(text: &str, span: &Range<usize>, tokenizer: &Tokenizer) -> Result<Range<usize>> {
    let before = text[..span.start].trim_end();
    let start = tokenizer.encode(before)?.len();
    Ok(start..tokenizer.encode(&text[..span.end])?.len().max(start + 1))
}
