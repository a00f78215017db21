//! From decisions to sentences, for any number of prefixes of one text.

use longseq_core::ruler::is_space;

use super::{
    Span,
    candidates::{Candidate, Candidates},
    decision::has_sentence_end,
};

/// Sentences of the prefixes of one text. What one call learns of the text the next call uses,
/// so a prefix costs little more than writing down its sentences.
#[derive(Clone, Debug, Default)]
pub struct Prefixes {
    candidates: Candidates,
    /// Candidates judged so far: all but the last known one.
    judged: usize,
    /// Those of them, by index, that end a sentence.
    ends: Vec<usize>,
}

impl Prefixes {
    /// Writes the sentences of `text[..end]` to `spans`.
    ///
    /// `text` is the same on every call and shorter than 4 GiB; `end` is its end or is followed
    /// by white space.
    pub fn split(&mut self, text: &str, end: usize, spans: &mut Vec<Span>) {
        let candidates = self.candidates.before(text, end);
        // The prefix may end before the words that make its last characters candidates.
        let count = candidates.partition_point(|candidate| candidate.context_end as usize <= end);
        let candidates = &candidates[..count];
        for (index, pair) in candidates.windows(2).enumerate().skip(self.judged) {
            // A candidate inside the word of the next one is left to that one to decide.
            if pair[1].word >= pair[0].at && ends_sentence(text, &pair[0]) {
                self.ends.push(index);
            }
            self.judged = index + 1;
        }
        let settled = self.ends.partition_point(|&index| index + 1 < count);
        let last = candidates.last().filter(|candidate| ends_sentence(text, candidate));
        let ends = self.ends[..settled].iter().map(|&index| &candidates[index]).chain(last);
        realign(text, text[..end].trim_end_matches(is_space).len(), ends, spans);
    }
}

fn ends_sentence(text: &str, candidate: &Candidate) -> bool {
    has_sentence_end(&text[candidate.word as usize..candidate.context_end as usize])
}

/// Cuts at the candidates; closing punctuation after a cut goes to the sentence before it.
fn realign<'a>(
    text: &str,
    end: usize,
    ends: impl Iterator<Item = &'a Candidate>,
    spans: &mut Vec<Span>,
) {
    spans.clear();
    let mut ends = ends.map(|candidate| (candidate.at as usize + 1, candidate.next as usize));
    let mut start = 0;
    let mut cut = ends.next();
    while let Some((stop, next)) = cut {
        cut = ends.next();
        let next_stop = cut.map_or(end, |(stop, _)| stop);
        match closing(&text[next..next_stop.max(next)]) {
            Some((closed, skipped)) => {
                spans.push((start as u32, (next + closed) as u32));
                start = next + skipped;
            }
            None => {
                push(spans, start, stop);
                start = next;
            }
        }
    }
    push(spans, start, end);
}

fn push(spans: &mut Vec<Span>, start: usize, stop: usize) {
    if start < stop {
        spans.push((start as u32, stop as u32));
    }
}

/// Bytes of the closing punctuation that starts a sentence, without and with the white space
/// after it. It counts only before white space, a dash or an end of line.
fn closing(sentence: &str) -> Option<(usize, usize)> {
    let is_closing = |c: char| matches!(c, '"' | '\'' | ')' | ']' | '}');
    let closed = sentence.find(|c| !is_closing(c)).unwrap_or(sentence.len());
    let rest = &sentence[closed..];
    let spaces = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
    let counts = closed > 0 && (rest.is_empty() || spaces > 0 || rest.starts_with("--"));
    counts.then_some((closed, closed + spaces))
}
