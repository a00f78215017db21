//! How large everything in a prompt is: RULER's own sizes, the fork's, and those of profile `mini`.
//!
//! A profile's generator reads its sizes here and nowhere else. RULER's sizes do not fit a few
//! hundred tokens: `vt` begins with an example of 500, an essay has 500 words at least. Profile
//! `mini` scales each of them down so that every task fits 256 tokens of a byte-level BPE of some
//! thousand entries. What each size is and why: docs/ruler.md §12.

use super::needle::Kind;

/// Lengths from which [`ByLength::long`] holds, in tokens.
const LONG: usize = 4096;

/// A size that depends on the length asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByLength<T> {
    /// Below 4,096 tokens.
    pub short: T,
    /// From there on.
    pub long: T,
}

impl<T: Copy> ByLength<T> {
    const fn always(size: T) -> Self {
        Self { short: size, long: size }
    }

    pub(crate) fn at(&self, max_seq_length: usize) -> T {
        if max_seq_length < LONG { self.short } else { self.long }
    }
}

/// By how much haystacks grow and shrink while they are fitted to a length; each is the smallest
/// haystack too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Words of an essay around needles.
    pub essay: usize,
    /// Lines of noise or of needles around needles.
    pub lines: ByLength<usize>,
    /// Words of an essay around the statements of `vt`.
    pub tracking_essay: usize,
    /// Lines of noise around the statements of `vt`.
    pub tracking_lines: ByLength<usize>,
    /// Words of a list (`cwe`).
    pub words: usize,
    /// Documents (`qa`).
    pub documents: usize,
}

/// The haystack of the search's first prompt, which says what a word, a line or a document takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Of `cwe`, in words.
    pub words: usize,
    /// Of the other tasks, in words, lines or documents; `None` is one step.
    pub other: Option<usize>,
}

/// A line of the noise haystack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// All five sentences.
    Sentences,
    /// One of the five, in turn.
    Sentence,
}

/// A document of `qa`, which the corpus holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Document {
    /// A paragraph (SQuAD), or a title with its paragraph (HotpotQA). RULER's.
    #[default]
    Paragraph,
    /// One sentence of it: of a question's own documents the one that holds the answer (SQuAD) or
    /// a supporting fact (HotpotQA).
    Sentence,
}

/// Needles of the `niah` tasks with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needles {
    /// Keys of `niah_multikey_1`.
    pub keys: usize,
    /// Values of the key of `niah_multivalue`.
    pub values: usize,
    /// Keys asked for in `niah_multiquery`.
    pub queries: usize,
    /// What stands where a task says UUID.
    pub uuids: Kind,
}

/// Variable tracking (`vt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// Statements of the chain: the first assignment and the hops after it; at most 5.
    pub statements: usize,
    /// The worked example.
    pub example: Option<TrackingExample>,
}

/// The worked example of `vt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackingExample {
    /// Its tokens, at most.
    pub tokens: usize,
    /// Its smallest haystack in words of an essay.
    pub essay: usize,
    /// Its smallest haystack in lines of noise.
    pub lines: usize,
}

/// How often words appear in a list of `cwe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// The common ones.
    pub common: usize,
    /// The others.
    pub other: usize,
}

/// Common words (`cwe`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// Common words of a list.
    pub words: usize,
    /// How often words appear in the list.
    pub list: ByLength<Repeats>,
    /// The worked example: words of its list, and how often they appear.
    pub example: Option<ByLength<(usize, Repeats)>>,
}

/// Frequent words (`fwe`). The text grows from a sixth of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frequent {
    /// Tokens of the budget for each coded word of the vocabulary.
    pub tokens_per_word: usize,
    /// Parts of the budget, one of which is a step.
    pub steps: usize,
    /// Whether a text must tell its three most frequent words: each is in it, and the next word
    /// is less frequent than they are.
    pub told: bool,
}

/// Tokens that an answer may take; the length budget counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Of `niah`.
    pub needle: usize,
    /// Of `vt`.
    pub tracking: usize,
    /// Of `cwe`.
    pub common: usize,
    /// Of `fwe`.
    pub frequent: usize,
    /// Of `qa`.
    pub question: usize,
}

/// All sizes of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Growth of haystacks.
    pub steps: Steps,
    /// The search's first prompt, where the search bisects.
    pub probe: Probe,
    /// A line of noise.
    pub noise: Noise,
    /// Several needles.
    pub needles: Needles,
    /// `vt`.
    pub tracking: Tracking,
    /// `cwe`.
    pub common: Common,
    /// `fwe`.
    pub frequent: Frequent,
    /// `qa`.
    pub document: Document,
    /// Answers.
    pub answers: Answers,
}

/// NVIDIA/RULER's (`synthetic.yaml`, `constants.py` and the generators' literals).
pub const RULER: Sizes = Sizes {
    steps: Steps {
        essay: 500,
        lines: ByLength { short: 5, long: 25 },
        tracking_essay: 500,
        tracking_lines: ByLength { short: 5, long: 10 },
        words: 10,
        documents: 10,
    },
    probe: Probe { words: 4096, other: None },
    noise: Noise::Sentences,
    needles: Needles { keys: 4, values: 4, queries: 4, uuids: Kind::Uuids },
    tracking: Tracking {
        statements: 5,
        example: Some(TrackingExample { tokens: 500, essay: 50, lines: 5 }),
    },
    common: Common {
        words: 10,
        list: ByLength {
            short: Repeats { common: 6, other: 1 },
            long: Repeats { common: 30, other: 3 },
        },
        example: Some(ByLength {
            short: (20, Repeats { common: 3, other: 1 }),
            long: (40, Repeats { common: 10, other: 3 }),
        }),
    },
    frequent: Frequent { tokens_per_word: 50, steps: 32, told: false },
    document: Document::Paragraph,
    answers: Answers { needle: 128, tracking: 30, common: 120, frequent: 50, question: 32 },
};

/// The fork's: RULER's with other steps.
pub const HUANG2025: Sizes = Sizes {
    steps: Steps {
        essay: 50,
        tracking_essay: 1,
        tracking_lines: ByLength::always(1),
        words: 1,
        documents: 1,
        ..RULER.steps
    },
    ..RULER
};

/// This project's own, for lengths from 256 tokens.
pub const MINI: Sizes = Sizes {
    steps: Steps {
        essay: 1,
        lines: ByLength::always(1),
        tracking_essay: 1,
        tracking_lines: ByLength::always(1),
        words: 1,
        documents: 1,
    },
    // One word or line would be lost beside the task's text.
    probe: Probe { words: 64, other: Some(64) },
    noise: Noise::Sentence,
    needles: Needles { keys: 3, values: 3, queries: 2, uuids: Kind::ShortUuids },
    tracking: Tracking { statements: 3, example: None },
    common: Common {
        words: 3,
        list: ByLength::always(Repeats { common: 4, other: 1 }),
        example: None,
    },
    frequent: Frequent { tokens_per_word: 50, steps: 128, told: true },
    document: Document::Sentence,
    answers: Answers { needle: 32, tracking: 24, common: 32, frequent: 24, question: 24 },
};
