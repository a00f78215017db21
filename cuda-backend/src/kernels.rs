//! Every kernel: its source, its block and what of a multiprocessor it may take.
//!
//! This file stands alone, so that the emulator's build can read it, too.

/// A source in `kernels/`, header-free but for [`DEVICE_HEADER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path in `kernels/`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// What every source includes as `device.cuh`.
pub const DEVICE_HEADER: &str = include_str!("../kernels/device.cuh");

/// How sources are compiled, beside the architecture. Not with fast mathematics: exp, sin and division are to be those
/// of f32, and a kernel that can do with less says so.
pub const OPTIONS: &[&str] = &["--std=c++17"];

/// A kernel, with its budget for every architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Source { path: $path, text: include_str!(concat!("../kernels/", $path)) }
    };
}

const NORM: Source = source!("numeric/norm.cu");
const EMBEDDING_ROWS: Source = source!("numeric/embedding.cu");
const LINEAR: Source = source!("numeric/linear.cu");
const ACTIVATION: Source = source!("numeric/activation.cu");
const LOW_RANK: Source = source!("numeric/low_rank.cu");
const SOFTMAX: Source = source!("numeric/softmax.cu");
const CONVOLUTION: Source = source!("recurrence/causal_conv1d.cu");
const SHIFT: Source = source!("recurrence/token_shift.cu");
const RG_LRU_SCAN: Source = source!("recurrence/rg_lru.cu");
const WKV6_SCAN: Source = source!("recurrence/wkv6.cu");
const SSD: Source = source!("recurrence/ssd.cu");
const SSD_CHUNK: Source = source!("recurrence/ssd_chunk.cu");

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

/// A norm: a block sums over its warps.
const fn norm(plain: &'static str, fast: &'static str) -> Versions {
    let of = versions(NORM, plain, fast, 128);
    Versions { fast: of.fast.shared(128, 0), ..of }
}

pub(crate) const RMS_NORM: Versions = norm("rms_norm_ref", "rms_norm");
pub(crate) const LAYER_NORM: Versions = norm("layer_norm_ref", "layer_norm");
pub(crate) const GATED_RMS_NORM: Versions = norm("gated_rms_norm_ref", "gated_rms_norm");
pub(crate) const GATED_GROUP_NORM: Versions = norm("gated_group_norm_ref", "gated_group_norm");
pub(crate) const EMBEDDING: Versions = versions(EMBEDDING_ROWS, "embedding_ref", "embedding", 48);
pub(crate) const GATHER_ROWS: Versions =
    versions(EMBEDDING_ROWS, "gather_rows_ref", "gather_rows", 48);
pub(crate) const LINEAR_INPUT: Versions = versions(LINEAR, "linear_input_ref", "linear_input", 48);
pub(crate) const LINEAR_BIAS: Versions = versions(LINEAR, "linear_bias_ref", "linear_bias", 48);
pub(crate) const GATED_LINEAR_UNIT: Versions =
    versions(ACTIVATION, "gated_linear_unit_ref", "gated_linear_unit", 48);
pub(crate) const SQUARED_RELU: Versions =
    versions(ACTIVATION, "squared_relu_ref", "squared_relu", 48);
pub(crate) const SOFT_CAP: Versions = versions(ACTIVATION, "soft_cap_ref", "soft_cap", 48);
pub(crate) const LOW_RANK_TANH: Versions =
    versions(LOW_RANK, "low_rank_tanh_ref", "low_rank_tanh", 48);
pub(crate) const ARGMAX: Versions = Versions {
    plain: Kernel::new(SOFTMAX, "argmax_ref", 256, 64),
    fast: Kernel::new(SOFTMAX, "argmax", 1024, 64).shared(256, 0),
};

/// Two versions of an operation with state: the fast one has blocks of 128 threads.
const fn runs(source: Source, plain: &'static str, fast: &'static str, registers: u32) -> Versions {
    Versions {
        plain: Kernel::new(source, plain, 256, 64),
        fast: Kernel::new(source, fast, 128, registers),
    }
}

pub(crate) const CAUSAL_CONV1D: Versions =
    runs(CONVOLUTION, "causal_conv1d_ref", "causal_conv1d", 96);
pub(crate) const CARRY_INPUTS: Kernel = Kernel::new(CONVOLUTION, "carry_inputs", 256, 48);
pub(crate) const TOKEN_SHIFT: Versions = runs(SHIFT, "token_shift_ref", "token_shift", 64);
pub(crate) const DDLERP_INPUT: Versions = runs(SHIFT, "ddlerp_input_ref", "ddlerp_input", 64);
pub(crate) const DDLERP: Versions = runs(SHIFT, "ddlerp_ref", "ddlerp", 96);
pub(crate) const RG_LRU: Versions = Versions {
    plain: Kernel::new(RG_LRU_SCAN, "rg_lru_ref", 256, 64),
    fast: Kernel::new(RG_LRU_SCAN, "rg_lru", 256, 128).shared(2048, 0),
};
pub(crate) const WKV6: Versions = {
    let of = runs(WKV6_SCAN, "wkv6_ref", "wkv6", 128);
    Versions { fast: of.fast.shared(28 << 10, 0), ..of }
};
pub(crate) const SSD_REF: Kernel = Kernel::new(SSD, "ssd_ref", 256, 64);

/// The fast kernels of Mamba-2's scan for heads of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SsdKernels {
    /// P, channels of a head.
    pub(crate) head_dim: usize,
    /// N, state size of a channel.
    pub(crate) state: usize,
    /// Token by token.
    pub(crate) steps: Kernel,
    /// 64 tokens at a time; a launch gives it all of its dynamic shared memory.
    pub(crate) chunks: Kernel,
}

/// Bytes of shared memory of a chunk of 64 tokens: two stages of B and C, scores, two stages of decays.
const fn ssd_shared(state: u32) -> u32 {
    2 * 2 * 64 * (state + 8) * 2 + 64 * (64 + 8) * 2 + 2 * 5 * 64 * 4
}

/// Three blocks of 64 × 64 and two of 64 × 128 are to fit a multiprocessor: 168 and 255 registers, 113 KiB.
pub(crate) const SSD_SIZES: [SsdKernels; 2] = [
    SsdKernels {
        head_dim: 64,
        state: 64,
        steps: Kernel::new(SSD, "ssd_steps_64", 128, 96),
        chunks: Kernel::new(SSD_CHUNK, "ssd_chunks_64", 128, 168).shared(0, ssd_shared(64)),
    },
    SsdKernels {
        head_dim: 64,
        state: 128,
        steps: Kernel::new(SSD, "ssd_steps_128", 128, 144),
        chunks: Kernel::new(SSD_CHUNK, "ssd_chunks_128", 128, 255).shared(0, ssd_shared(128)),
    },
];

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
    SSD_REF,
    SSD_SIZES[0].steps,
    SSD_SIZES[0].chunks,
    SSD_SIZES[1].steps,
    SSD_SIZES[1].chunks,
];
