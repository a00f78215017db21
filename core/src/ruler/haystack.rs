//! Haystacks: the text around needles and statements.

use core::fmt::{self, Formatter};

use super::corpus::Sentences;
use super::sizes::Noise;

/// The line of the noise haystack.
pub(crate) const NOISE: &str =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";
/// Its sentences.
pub(crate) const NOISE_SENTENCES: usize = 5;

/// Writes line `index` of the noise.
pub(crate) fn write_noise(f: &mut Formatter<'_>, noise: Noise, index: usize) -> fmt::Result {
    match noise {
        Noise::Sentences => f.write_str(NOISE),
        Noise::Sentence => {
            let sentence = NOISE.split_inclusive('.').nth(index % NOISE_SENTENCES);
            f.write_str(sentence.unwrap_or_default().trim_start())
        }
    }
}

/// Writes essay sentences joined by spaces, with `insert(i)` before the sentence at
/// `positions[i]` (ascending). Parts are joined by a space even where they are empty: a needle
/// before the first sentence leaves a leading space, one after the last a trailing space.
pub(crate) fn write_essay(
    f: &mut Formatter<'_>,
    sentences: Sentences<'_>,
    positions: &[u32],
    insert: &mut dyn FnMut(&mut Formatter<'_>, usize) -> fmt::Result,
) -> fmt::Result {
    let mut done = 0;
    for (i, &at) in positions.iter().enumerate() {
        write_sentences(f, sentences, done..at as usize)?;
        f.write_str(" ")?;
        insert(f, i)?;
        f.write_str(" ")?;
        done = at as usize;
    }
    write_sentences(f, sentences, done..sentences.spans.len())
}

fn write_sentences(
    f: &mut Formatter<'_>,
    sentences: Sentences<'_>,
    range: core::ops::Range<usize>,
) -> fmt::Result {
    let first = range.start;
    for i in range {
        if i > first {
            f.write_str(" ")?;
        }
        f.write_str(sentences.get(i))?;
    }
    Ok(())
}

/// Writes `lines` lines joined by newlines, with `insert(i)` as a line before the line at
/// `positions[i]` (ascending; among equal positions in their order).
pub(crate) fn write_lines(
    f: &mut Formatter<'_>,
    lines: usize,
    positions: &[u32],
    line: &mut dyn FnMut(&mut Formatter<'_>, usize) -> fmt::Result,
    insert: &mut dyn FnMut(&mut Formatter<'_>, usize) -> fmt::Result,
) -> fmt::Result {
    let mut inserted = 0;
    for i in 0..=lines {
        while positions.get(inserted).is_some_and(|&at| at as usize == i) {
            if i + inserted > 0 {
                f.write_str("\n")?;
            }
            insert(f, inserted)?;
            inserted += 1;
        }
        if i < lines {
            if i + inserted > 0 {
                f.write_str("\n")?;
            }
            line(f, i)?;
        }
    }
    Ok(())
}
