//! The machine that runs a plan.

use std::{collections::BTreeMap, env::consts::ARCH, fs};

use serde::{Deserialize, Serialize};

/// Where and how a plan ran: predictions do not depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model name of the processor.
    pub cpu: String,
    /// Threads used.
    pub threads: usize,
    /// Samples decoded together.
    pub batch: usize,
    /// Whether shared prefixes were read once.
    pub shared_prefixes: bool,
    /// Folder of the checkpoint.
    pub model: String,
    /// Path of the tokenizer.
    pub tokenizer: String,
    /// Where each corpus came from, by its name.
    pub corpora: BTreeMap<String, String>,
}

/// Model name of the processor as Linux tells it, elsewhere its architecture.
pub fn cpu_model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names = info.lines().find(|line| line.starts_with("model name"));
    let name = names.and_then(|line| line.split(':').nth(1)).map(str::trim);
    name.unwrap_or(ARCH).to_owned()
}
