//! Every kernel: its source, its block and what of a multiprocessor it may take.
//!
//! This module stands alone, so that the emulator's build can read it, too.

/// A source in `kernels/`, header-free but for [`HEADERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path in `kernels/`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// What sources include: the path that they know it by, and its text.
pub const HEADERS: &[(&str, &str)] = &[
    ("device.cuh", include_str!("../../kernels/device.cuh")),
    ("attention/sequence.cuh", include_str!("../../kernels/attention/sequence.cuh")),
    ("attention/softmax.cuh", include_str!("../../kernels/attention/softmax.cuh")),
    ("recurrence/chunk.cuh", include_str!("../../kernels/recurrence/chunk.cuh")),
];

/// How sources are compiled, beside the architecture. Not with fast mathematics: exp, sin and division are to be those
/// of f32, and a kernel that can do with less says so.
pub const OPTIONS: &[&str] = &["--std=c++17"];

/// A kernel, with its budget for every architecture. No two have one name.
#[derive(Clone, Copy, Debug, Eq)]
pub struct Kernel {
    /// Its name in the source, and in the compiled module.
    pub name: &'static str,
    /// Where it is.
    pub source: Source,
    /// Threads of a block, at most.
    pub threads: u32,
    /// Registers of a thread, at most; nothing spills.
    pub registers: u32,
    /// Bytes of shared memory that it declares, at most.
    pub static_shared: u32,
    /// Bytes of shared memory that a launch may give it, at most.
    pub dynamic_shared: u32,
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Kernel {
    const fn new(source: Source, name: &'static str, threads: u32, registers: u32) -> Self {
        Self { name, source, threads, registers, static_shared: 0, dynamic_shared: 0 }
    }

    const fn shared(self, fixed: u32, dynamic: u32) -> Self {
        Self { static_shared: fixed, dynamic_shared: dynamic, ..self }
    }
}

macro_rules! source {
    ($path:literal) => {
        Source { path: $path, text: include_str!(concat!("../../kernels/", $path)) }
    };
}

mod attention;
mod numeric;
mod recurrence;

pub(crate) use self::{attention::*, numeric::*, recurrence::*};

/// An operation in two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Obviously right.
    pub plain: Kernel,
    /// What runs.
    pub fast: Kernel,
}

/// Two versions in one source, of at most 256 threads.
const fn versions(
    source: Source,
    plain: &'static str,
    fast: &'static str,
    registers: u32,
) -> Versions {
    Versions {
        plain: Kernel::new(source, plain, 256, 64),
        fast: Kernel::new(source, fast, 256, registers),
    }
}

/// All of them.
pub const KERNELS: &[Kernel] = &[
    RMS_NORM.plain,
    RMS_NORM.fast,
    LAYER_NORM.plain,
    LAYER_NORM.fast,
    GATED_RMS_NORM.plain,
    GATED_RMS_NORM.fast,
    GATED_GROUP_NORM.plain,
    GATED_GROUP_NORM.fast,
    EMBEDDING.plain,
    EMBEDDING.fast,
    GATHER_ROWS.plain,
    GATHER_ROWS.fast,
    LINEAR_INPUT.plain,
    LINEAR_INPUT.fast,
    LINEAR_BIAS.plain,
    LINEAR_BIAS.fast,
    GATED_LINEAR_UNIT.plain,
    GATED_LINEAR_UNIT.fast,
    SQUARED_RELU.plain,
    SQUARED_RELU.fast,
    SOFT_CAP.plain,
    SOFT_CAP.fast,
    LOW_RANK_TANH.plain,
    LOW_RANK_TANH.fast,
    ARGMAX.plain,
    ARGMAX.fast,
    ROPE.plain,
    ROPE.fast,
    KV_CACHE_STORE.plain,
    KV_CACHE_STORE.fast,
    GROUPED_QUERY_ATTENTION_REF,
    HEADS[0].prefill,
    HEADS[1].prefill,
    HEADS[2].prefill,
    HEADS[3].prefill,
    HEADS[4].prefill,
    HEADS[5].prefill,
    HEADS[6].prefill,
    HEADS[0].decode,
    HEADS[1].decode,
    HEADS[2].decode,
    HEADS[3].decode,
    HEADS[4].decode,
    HEADS[5].decode,
    HEADS[6].decode,
    DECODE_COMBINE,
    CAUSAL_CONV1D.plain,
    CAUSAL_CONV1D.fast,
    CARRY_INPUTS,
    TOKEN_SHIFT.plain,
    TOKEN_SHIFT.fast,
    DDLERP_INPUT.plain,
    DDLERP_INPUT.fast,
    DDLERP.plain,
    DDLERP.fast,
    RG_LRU.plain,
    RG_LRU.fast,
    WKV6.plain,
    WKV6.fast,
    WKV6_CHUNKS,
    SSD_REF,
    SSD_SIZES[0].steps,
    SSD_SIZES[0].chunks,
    SSD_SIZES[1].steps,
    SSD_SIZES[1].chunks,
];
