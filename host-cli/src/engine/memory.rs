//! How much memory a model takes, and how much there is.

use std::fs;

/// Bytes that a program with a model takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the program has in memory before the model: its code, tokenizer, texts, and what it keeps of the prompts that
    /// it made for the check. 0 where the operating system does not tell.
    pub program: u64,
    /// Of the weights, as they are computed with.
    pub weights: u64,
    /// More than these, while they are packed.
    pub packing: u64,
    /// Of one slot's recurrent state.
    pub state: u64,
    /// Of one slot's keys and values.
    pub cache: u64,
    /// What forward passes work in.
    pub buffers: u64,
}

impl Memory {
    /// Of one slot.
    pub fn slot(&self) -> u64 {
        self.state.saturating_add(self.cache)
    }

    /// All of it at its most, for so many slots.
    pub fn total(&self, slots: usize) -> u64 {
        let slots = self.slot().saturating_mul(slots as u64);
        let computing = slots.saturating_add(self.buffers);
        self.program.saturating_add(self.weights).saturating_add(computing.max(self.packing))
    }
}

/// Bytes that this program has in memory, as Linux tells it; elsewhere 0.
pub fn taken() -> u64 {
    told("/proc/self/status", "VmRSS:").unwrap_or(0)
}

/// Bytes that a program can get, as Linux tells it; elsewhere unknown.
pub fn free() -> Option<u64> {
    told("/proc/meminfo", "MemAvailable:")
}

fn told(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
