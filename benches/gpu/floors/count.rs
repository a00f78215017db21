//! A pass, kernel by kernel.

use std::collections::BTreeMap;

use longseq_core::{
    hybrid::config::{
        ChannelMixConfig, Family, FeedForward, GatedMlpConfig, Mixer, ModelConfig, Recurrence,
    },
    numeric::tensor::Dtype,
};

use super::{Floor, Pass, product};

/// Tokens of a thread of the kernels that take runs of tokens.
const RUN: usize = 16;

/// Bytes of f32, read or written; read and written; read, and written in bf16.
pub(super) const ONCE: usize = 4;
pub(super) const TWICE: usize = 8;
const ROUNDED: usize = 6;

/// A pass as it is counted.
pub(super) struct Count<'c> {
    pub(super) config: &'c ModelConfig,
    pub(super) pass: Pass,
    /// Tokens of all sequences.
    pub(super) rows: usize,
    pub(super) factors: Dtype,
    /// Of keys and values, and of what scans multiply.
    pub(super) cache: Dtype,
    pub(super) normed: Dtype,
    pub(super) mixed: Dtype,
    pub(super) all: &'c mut BTreeMap<String, Floor>,
}

impl Count<'_> {
    pub(super) fn add(&mut self, name: impl Into<String>, bytes: usize, flops: usize) {
        let floor = self.all.entry(name.into()).or_default();
        floor.calls += 1;
        floor.bytes += bytes as f64;
        floor.flops += flops as f64;
    }

    /// A kernel that memory bounds.
    pub(super) fn kernel(&mut self, name: &str, bytes: usize) {
        self.add(name, bytes, 0);
    }

    pub(super) fn pass(&mut self) {
        let ModelConfig { width, vocabulary, layers, .. } = *self.config;
        let (rows, logits) = (self.rows, self.pass.logits);
        self.kernel("embedding", rows * (width * ONCE + 4) + width * self.factors.bytes());
        if self.config.family == Family::Rwkv6 {
            self.norm(rows, Dtype::F32);
        }
        for layer in 0..layers {
            self.norm(rows, self.normed);
            match self.config.mixer(layer) {
                Some(Mixer::Recurrent(Recurrence::Ssd(of))) => self.ssd(&of),
                Some(Mixer::Recurrent(Recurrence::RgLru(of))) => self.rg_lru(&of),
                Some(Mixer::Recurrent(Recurrence::Wkv6(of))) => self.wkv6(&of),
                Some(Mixer::Attention(of)) => self.attention(&of),
                None => {}
            }
            if let Some(of) = self.config.feed_forward {
                self.norm(rows, self.normed);
                match of {
                    FeedForward::Gated(of) => self.gated_mlp(&of),
                    FeedForward::ChannelMix(of) => self.channel_mix(&of),
                }
            }
        }
        if logits == 0 {
            return;
        }
        self.kernel("gather_rows", logits * (width * TWICE + 4));
        self.norm(logits, self.normed);
        self.linear(logits, (width, vocabulary), self.normed, (false, false));
        if self.config.logits_soft_cap.is_some() {
            self.kernel("soft_cap", logits * vocabulary * TWICE);
        }
        self.kernel("argmax", logits * (vocabulary * ONCE + 4));
    }

    fn norm(&mut self, rows: usize, out: Dtype) {
        let (name, vectors) = match self.config.family {
            Family::Rwkv6 => ("layer_norm", 2),
            _ => ("rms_norm", 1),
        };
        self.kernel(name, self.config.width * (rows * (ONCE + out.bytes()) + vectors * ONCE));
    }

    /// A conversion to bf16.
    pub(super) fn input(&mut self, rows: usize, width: usize) {
        self.kernel("linear_input", rows * width * ROUNDED);
    }

    /// `batch` products side by side, of matrices of one size.
    pub(super) fn product(
        &mut self,
        batch: usize,
        rows: usize,
        (inputs, outputs): (usize, usize),
        accumulate: bool,
    ) {
        let factors = self.factors.bytes() * (rows + outputs) * inputs;
        let out = rows * outputs * if accumulate { TWICE } else { ONCE };
        let flops = 2 * batch * rows * inputs * outputs;
        self.add(product(self.factors, batch, inputs, outputs), batch * (factors + out), flops);
    }

    pub(super) fn linear(
        &mut self,
        rows: usize,
        extents: (usize, usize),
        x: Dtype,
        (bias, accumulate): (bool, bool),
    ) {
        if bias {
            let out = rows * extents.1 * if accumulate { TWICE } else { ONCE };
            self.kernel("linear_bias", out + extents.1 * ONCE);
        }
        if x != self.factors {
            self.input(rows, extents.0);
        }
        self.product(1, rows, extents, bias || accumulate);
    }

    /// Bytes of the inputs that a kernel carries in the state: it leaves those of long sequences to another.
    pub(super) fn carried(&mut self, elements: usize) -> usize {
        let elements = self.pass.sequences * elements;
        if self.pass.tokens <= RUN {
            return elements * TWICE;
        }
        self.kernel("carry_inputs", elements * TWICE);
        elements * ONCE
    }

    pub(super) fn convolution(&mut self, channels: usize, taps: usize, bias: bool) {
        let past = channels * (taps - 1);
        let (name, state) = match taps {
            4 => ("causal_conv1d", self.carried(past)),
            _ => ("causal_conv1d_ref", self.pass.sequences * past * TWICE),
        };
        let weights = channels * (taps + usize::from(bias)) * ONCE;
        self.kernel(name, self.rows * channels * TWICE + weights + state);
    }

    /// What is written is of so many bytes an element.
    pub(super) fn gated_linear_unit(&mut self, width: usize, out: usize) {
        self.kernel("gated_linear_unit", self.rows * width * (2 * ONCE + out));
    }

    fn gated_mlp(&mut self, of: &GatedMlpConfig) {
        let GatedMlpConfig { hidden, bias, .. } = *of;
        let (d, rows) = (self.config.width, self.rows);
        self.linear(rows, (d, 2 * hidden), self.normed, (bias, false));
        self.gated_linear_unit(hidden, self.mixed.bytes());
        self.linear(rows, (hidden, d), self.mixed, (bias, true));
    }

    fn channel_mix(&mut self, of: &ChannelMixConfig) {
        let (d, rows, hidden) = (self.config.width, self.rows, of.hidden);
        let carried = self.carried(d);
        self.kernel("token_shift", rows * d * 3 * ONCE + 2 * d * ONCE + carried);
        self.linear(rows, (d, hidden), Dtype::F32, (false, false));
        self.kernel("squared_relu", rows * hidden * TWICE);
        self.linear(rows, (hidden, d), Dtype::F32, (false, false));
        self.linear(rows, (d, d), Dtype::F32, (false, false));
        self.gated_linear_unit(d, TWICE);
    }
}
