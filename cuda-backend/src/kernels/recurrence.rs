//! Operations that carry a state.

use super::{Kernel, Source, Versions};

const CONVOLUTION: Source = source!("recurrence/causal_conv1d.cu");
const SHIFT: Source = source!("recurrence/token_shift.cu");
const RG_LRU_SCAN: Source = source!("recurrence/rg_lru.cu");
const WKV6_SCAN: Source = source!("recurrence/wkv6.cu");
const WKV6_CHUNK: Source = source!("recurrence/wkv6_chunk.cu");
const SSD: Source = source!("recurrence/ssd.cu");
const SSD_CHUNK: Source = source!("recurrence/ssd_chunk.cu");

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
/// Of heads of 64; a launch gives it all of its dynamic shared memory. Two blocks are to fit a multiprocessor: eight chunks
/// of 16 tokens with decayed r and k, scores and what is left of the state, k and w of four in f32, u.
pub(crate) const WKV6_CHUNKS: Kernel = {
    let (chunk, keys) = (2 * 16 * (64 + 8) * 2 + 16 * (16 + 8) * 2 + 64 * 4, 2 * 16 * 64 * 4);
    Kernel::new(WKV6_CHUNK, "wkv6_chunks", 256, 128).shared(0, 8 * chunk + 4 * keys + 64 * 4)
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

/// Three blocks of chunks of 64 × 64 and two of 64 × 128 are to fit a multiprocessor: 168 and 255 registers, 113 KiB. Of
/// steps three do.
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
        steps: Kernel::new(SSD, "ssd_steps_128", 128, 160),
        chunks: Kernel::new(SSD_CHUNK, "ssd_chunks_128", 128, 255).shared(0, ssd_shared(128)),
    },
];
