//! Shared helpers of the cross-crate tests: fixture paths, goldens, comparisons, flash images.

pub mod attention;
pub mod device;
pub mod flash;
pub mod golden;
pub mod loaded;
pub mod products;
pub mod recurrence;
pub mod rows;
pub mod runner;
pub mod transfer;

use std::path::PathBuf;

/// This package's folder: where it was built or, as Cargo says when tests run, elsewhere.
fn package() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The folder of committed fixtures.
pub fn fixtures() -> PathBuf {
    package().join("fixtures")
}

/// The folder of a model that is built in.
pub fn built_in(name: &str) -> PathBuf {
    package().join("../host-cli/models/mini").join(name)
}

/// The folder of further oracles, where `LONGSEQ_ORACLES` names one.
pub fn oracles() -> Option<PathBuf> {
    std::env::var_os("LONGSEQ_ORACLES").map(PathBuf::from)
}
