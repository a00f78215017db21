//! Finding 2: within the training length, the middle of the context is worst.

use longseq_core::statistics::{
    Estimate,
    middle_loss::{MIDDLE, is_end, middle_loss},
};

use super::{super::model::Model, Evidence, Finding, Unit, Verdict, training_lengths};

/// Computes it.
pub fn finding(models: &[Model<'_>]) -> Finding {
    let (mut evidence, mut missing) = (Vec::new(), Vec::new());
    for model in models {
        let [short, long] = match training_lengths(model) {
            Ok(lengths) => lengths,
            Err(reason) => {
                missing.push(reason);
                continue;
            }
        };
        for (length, counts) in [(short, true), (long, false)] {
            match loss(model, length) {
                Some((loss, samples)) => evidence.push(Evidence {
                    what: format!("{}, {length} tokens", model.name),
                    estimate: loss,
                    unit: Unit::Points,
                    samples,
                    p: None,
                    verdict: counts.then(|| Verdict::of_positive(loss)),
                }),
                None if counts => missing.push(format!(
                    "{}: no needles at both ends and the middle of {length} tokens",
                    model.name
                )),
                None => {}
            }
        }
    }
    Finding {
        id: "middle",
        claim: "Within the training length, the middle of the context is worst",
        rule: "Mean score of needles at depths 0 and 100 % less that at depths 30 to 70 %, of the \
               means over the formats, at the training length. Supported where the interval lies \
               above 0 for every model, not supported where it ends below 5 points for any. At \
               twice the training length the paper finds no consistent pattern; those rows count \
               for nothing.",
        verdict: Verdict::of_all(evidence.iter().filter_map(|of| of.verdict)),
        evidence,
        missing,
    }
}

/// The loss in the middle with the samples behind it.
fn loss(model: &Model<'_>, length: usize) -> Option<(Estimate, usize)> {
    let cells = model.at_depths(length);
    let counts = |depth: u8| is_end(depth) || MIDDLE.contains(&depth);
    let mut depths: Vec<u8> =
        cells.iter().map(|(_, depth, _)| *depth).filter(|d| counts(*d)).collect();
    depths.sort_unstable();
    depths.dedup();
    let mean = |depth: &u8| Some(model.depth_mean(length, *depth)?.estimate);
    let (ends, middle): (Vec<u8>, Vec<u8>) = depths.iter().partition(|depth| is_end(**depth));
    let estimates = |depths: &[u8]| depths.iter().filter_map(mean).collect::<Vec<_>>();
    let samples =
        cells.iter().filter(|(_, depth, _)| counts(*depth)).map(|(_, _, cell)| cell.scored);
    // One end alone says nothing of both.
    let both = ends.len() == 2;
    let loss = middle_loss(&estimates(&ends), &estimates(&middle)).filter(|_| both)?;
    Some((loss, samples.sum()))
}
