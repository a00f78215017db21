//! Finding 4: hybrids are not consistently better or worse than pure recurrences.

use longseq_core::hybrid::config::Kind;

use super::{
    super::model::Model, Comparison, Evidence, Finding, Unit, Verdict, comparisons::adjusted,
};

/// Computes it from the comparisons of all pairs, their p-values not yet adjusted.
pub fn finding(models: &[Model<'_>], pairs: &[Comparison]) -> Finding {
    let of_kinds = pairs.iter().filter_map(|pair| {
        let [a, b] = pair.models.map(|place| models[place].kind);
        match (a?, b?) {
            (Kind::Hybrid, Kind::Recurrence) => Some(pair.clone()),
            (Kind::Recurrence, Kind::Hybrid) => Some(turned(pair)),
            _ => None,
        }
    });
    let pairs = adjusted(of_kinds.collect());
    let better = pairs.iter().filter(|pair| pair.p < 0.05 && pair.difference.mean > 0.0).count();
    let worse = pairs.iter().filter(|pair| pair.p < 0.05 && pair.difference.mean < 0.0).count();
    let verdict = if better > 0 && worse > 0 {
        Verdict::Supported
    } else if !pairs.is_empty() && better.max(worse) == pairs.len() {
        Verdict::NotSupported
    } else {
        Verdict::Undecided
    };
    let mut missing = Vec::new();
    for kind in [Kind::Hybrid, Kind::Recurrence] {
        if !models.iter().any(|model| model.kind == Some(kind)) {
            missing.push(format!("no model of kind {}", kind.name()));
        }
    }
    Finding {
        id: "hybrids",
        claim: "Hybrids are not consistently better or worse than pure recurrences",
        rule: "A hybrid's mean score less that of a pure recurrence on the same samples, for each \
               pair at each length (p by random signs, after Holm's correction). Supported where \
               some pairs differ in one direction and some in the other, not supported where all \
               differ in the same.",
        verdict,
        evidence: pairs.iter().map(evidence).collect(),
        missing,
    }
}

fn evidence(pair: &Comparison) -> Evidence {
    let [hybrid, recurrence] = &pair.names;
    let unpaired = if pair.paired { "" } else { ", other prompts" };
    Evidence {
        what: format!("{hybrid} less {recurrence}, {} tokens{unpaired}", pair.length),
        estimate: pair.difference,
        unit: Unit::Points,
        samples: pair.samples,
        p: Some(pair.p),
        verdict: None,
    }
}

/// The same with the models the other way round.
fn turned(pair: &Comparison) -> Comparison {
    let ([a, b], [first, second]) = (pair.models, pair.names.clone());
    let mut turned = Comparison { models: [b, a], names: [second, first], ..pair.clone() };
    let of = pair.difference;
    turned.difference.mean = -of.mean;
    (turned.difference.low, turned.difference.high) = (-of.high, -of.low);
    turned
}
