//! Finding 3: extrapolation depends on the data format though the task is the same.

use std::collections::BTreeSet;

use longseq_core::statistics::{Estimate, difference, p_value};

use super::{
    super::{
        Mean,
        model::{AtDepth, Model},
    },
    Evidence, Finding, MARGIN, Unit, Verdict, adjust, training_lengths,
};
use crate::score::task_name::SINGLE_NEEDLES;

/// What a format's score drops by past the training length.
struct Drop {
    format: &'static str,
    estimate: Estimate,
    samples: usize,
}

/// Computes it.
pub fn finding(models: &[Model<'_>]) -> Finding {
    let (mut evidence, mut missing) = (Vec::new(), Vec::new());
    for model in models {
        match training_lengths(model) {
            Err(reason) => missing.push(reason),
            Ok(lengths @ [short, long]) => {
                let drops = drops(model, lengths);
                if drops.len() < 2 {
                    missing.push(format!(
                        "{}: fewer than two formats of one task at both {short} and {long} tokens",
                        model.name
                    ));
                }
                evidence.extend(pairs(model, lengths, &drops));
            }
        }
    }
    adjust(&mut evidence, |of| of.p.get_or_insert(1.0));
    for of in &mut evidence {
        let apart = of.p.is_some_and(|p| p < 0.05);
        let alike = of.estimate.low > -2.0 * MARGIN && of.estimate.high < 2.0 * MARGIN;
        of.verdict = Some(match (apart, alike) {
            (true, _) => Verdict::Supported,
            (false, true) => Verdict::NotSupported,
            (false, false) => Verdict::Undecided,
        });
    }
    let some = |verdict| evidence.iter().any(|of| of.verdict == Some(verdict));
    let verdict = if some(Verdict::Supported) {
        Verdict::Supported
    } else if evidence.is_empty() || some(Verdict::Undecided) {
        Verdict::Undecided
    } else {
        Verdict::NotSupported
    };
    Finding {
        id: "formats",
        claim: "Extrapolation depends on the data format though the task is the same",
        rule: "What one format's score drops by from the training length to twice it, less what \
               another's does, for one needle. Supported where any pair differs (p < 0.05 after \
               Holm's correction over all pairs and models), not supported where all intervals lie \
               within 10 points of 0.",
        verdict,
        evidence,
        missing,
    }
}

fn pairs(model: &Model<'_>, [short, long]: [usize; 2], drops: &[Drop]) -> Vec<Evidence> {
    let pairs =
        drops.iter().enumerate().flat_map(|(i, a)| drops[i + 1..].iter().map(move |b| (a, b)));
    pairs
        .map(|(a, b)| {
            let estimate = difference(a.estimate, b.estimate);
            Evidence {
                what: format!(
                    "{}, {short} to {long} tokens: {} less {}",
                    model.name, a.format, b.format
                ),
                estimate,
                unit: Unit::Points,
                samples: a.samples + b.samples,
                p: Some(p_value(estimate)),
                verdict: None,
            }
        })
        .collect()
}

/// The drop of each format, over the depths that it has at both lengths; else of the single-needle
/// tasks.
fn drops(model: &Model<'_>, [short, long]: [usize; 2]) -> Vec<Drop> {
    let (at, beyond) = (model.at_depths(short), model.at_depths(long));
    let formats: BTreeSet<&'static str> = at.iter().map(|(format, ..)| *format).collect();
    let by_format = formats.into_iter().filter_map(|format| {
        let shared = |cells: &[AtDepth<'_>], others: &[AtDepth<'_>]| {
            let has = |depth: u8| others.iter().any(|(f, d, _)| (*f, *d) == (format, depth));
            let of = cells.iter().filter(|(f, d, _)| *f == format && has(*d));
            Mean::of(&of.map(|(.., cell)| *cell).collect::<Vec<_>>())
        };
        let samples = [&at, &beyond].into_iter().flatten().filter(|(f, ..)| *f == format);
        let samples = samples.map(|(.., cell)| cell.scored).sum();
        Some(drop(format, shared(&at, &beyond)?, shared(&beyond, &at)?, samples))
    });
    let by_format: Vec<Drop> = by_format.collect();
    if by_format.len() > 1 {
        return by_format;
    }
    let single = |&name: &&'static str| {
        let of = |length| {
            model.tasks(length).into_iter().find(|cell| cell.task == name && cell.scored > 0)
        };
        let (short, long) = (of(short)?, of(long)?);
        let samples = short.scored + long.scored;
        Some(drop(name, Mean::of(&[short])?, Mean::of(&[long])?, samples))
    };
    SINGLE_NEEDLES.iter().filter_map(single).collect()
}

fn drop(format: &'static str, short: Mean, long: Mean, samples: usize) -> Drop {
    let estimate = difference(short.estimate, long.estimate);
    Drop { format, estimate, samples }
}
