//! How long each model works.

use longseq_core::statistics::effective_length::{
    RULER_THRESHOLD, effective_length, relative_effective_length,
};

use super::super::model::Model;

/// Share of the score at the training length (else the shortest) that a model must keep.
pub const RELATIVE_SHARE: f64 = 0.8;

/// Up to which length a model works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Name of the model.
    pub model: String,
    /// Tokens of its training sequences, where known.
    pub training_length: Option<usize>,
    /// The longest length with RULER's threshold, 85.6 %; `None` where none has.
    pub absolute: Option<usize>,
    /// The longest length with [`RELATIVE_SHARE`] of the score at `origin`.
    pub relative: Option<usize>,
    /// The training length if it was run, else the shortest.
    pub origin: Option<usize>,
    /// The longest length that was run.
    pub longest: Option<usize>,
}

/// That of a model, by the means over RULER's tasks.
pub fn of(model: &Model<'_>) -> Effective {
    let lengths = model.lengths();
    let scores: Vec<(usize, f64)> = lengths
        .iter()
        .filter_map(|&length| Some((length, model.mean(length)?.estimate.mean)))
        .collect();
    let trained = model.training_length.filter(|length| lengths.contains(length));
    let origin = trained.or(lengths.first().copied());
    let relative = |origin| relative_effective_length(&scores, origin, RELATIVE_SHARE);
    Effective {
        model: model.name.clone(),
        training_length: model.training_length,
        absolute: effective_length(&scores, RULER_THRESHOLD),
        relative: origin.and_then(relative),
        origin,
        longest: lengths.last().copied(),
    }
}
