//! Several sequences in one call: their tokens side by side, nothing padded.

use core::fmt;
use core::ops::Range;

/// A ragged batch: sequence i is `tokens[cu_seqlens[i]..cu_seqlens[i + 1]]` and continues slot `slots[i]`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'b> {
    tokens: &'b [u32],
    cu_seqlens: &'b [usize],
    slots: &'b [usize],
    logits_for: &'b [usize],
}

/// Why a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// `cu_seqlens` must have one entry more than `slots`.
    Sequences {
        /// Entries of `cu_seqlens`.
        boundaries: usize,
        /// Entries of `slots`.
        slots: usize,
    },
    /// `cu_seqlens` must rise from 0 to the number of tokens, by at least 1 a sequence.
    Boundaries {
        /// The entry that does not.
        index: usize,
    },
    /// A slot is named twice.
    RepeatedSlot {
        /// The slot.
        slot: usize,
    },
    /// `logits_for` must rise and stay below the number of tokens.
    LogitsFor {
        /// The entry that does not.
        index: usize,
    },
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequences { boundaries, slots } => {
                write!(f, "batch: {boundaries} sequence boundaries for {slots} slots")
            }
            Self::Boundaries { index } => {
                write!(
                    f,
                    "batch: sequence boundary {index} does not rise from 0 to the token count"
                )
            }
            Self::RepeatedSlot { slot } => write!(f, "batch: slot {slot} is named twice"),
            Self::LogitsFor { index } => {
                write!(f, "batch: logits row {index} does not rise below the token count")
            }
        }
    }
}

impl core::error::Error for BatchError {}

impl<'b> Batch<'b> {
    /// Packs sequences. `logits_for` lists, in rising order, the rows of `tokens` whose logits are wanted.
    ///
    /// # Errors
    /// Whatever makes the four lists inconsistent.
    pub fn new(
        tokens: &'b [u32],
        cu_seqlens: &'b [usize],
        slots: &'b [usize],
        logits_for: &'b [usize],
    ) -> Result<Self, BatchError> {
        if cu_seqlens.len() != slots.len() + 1 {
            let (boundaries, slots) = (cu_seqlens.len(), slots.len());
            return Err(BatchError::Sequences { boundaries, slots });
        }
        let rises = |(index, pair): (usize, &[usize])| (pair[0] >= pair[1]).then_some(index + 1);
        let fault = (cu_seqlens[0] != 0).then_some(0);
        let fault = fault.or_else(|| cu_seqlens.windows(2).enumerate().find_map(rises));
        let short = (cu_seqlens[slots.len()] != tokens.len()).then_some(slots.len());
        if let Some(index) = fault.or(short) {
            return Err(BatchError::Boundaries { index });
        }
        for (index, &slot) in slots.iter().enumerate() {
            if slots[..index].contains(&slot) {
                return Err(BatchError::RepeatedSlot { slot });
            }
        }
        let outside = logits_for.iter().position(|&row| row >= tokens.len());
        let fault = outside.or_else(|| logits_for.windows(2).enumerate().find_map(rises));
        if let Some(index) = fault {
            return Err(BatchError::LogitsFor { index });
        }
        Ok(Self { tokens, cu_seqlens, slots, logits_for })
    }

    /// Every token, sequence after sequence.
    pub const fn tokens(&self) -> &'b [u32] {
        self.tokens
    }

    /// The slot of every sequence, no two alike.
    pub const fn slots(&self) -> &'b [usize] {
        self.slots
    }

    /// The rows of [`Self::tokens`] whose logits are wanted, rising.
    pub const fn logits_for(&self) -> &'b [usize] {
        self.logits_for
    }

    /// Where every sequence begins, and the end of the last.
    pub const fn cu_seqlens(&self) -> &'b [usize] {
        self.cu_seqlens
    }

    /// The sequences, given how many tokens each slot already holds.
    pub const fn sequences(&self, positions: &'b [usize]) -> Sequences<'b> {
        Sequences { cu_seqlens: self.cu_seqlens, slots: self.slots, positions }
    }
}

/// Where the sequences of a batch lie and where they continue: what an operation with state needs.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'b> {
    cu_seqlens: &'b [usize],
    slots: &'b [usize],
    positions: &'b [usize],
}

/// One sequence of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Its rows in the batch.
    pub rows: Range<usize>,
    /// Its slot.
    pub slot: usize,
    /// Position of its first row, counted from the slot's last reset.
    pub position: usize,
}

impl<'b> Sequences<'b> {
    /// Tokens in the batch.
    pub fn rows(&self) -> usize {
        self.cu_seqlens.last().copied().unwrap_or(0)
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Sequence> + Clone + use<'b> {
        let Self { cu_seqlens, slots, positions } = *self;
        cu_seqlens.windows(2).zip(slots).map(|(pair, &slot)| Sequence {
            rows: pair[0]..pair[1],
            slot,
            position: positions.get(slot).copied().unwrap_or(0),
        })
    }
}
