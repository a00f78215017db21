//! The mixers of a pass.

use longseq_core::{
    attention::grouped_query_attention::AttentionDims,
    batch::Sequence,
    hybrid::config::{AttentionConfig, RgLruConfig, SsdConfig, Wkv6Config},
    numeric::tensor::Dtype,
    recurrence::{ssd::SsdDims, token_shift::STREAMS},
};
use longseq_cuda::kernels::KERNELS;

use super::{
    Pass,
    count::{Count, ONCE, TWICE},
};

/// Queries of a key-value head that decoding takes, and positions of one of its parts.
const FEW: usize = 64;
const PART: usize = 256;

/// Tokens that the scans of Mamba-2 and RWKV-6 take at a time.
const SSD_CHUNK: usize = 64;
const WKV6_CHUNK: usize = 16;

/// Pairs of a token and itself or one before it in the same chunk.
const fn pairs(tokens: usize, chunk: usize) -> usize {
    let rest = tokens % chunk;
    tokens / chunk * (chunk * (chunk + 1) / 2) + rest * (rest + 1) / 2
}

fn is_kernel(name: &str) -> bool {
    KERNELS.iter().any(|kernel| kernel.name == name)
}

impl Count<'_> {
    pub(super) fn ssd(&mut self, of: &SsdConfig) {
        let SsdConfig { dims, conv_width, conv_bias, projection_bias } = *of;
        let SsdDims { heads, head_dim, state: size, .. } = dims;
        let Pass { sequences, tokens, .. } = self.pass;
        let (d, rows, inner, both) =
            (self.config.width, self.rows, dims.inner(), 2 * dims.group_width());
        self.linear(rows, (d, of.projected()), self.normed, (projection_bias, false));
        self.convolution(dims.xbc_width(), conv_width, conv_bias);
        let state = sequences * dims.state_elements() * TWICE + 3 * heads * ONCE;
        let x_y_dt = rows * (inner * (ONCE + self.mixed.bytes()) + heads * ONCE);
        let chunks = format!("ssd_chunks_{size}");
        let is_fast = head_dim == 64 && is_kernel(&chunks);
        if is_fast && self.cache == Dtype::Bf16 && tokens > 1 {
            self.input(rows, both);
            let within = pairs(tokens, SSD_CHUNK) * (head_dim + size);
            let flops = 2 * sequences * heads * (2 * tokens * head_dim * size + within);
            self.add(chunks, x_y_dt + rows * both * self.cache.bytes() + state, flops);
        } else {
            let name = if is_fast { format!("ssd_steps_{size}") } else { "ssd_ref".to_owned() };
            self.kernel(&name, x_y_dt + rows * both * ONCE + state);
        }
        let normed = 2 * self.mixed.bytes() + ONCE;
        self.kernel("gated_rms_norm", inner * (rows * normed + ONCE));
        self.linear(rows, (inner, d), self.mixed, (projection_bias, true));
    }

    pub(super) fn rg_lru(&mut self, of: &RgLruConfig) {
        let (d, rows, channels) = (self.config.width, self.rows, of.dims.channels);
        for _ in ["x", "y"] {
            self.linear(rows, (d, channels), self.normed, (true, false));
        }
        self.convolution(channels, of.conv_width, true);
        if self.factors == Dtype::Bf16 {
            self.input(rows, channels);
        }
        let block = of.dims.block_width();
        for _ in ["input", "recurrence"] {
            self.product(of.dims.blocks, rows, (block, block), false);
        }
        let state = self.pass.sequences * TWICE + 3 * ONCE;
        self.kernel("rg_lru", channels * (rows * (2 * TWICE) + state));
        self.gated_linear_unit(channels, self.mixed.bytes());
        self.linear(rows, (channels, d), self.mixed, (true, true));
    }

    pub(super) fn wkv6(&mut self, of: &Wkv6Config) {
        let Wkv6Config { dims, shift_rank, decay_rank, .. } = *of;
        let Pass { sequences, tokens, .. } = self.pass;
        let (d, rows, width) = (self.config.width, self.rows, dims.width());
        let past = sequences * d * ONCE;
        let left = rows * d * (ONCE + self.factors.bytes());
        self.kernel("ddlerp_input", left + d * ONCE + past);
        self.product(1, rows, (d, STREAMS * shift_rank), false);
        self.kernel("low_rank_tanh", rows * STREAMS * shift_rank * TWICE);
        if self.factors == Dtype::Bf16 {
            self.input(rows, STREAMS * shift_rank);
        }
        self.product(STREAMS, rows, (shift_rank, d), false);
        let carried = self.carried(d);
        let streams = rows * d * (ONCE + STREAMS * TWICE);
        self.kernel("ddlerp", streams + STREAMS * d * ONCE + carried);
        for _ in ["receptance", "key", "value", "gate"] {
            self.linear(rows, (d, width), Dtype::F32, (false, false));
        }
        self.linear(rows, (d, decay_rank), Dtype::F32, (false, false));
        self.kernel("low_rank_tanh", rows * decay_rank * TWICE);
        self.linear(rows, (decay_rank, width), Dtype::F32, (true, false));
        let moved = width * (rows * 5 * ONCE + ONCE) + sequences * dims.state_elements() * TWICE;
        match (dims.head_dim, self.cache) {
            (64, Dtype::Bf16) if tokens > 1 => {
                let within = pairs(tokens, WKV6_CHUNK);
                let flops = 2 * sequences * (2 * tokens * dims.state_elements() + within * width);
                self.add("wkv6_chunks", moved, flops);
            }
            (64, _) => self.kernel("wkv6", moved),
            _ => self.kernel("wkv6_ref", moved),
        }
        self.kernel("gated_group_norm", width * (rows * (TWICE + ONCE) + 2 * ONCE));
        self.linear(rows, (width, d), self.mixed, (false, true));
    }

    pub(super) fn attention(&mut self, of: &AttentionConfig) {
        let AttentionConfig { dims, conv_width, qkv_bias, out_bias, .. } = *of;
        let (d, rows, width) = (self.config.width, self.rows, dims.qkv_width());
        self.linear(rows, (d, width), self.normed, (qkv_bias, false));
        if conv_width > 0 {
            self.convolution(width, conv_width, true);
        }
        let rotated = rows * width * (ONCE + self.cache.bytes());
        self.kernel("rope", rotated + dims.rotary / 2 * ONCE);
        self.attend(&dims);
        let Pass { sequences, tokens, context, .. } = self.pass;
        if let Some(window) = dims.window.filter(|&of| tokens > 1 && context + tokens > of) {
            let stored = sequences * tokens.min(window) * 2 * dims.kv_width();
            self.kernel("kv_cache_store", stored * 2 * self.cache.bytes());
        }
        self.linear(rows, (dims.query_width(), d), self.mixed, (out_bias, true));
    }

    fn attend(&mut self, dims: &AttentionDims) {
        let Pass { sequences, tokens, context, .. } = self.pass;
        let (heads, head_dim, width) = (dims.heads, dims.head_dim, dims.query_width());
        let of = Sequence { rows: 0..tokens, slot: 0, position: context };
        let seen = |index| dims.seen_in_call(&of, index);
        let (first, last) = (seen(0), seen(tokens - 1));
        let keys = last.end - first.start;
        let read = sequences * (tokens * width + 2 * keys * dims.kv_width()) * self.cache.bytes();
        let written = self.rows * width * self.mixed.bytes();
        let all: usize = (0..tokens).map(|index| seen(index).len()).sum();
        let flops = 4 * sequences * all * width;
        let prefill = format!("prefill_{head_dim}");
        if self.cache != Dtype::Bf16 || !is_kernel(&prefill) {
            self.kernel("grouped_query_attention_ref", read + written);
        } else if tokens == 1 || tokens * heads / dims.kv_heads <= FEW {
            let parts = last.end.div_ceil(PART) - first.start / PART;
            let sums = self.rows * heads * parts * (head_dim + 2) * ONCE;
            self.add(format!("decode_{head_dim}"), read + sums, flops);
            self.kernel("decode_combine", sums + written);
        } else {
            self.add(prefill, read + written, flops);
        }
    }
}
