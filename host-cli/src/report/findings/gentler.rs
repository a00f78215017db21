//! Finding 1, its second half: attention falls to about zero, recurrences decay more gently.

use longseq_core::{
    hybrid::config::Kind,
    statistics::{Estimate, extrapolation::extrapolation_ratio},
};

use super::{super::model::Model, Evidence, Finding, Unit, Verdict, drop::AtBoth};

/// Computes it.
pub fn finding(models: &[Model<'_>]) -> Finding {
    let (mut evidence, mut missing) = (Vec::new(), Vec::new());
    let mut ratios: Vec<(Kind, Estimate)> = Vec::new();
    for model in models {
        let of = match AtBoth::of(model) {
            Ok(of) => of,
            Err(reason) => {
                missing.push(reason);
                continue;
            }
        };
        let [at, beyond] = of.means;
        let Some(ratio) = extrapolation_ratio(beyond.estimate, at.estimate) else {
            missing.push(format!("{}: finds nothing at {} tokens", model.name, of.lengths[0]));
            continue;
        };
        ratios.extend(model.kind.map(|kind| (kind, ratio)));
        let kind = model.kind.map_or("kind not known", Kind::name);
        evidence.push(Evidence {
            what: format!(
                "{} ({kind}), {} over {} tokens",
                model.name, of.lengths[1], of.lengths[0]
            ),
            estimate: ratio,
            unit: Unit::Ratio,
            samples: of.samples,
            p: None,
            verdict: None,
        });
    }
    Finding {
        id: "gentler",
        claim: "Past it, pure attention loses more of its score than recurrences and hybrids do",
        rule: "Extrapolation ratio: mean score at twice the training length over that at the \
               training length. Supported where the interval of every attention model ends below \
               that of every other model begins, not supported where one of attention lies above \
               one of another kind.",
        verdict: verdict(&ratios),
        evidence,
        missing,
    }
}

fn verdict(ratios: &[(Kind, Estimate)]) -> Verdict {
    let (attention, others): (Vec<_>, Vec<_>) =
        ratios.iter().partition(|(kind, _)| *kind == Kind::Attention);
    let pairs = attention.iter().flat_map(|(_, a)| others.iter().map(move |(_, b)| (a, b)));
    Verdict::of_all(pairs.map(|(attention, other)| {
        if attention.high < other.low {
            Verdict::Supported
        } else if attention.low > other.high {
            Verdict::NotSupported
        } else {
            Verdict::Undecided
        }
    }))
}
