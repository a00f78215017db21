//! RULER's scores: which references does a model's answer contain?
//!
//! With lowering `l`, post-processed answer `a` and references `r_1 … r_k` a sample scores
//!
//! - `string_match_all`: `Σ_i [l(r_i) in l(a)] / k`, the recall of the references;
//! - `string_match_part`: `max_i [l(r_i) in l(a)]`, for questions with alternative answers;
//!
//! and a task scores `100 · Σ sample / n`, rounded to two decimals (Hsieh et al. 2024; behaviour
//! of NVIDIA/RULER's `evaluate.py`). Containment is of characters: no word boundaries, no Unicode
//! normalisation. A reference listed twice counts twice; the empty reference is in every answer.

use core::fmt::{self, Write};

use heapless::String;

use super::lowercase::{lowercase, settled};

/// How a sample's score follows from the references its answer contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The share of the references contained: niah, vt, cwe, fwe.
    StringMatchAll,
    /// 1 where any reference is contained: qa.
    StringMatchPart,
}

impl Metric {
    /// RULER's name of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::StringMatchAll => "string_match_all",
            Self::StringMatchPart => "string_match_part",
        }
    }

    /// Score of one sample in [0, 1]; `None` where there are no references (RULER's scorer divides
    /// by zero there).
    pub fn score<'r, I>(self, prediction: Prediction<'_>, references: I) -> Option<f64>
    where
        I: IntoIterator<Item = &'r str>,
    {
        self.combine(references.into_iter().map(|r| contains(prediction.lowered(), lowercase(r))))
    }

    /// Whether the score and the null flag of a sample stay what they are now, whatever text the
    /// model appends to `text`. Never true too early; where a `Σ` at the very end could still
    /// become `ς` or `σ` it may turn true a token late.
    ///
    /// `text` must be a true prefix of the final text. Text decoded from tokens is one only up to
    /// the last complete character: leave out a trailing U+FFFD, and any trailing byte-fallback
    /// tokens (`<0xE2>`), whose decoding may still change.
    ///
    /// Only containment can be certain: a reference that is missing so far may still come.
    pub fn is_decided<'r, I>(self, text: &str, references: I) -> bool
    where
        I: IntoIterator<Item = &'r str>,
    {
        let text = text.trim_start_matches(is_edge);
        let trimmed = text.trim_end_matches(is_edge);
        // White space at the end may still be stripped, but it settles a `Σ` before it.
        let certain = lowercase(text).up_to(trimmed.len().min(settled(text)));
        let certain = |r: &str| contains(certain.clone().map(without_control), lowercase(r));
        !trimmed.is_empty() && self.combine(references.into_iter().map(certain)) == Some(1.0)
    }

    /// One score from the containment of each reference.
    fn combine(self, contained: impl Iterator<Item = bool>) -> Option<f64> {
        let (mut references, mut found) = (0_u32, 0_u32);
        for hit in contained {
            references += 1;
            found += u32::from(hit);
        }
        match self {
            _ if references == 0 => None,
            Self::StringMatchAll => Some(f64::from(found) / f64::from(references)),
            Self::StringMatchPart => Some(if found > 0 { 1.0 } else { 0.0 }),
        }
    }
}

/// A model's answer after RULER's post-processing: stripped, every character in U+0000..=U+001F
/// replaced by a newline, stripped again. Displays as that text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prediction<'a> {
    /// Stripped; control characters not yet replaced.
    text: &'a str,
}

impl<'a> Prediction<'a> {
    /// Post-processes `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text: text.trim_matches(is_edge) }
    }

    /// Whether nothing is left of the answer.
    pub fn is_null(self) -> bool {
        self.text.is_empty()
    }

    /// The lowered characters. Replacing control characters after lowering is the same as before:
    /// neither they nor the newline are cased or case-ignorable.
    fn lowered(self) -> impl Iterator<Item = char> + Clone + use<'a> {
        lowercase(self.text).map(without_control)
    }
}

impl fmt::Display for Prediction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.chars().try_for_each(|c| f.write_char(without_control(c)))
    }
}

/// The running sum of a task's sample scores, in the order of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScoreSum {
    sum: f64,
    samples: usize,
}

impl ScoreSum {
    /// Adds a sample's score in [0, 1].
    pub fn add(&mut self, score: f64) {
        self.sum += score;
        self.samples += 1;
    }

    /// `sum / n · 100`, evaluated in this order as Python does (up to 3.11, whose `sum` is the
    /// plain left-to-right one); `None` without samples.
    pub fn percent(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.sum / self.samples as f64 * 100.0)
    }
}

/// `percent` rounded to two decimals as Python's `round(percent, 2)`: the exact binary value is
/// rounded half to even. `percent` must lie in [0, 100].
pub fn round_percent(percent: f64) -> f64 {
    // Formatting with a precision rounds the exact value so, and parsing is exact.
    let mut digits = String::<8>::new();
    match write!(digits, "{percent:.2}") {
        Ok(()) => digits.parse().unwrap_or(percent),
        Err(_) => percent,
    }
}

/// What the two strips take from the ends together: Python's white space, which is Unicode's and
/// U+001C..=U+001F, and the control characters that became newlines in between.
fn is_edge(c: char) -> bool {
    is_control(c) || c.is_whitespace()
}

fn is_control(c: char) -> bool {
    c < ' '
}

fn without_control(c: char) -> char {
    if is_control(c) { '\n' } else { c }
}

/// Whether the characters of `needle` occur side by side in those of `text`.
fn contains(
    mut text: impl Iterator<Item = char> + Clone,
    needle: impl Iterator<Item = char> + Clone,
) -> bool {
    loop {
        let mut here = text.clone();
        if needle.clone().all(|c| here.next() == Some(c)) {
            return true;
        }
        if text.next().is_none() {
            return false;
        }
    }
}
