//! How a cell's samples were made, for `recipe.json` and reports.

use longseq_core::ruler::{budget::Fit, options::Seeding};
use serde_json::{Value, json};

use super::{Cell, Setup, Sizes};

impl Setup<'_> {
    /// Everything that the samples of a cell depend on, and the haystacks' sizes in words, lines
    /// or documents.
    pub fn recipe(&self, cell: &Cell, sizes: Sizes) -> Value {
        json!({
            "longseq": env!("CARGO_PKG_VERSION"),
            "profile": self.profile.name(),
            "task": cell.task.name,
            "depth_percent": cell.depth,
            "max_seq_length": cell.max_seq_length,
            "num_samples": cell.num_samples,
            "pre_samples": self.pre_samples,
            "seed": self.seed,
            "seeding": seeding_name(self.seeding),
            "fit": fit_name(self.fit),
            "haystack": sizes,
            "remove_newline_tab": self.remove_newline_tab,
            "uuid_fault": cell.task.has_uuid_fault(),
            "template": {"name": self.template.name(), "text": self.template.text()},
            "tokenizer_sha256": self.tokenizer.sha256(),
            "corpora": self.corpora.sources_of(&cell.task.recipe),
        })
    }
}

/// `run` or `per-sample`.
pub fn seeding_name(seeding: Seeding) -> &'static str {
    match seeding {
        Seeding::Run => "run",
        Seeding::PerSample => "per-sample",
    }
}

/// `exact` or `shrink`.
pub fn fit_name(fit: Fit) -> &'static str {
    match fit {
        Fit::Exact => "exact",
        Fit::Shrink => "shrink",
    }
}
