//! Shared helpers of the cross-crate tests: fixture paths, goldens and comparisons.

pub mod golden;
pub mod loaded;
pub mod products;
pub mod recurrence;
pub mod rows;
pub mod runner;
pub mod transfer;

use std::path::{Path, PathBuf};

/// The folder of committed fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The folder of further oracles, where `LONGSEQ_ORACLES` names one.
pub fn oracles() -> Option<PathBuf> {
    std::env::var_os("LONGSEQ_ORACLES").map(PathBuf::from)
}
