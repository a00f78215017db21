//! Finding 1: every model drops once the length passes its training length.

use longseq_core::statistics::{Estimate, difference};

use super::{
    super::{Mean, model::Model},
    Evidence, Finding, MARGIN, Unit, Verdict, training_lengths,
};
use crate::score::task_name::TaskName;

/// Scores at the training length and at twice it, over the tasks that have both.
pub struct AtBoth {
    /// The lengths.
    pub lengths: [usize; 2],
    /// The mean scores.
    pub means: [Mean; 2],
    /// Samples behind them.
    pub samples: usize,
}

impl AtBoth {
    /// Those of a model; else what is missing.
    pub fn of(model: &Model<'_>) -> Result<Self, String> {
        let lengths = training_lengths(model)?;
        let [short, long] = lengths;
        let shared: Vec<TaskName> = model
            .tasks(short)
            .iter()
            .map(|cell| cell.name)
            .filter(|&name| lengths.iter().all(|&length| model.cell(length, name).is_some()))
            .collect();
        let mean = |length| model.mean_over(&shared, length);
        let (Some(at), Some(beyond)) = (mean(short), mean(long)) else {
            return Err(format!(
                "{}: no task has scores at both {short} and {long} tokens",
                model.name
            ));
        };
        let cells = lengths.iter().flat_map(|&at| shared.iter().map(move |&name| (at, name)));
        let samples = cells.filter_map(|(at, name)| Some(model.cell(at, name)?.scored)).sum();
        Ok(Self { lengths, means: [at, beyond], samples })
    }

    fn drop(&self) -> Estimate {
        let [at, beyond] = self.means;
        difference(at.estimate, beyond.estimate)
    }
}

/// Computes it.
pub fn finding(models: &[Model<'_>]) -> Finding {
    let (mut evidence, mut missing) = (Vec::new(), Vec::new());
    for model in models {
        match AtBoth::of(model) {
            Err(reason) => missing.push(reason),
            Ok(of) => {
                let [short, long] = of.lengths;
                // A model that finds nothing at its training length has nothing to lose.
                let can_drop = of.means[0].estimate.high > 2.0 * MARGIN;
                if !can_drop {
                    missing.push(format!("{}: finds nothing at {short} tokens", model.name));
                }
                let drop = of.drop();
                evidence.push(Evidence {
                    what: format!("{}, {short} to {long} tokens", model.name),
                    estimate: drop,
                    unit: Unit::Points,
                    samples: of.samples,
                    p: None,
                    verdict: Some(match can_drop {
                        true => Verdict::of_positive(drop),
                        false => Verdict::Undecided,
                    }),
                });
            }
        }
    }
    Finding {
        id: "drop",
        claim: "Every model drops once the length passes its training length",
        rule: "Mean score over RULER's tasks at the training length less that at twice it. \
               Supported where the interval lies above 0 for every model, not supported where it \
               ends below 5 points for any.",
        verdict: Verdict::of_all(evidence.iter().filter_map(|of| of.verdict)),
        evidence,
        missing,
    }
}
