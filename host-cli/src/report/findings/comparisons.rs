//! Two models on the same samples.

use longseq_core::statistics::{
    Estimate,
    bootstrap::{self, RESAMPLES},
    difference, p_value, sign_flip,
};

use super::{
    super::data::SEED,
    super::{
        Mean,
        model::Model,
        run::{Cell, SampleScore},
    },
    adjust,
};
use crate::score::task_name::TaskName;

/// How much better one model is than another at a length.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Places of the two among the models.
    pub models: [usize; 2],
    /// Their names.
    pub names: [String; 2],
    /// Tokens.
    pub length: usize,
    /// Tasks that both have.
    pub tasks: usize,
    /// Samples of each.
    pub samples: usize,
    /// The first's mean score over the tasks less the second's.
    pub difference: Estimate,
    /// p-value of "no difference"; in [`super::Findings`] Holm-adjusted over all pairs and lengths.
    pub p: f64,
    /// Whether both answered the same prompts, so that samples were compared one by one.
    pub paired: bool,
}

/// All pairs at all lengths that they share, with p-values not yet adjusted.
pub fn comparisons(models: &[Model<'_>]) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for a in 0..models.len() {
        for b in a + 1..models.len() {
            for length in models[a].lengths().intersection(&models[b].lengths()) {
                comparisons.extend(compare(models, [a, b], *length));
            }
        }
    }
    comparisons
}

/// With Holm's correction over all of them.
pub fn adjusted(mut comparisons: Vec<Comparison>) -> Vec<Comparison> {
    adjust(&mut comparisons, |of| &mut of.p);
    comparisons
}

fn compare(models: &[Model<'_>], pair: [usize; 2], length: usize) -> Option<Comparison> {
    let [a, b] = pair.map(|place| &models[place]);
    let names: Vec<TaskName> = a
        .tasks(length)
        .iter()
        .map(|cell| cell.name)
        .filter(|&name| [a, b].iter().all(|model| model.cell(length, name).is_some()))
        .collect();
    let [of_a, of_b]: [Vec<&Cell>; 2] =
        [a, b].map(|model| names.iter().filter_map(|&name| model.cell(length, name)).collect());
    let strata: Option<Vec<Vec<f64>>> =
        of_a.iter().zip(&of_b).map(|(a, b)| differences(&a.samples, &b.samples)).collect();
    let (difference, p, samples, paired) = match strata {
        Some(strata) => {
            let slices: Vec<&[f64]> = strata.iter().map(Vec::as_slice).collect();
            let estimate = bootstrap::mean(&slices, &mut [0.0; RESAMPLES], SEED)?;
            let samples = strata.iter().map(Vec::len).sum();
            (estimate, sign_flip::p_value(&slices, SEED)?, samples, true)
        }
        // Prompts that depend on the tokenizer are not the same for both.
        None => {
            let estimate = difference(Mean::of(&of_a)?.estimate, Mean::of(&of_b)?.estimate);
            let samples = |cells: &[&Cell]| cells.iter().map(|cell| cell.scored).sum::<usize>();
            (estimate, p_value(estimate), samples(&of_a).min(samples(&of_b)), false)
        }
    };
    Some(Comparison {
        models: pair,
        names: [a.name.clone(), b.name.clone()],
        length,
        tasks: names.len(),
        samples,
        difference,
        p,
        paired,
    })
}

/// Differences of the samples that both have; `None` where there are none, or prompts differ.
fn differences(a: &[SampleScore], b: &[SampleScore]) -> Option<Vec<f64>> {
    // Both are in the order of their numbers.
    let mut others = b.iter().peekable();
    let mut differences = Vec::new();
    for sample in a {
        let number = sample.number?;
        while others.peek().is_some_and(|other| other.number < Some(number)) {
            others.next();
        }
        if let Some(other) = others.peek().filter(|other| other.number == Some(number)) {
            if other.prompt != sample.prompt {
                return None;
            }
            differences.push(sample.score - other.score);
        }
    }
    (!differences.is_empty()).then_some(differences)
}
