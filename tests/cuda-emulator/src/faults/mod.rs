//! Faults planted in kernels, one at a time, which the tests have to report.
//!
//! `build.rs` compiles each beside the kernels as they are.

mod attention;
mod numeric;
mod probes;
mod recurrence;

/// One fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// The source it is planted in, and a source with the kernels that then have it.
    pub sources: (&'static str, &'static str),
    /// The text that is replaced, which the source has once, and what takes its place.
    pub edit: (&'static str, &'static str),
}

const fn fault(
    name: &'static str,
    source: &'static str,
    edit: (&'static str, &'static str),
) -> Fault {
    Fault { name, sources: (source, source), edit }
}

/// All of them.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    [numeric::FAULTS, recurrence::FAULTS, attention::FAULTS, probes::FAULTS].into_iter().flatten()
}
