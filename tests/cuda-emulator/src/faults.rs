//! Faults planted in kernels, one at a time, which the tests have to report.
//!
//! `build.rs` compiles each beside the kernels as they are.

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

/// All of them.
pub const FAULTS: &[Fault] = &[Fault {
    name: "the partial sums of warps are read before they are written",
    sources: ("device.cuh", "numeric/norm.cu"),
    edit: (
        "if (lane == 0) partial[warp] = v;\n    barrier();",
        "if (lane == 0) partial[warp] = v;",
    ),
}];
