//! Up to which length a model works.

/// RULER's threshold: the score of Llama2-7B at 4,096 tokens (Hsieh et al., *RULER: what's the real
/// context size of your long-context language models?*, 2024).
pub const RULER_THRESHOLD: f64 = 0.856;

/// The longest of `(length, score)` whose score is at least `threshold`; `None` where none is.
pub fn effective_length(scores: &[(usize, f64)], threshold: f64) -> Option<usize> {
    let passing = scores.iter().filter(|(_, score)| *score >= threshold);
    passing.map(|(length, _)| *length).max()
}

/// [`effective_length`] with the threshold at `share` of the score at `origin`, the training length
/// or the shortest; `None` where there is no score at `origin`, or it is 0.
pub fn relative_effective_length(
    scores: &[(usize, f64)],
    origin: usize,
    share: f64,
) -> Option<usize> {
    let (_, score) = scores.iter().find(|(length, _)| *length == origin)?;
    if *score <= 0.0 { None } else { effective_length(scores, share * score) }
}
