//! Findings to compute with.

use longseq_core::statistics::Estimate;
use serde_json::{Value, json};

use super::{Comparison, Effective, Evidence, Finding, Findings, Unit};

/// Everything; differences in percentage points, ratios as they are, null for an infinite end.
pub fn json(findings: &Findings) -> Value {
    json!({
        "findings": findings.findings.iter().map(finding).collect::<Vec<_>>(),
        "effective_lengths": findings.effective.iter().map(effective).collect::<Vec<_>>(),
        "comparisons": findings.comparisons.iter().map(comparison).collect::<Vec<_>>(),
    })
}

fn finding(of: &Finding) -> Value {
    json!({
        "id": of.id,
        "claim": of.claim,
        "rule": of.rule,
        "verdict": of.verdict.to_string(),
        "evidence": of.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "missing": of.missing,
    })
}

fn evidence(of: &Evidence) -> Value {
    let Estimate { mean, low, high } = of.estimate;
    let (unit, scale) = match of.unit {
        Unit::Points => ("percentage points", 100.0),
        Unit::Ratio => ("ratio", 1.0),
    };
    json!({
        "what": of.what,
        "unit": unit,
        "estimate": mean * scale,
        "interval_95": [low * scale, high * scale],
        "n": of.samples,
        "p_holm": of.p,
        "verdict": of.verdict.map(|verdict| verdict.to_string()),
    })
}

fn effective(of: &Effective) -> Value {
    json!({
        "model": of.model,
        "training_length": of.training_length,
        "ruler_threshold": of.absolute,
        "relative": of.relative,
        "relative_to": of.origin,
        "longest": of.longest,
    })
}

fn comparison(of: &Comparison) -> Value {
    let Estimate { mean, low, high } = of.difference;
    json!({
        "models": of.names,
        "length": of.length,
        "tasks": of.tasks,
        "n": of.samples,
        "paired": of.paired,
        "difference": mean * 100.0,
        "interval_95": [low * 100.0, high * 100.0],
        "p_holm": of.p,
    })
}
