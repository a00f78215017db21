//! The paper's findings, computed: does each hold for these runs, and on which numbers does that rest?

mod comparisons;
mod data;
mod drop;
mod effective;
mod formats;
mod gentler;
mod hybrids;
mod middle;
mod show;

use std::fmt;

use longseq_core::statistics::{Estimate, holm};

pub use comparisons::{Comparison, comparisons};
pub use data::json;
pub use effective::{Effective, RELATIVE_SHARE};
pub use show::{effective_table, findings_lines, findings_table, pairs_table};

use super::model::Model;

/// An effect smaller than this does not count: 5 percentage points.
pub const MARGIN: f64 = 0.05;

/// What the numbers say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They bear it out.
    Supported,
    /// They speak against it.
    NotSupported,
    /// At this n they allow both.
    Undecided,
}

impl Verdict {
    /// Of "this quantity is above 0": supported if the interval is, not if it ends below [`MARGIN`].
    fn of_positive(of: Estimate) -> Self {
        if of.low > 0.0 {
            Self::Supported
        } else if of.high < MARGIN {
            Self::NotSupported
        } else {
            Self::Undecided
        }
    }

    /// Of a claim about every one of several: as the weakest of them; undecided without any.
    fn of_all(verdicts: impl Iterator<Item = Self>) -> Self {
        let verdicts: Vec<Self> = verdicts.collect();
        if verdicts.contains(&Self::NotSupported) {
            Self::NotSupported
        } else if verdicts.is_empty() || verdicts.contains(&Self::Undecided) {
            Self::Undecided
        } else {
            Self::Supported
        }
    }
}

impl Verdict {
    /// In one word, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSupported => "not-supported",
            Self::Undecided => "undecided",
        }
    }

    /// As one character.
    pub fn sign(self) -> char {
        match self {
            Self::Supported => '✓',
            Self::NotSupported => '✗',
            Self::Undecided => '?',
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Supported => "supported",
            Self::NotSupported => "not supported",
            Self::Undecided => "undecided at this n",
        })
    }
}

/// What a quantity is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Differences of scores, shown in percentage points.
    Points,
    /// Ratios of scores.
    Ratio,
}

/// A number that a verdict rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What was measured: models, lengths, formats.
    pub what: String,
    /// The quantity with its interval.
    pub estimate: Estimate,
    /// What it is measured in.
    pub unit: Unit,
    /// Samples behind it.
    pub samples: usize,
    /// Holm-adjusted p-value of "no difference", where pairs are tested.
    pub p: Option<f64>,
    /// What this number says alone; `None` where it is shown for comparison only.
    pub verdict: Option<Verdict>,
}

/// A claim of the paper, and what the runs say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// A short name, for programs.
    pub id: &'static str,
    /// The claim.
    pub claim: &'static str,
    /// What the quantity is, and when the claim counts as supported.
    pub rule: &'static str,
    /// What the runs say.
    pub verdict: Verdict,
    /// The numbers.
    pub evidence: Vec<Evidence>,
    /// What the runs do not have that the claim needs.
    pub missing: Vec<String>,
}

/// Everything that is computed of several models together.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The paper's findings, in its order.
    pub findings: Vec<Finding>,
    /// How long each model works.
    pub effective: Vec<Effective>,
    /// All pairs of models at all lengths that they share.
    pub comparisons: Vec<Comparison>,
}

impl Findings {
    /// Computes all of it.
    pub fn new(models: &[Model<'_>]) -> Self {
        let pairs = comparisons(models);
        Self {
            findings: vec![
                drop::finding(models),
                gentler::finding(models),
                middle::finding(models),
                formats::finding(models),
                hybrids::finding(models, &pairs),
            ],
            effective: models.iter().map(effective::of).collect(),
            comparisons: comparisons::adjusted(pairs),
        }
    }

    /// The findings that rest on any number.
    pub fn with_evidence(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.evidence.is_empty())
    }
}

/// Sets Holm's adjusted p-values.
fn adjust<T>(items: &mut [T], p: impl Fn(&mut T) -> &mut f64) {
    let raw: Vec<f64> = items.iter_mut().map(|item| *p(item)).collect();
    let mut adjusted = vec![1.0; raw.len()];
    holm::adjust(&raw, &mut adjusted);
    items.iter_mut().zip(adjusted).for_each(|(item, adjusted)| *p(item) = adjusted);
}

/// A model's training length and the double of it; else why they are not known.
fn training_lengths(model: &Model<'_>) -> Result<[usize; 2], String> {
    let length = model.training_length.ok_or_else(|| {
        format!("{}: its training length is not known (--training-length says it)", model.name)
    })?;
    Ok([length, length.saturating_mul(2)])
}
