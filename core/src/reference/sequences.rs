//! Operations that carry state through every sequence.

use super::{Reference, ReferenceError};
use crate::attention::grouped_query_attention::{AttentionDims, grouped_query_attention};
use crate::attention::kv_cache::KvCacheDims;
use crate::attention::rope::{rope, rope_frequencies, rope_rotation};
use crate::backend::{CausalConv1d, Columns, GroupedQueryAttention, SsdScan};
use crate::batch::Sequences;
use crate::error::{ShapeError, enough, same};
use crate::numeric::{Real, activation::softplus, tensor::Tensor};
use crate::recurrence::causal_conv1d::{Conv, ConvDims, causal_conv1d_step};
use crate::recurrence::ssd::{SsdDims, SsdHeads, SsdParameters, ssd_step};
use crate::state::StateMut;

type Result<T = (), E = ReferenceError> = core::result::Result<T, E>;

/// Checks that the slab has the state of every sequence's slot.
fn check_slots<R>(
    operation: &'static str,
    sequences: &Sequences<'_>,
    state: &StateMut<'_, [R]>,
) -> Result<(), ShapeError> {
    sequences.iter().try_for_each(|sequence| {
        enough(operation, "state", state.region.slot(sequence.slot).end, state.buffer.len())
    })
}

impl<'a, R: Real> CausalConv1d for Reference<'a, R> {
    fn causal_conv1d(
        &mut self,
        dims: &ConvDims,
        sequences: &Sequences<'_>,
        x: Columns<&[R]>,
        conv: &Conv<Tensor<'a>>,
        state: StateMut<'_, [R]>,
        out: &mut [R],
    ) -> Result {
        let operation = "causal_conv1d";
        let (rows, channels, carried) = (sequences.rows(), dims.channels, dims.width - 1);
        let bias = conv.bias.as_ref();
        dims.check(conv.weight.elements(), bias.map(Tensor::elements), state.region.elements)?;
        x.check((operation, "x"), (rows, channels), x.buffer.len())?;
        enough(operation, "out", rows.saturating_mul(channels), out.len())?;
        check_slots(operation, sequences, &state)?;
        let w = self.work(dims.width)?;
        for channel in 0..channels {
            conv.weight.decode(channel * dims.width, w)?;
            let mut b = [R::ZERO];
            bias.map_or(Ok(()), |bias| bias.decode(channel, &mut b))?;
            for sequence in sequences.iter() {
                let slot = &mut state.buffer[state.region.slot(sequence.slot)];
                let inputs = &mut slot[channel * carried..][..carried];
                for row in sequence.rows {
                    let x = x.buffer[row * x.stride + x.offset + channel];
                    let y = causal_conv1d_step(x, w, b[0], inputs);
                    out[row * channels + channel] = dims.activation.apply(y);
                }
            }
        }
        Ok(())
    }
}

impl<'a, R: Real> SsdScan for Reference<'a, R> {
    fn ssd_scan(
        &mut self,
        dims: &SsdDims,
        sequences: &Sequences<'_>,
        (xbc, dt): (&[R], Columns<&[R]>),
        heads: &SsdHeads<Tensor<'a>>,
        state: StateMut<'_, [R]>,
        y: &mut [R],
    ) -> Result {
        let operation = "ssd_scan";
        let (rows, inner, width) = (sequences.rows(), dims.inner(), dims.xbc_width());
        dims.check(heads.a_log.elements(), heads.d.elements(), state.region.elements)?;
        same(operation, "dt_bias", dims.heads, heads.dt_bias.elements())?;
        enough(operation, "xBC", rows.saturating_mul(width), xbc.len())?;
        enough(operation, "y", rows.saturating_mul(inner), y.len())?;
        dt.check((operation, "dt"), (rows, dims.heads), dt.buffer.len())?;
        check_slots(operation, sequences, &state)?;
        let work = self.work(4 * dims.heads)?;
        let (bias, work) = work.split_at_mut(dims.heads);
        let (a, work) = work.split_at_mut(dims.heads);
        let (d, step) = work.split_at_mut(dims.heads);
        heads.dt_bias.decode(0, bias)?;
        heads.a_log.decode(0, a)?;
        heads.d.decode(0, d)?;
        for a in a.iter_mut() {
            *a = -a.exp();
        }
        let parameters = SsdParameters { a, d };
        for sequence in sequences.iter() {
            let slot = &mut state.buffer[state.region.slot(sequence.slot)];
            for row in sequence.rows {
                let dt = &dt.buffer[dt.row(row, dims.heads)];
                for ((step, &dt), &bias) in step.iter_mut().zip(dt).zip(&*bias) {
                    *step = softplus(dt + bias);
                }
                let xbc = &xbc[row * width..][..width];
                let y = &mut y[row * inner..][..inner];
                ssd_step(dims, &parameters, (xbc, step), slot, y)?;
            }
        }
        Ok(())
    }
}

impl<R: Real> GroupedQueryAttention for Reference<'_, R> {
    fn grouped_query_attention(
        &mut self,
        dims: &AttentionDims,
        sequences: &Sequences<'_>,
        qkv: &[R],
        kv: &KvCacheDims,
        cache: StateMut<'_, [R]>,
        out: &mut [R],
    ) -> Result {
        let operation = "grouped_query_attention";
        let (rows, q_width, width) = (sequences.rows(), dims.query_width(), dims.qkv_width());
        dims.check()?;
        enough(operation, "qkv", rows.saturating_mul(width), qkv.len())?;
        enough(operation, "out", rows.saturating_mul(q_width), out.len())?;
        same(operation, "cache", kv.elements(), cache.region.elements)?;
        same(operation, "cache width", dims.kv_width(), kv.width)?;
        enough(operation, "cache rows", 1, kv.rows)?;
        check_slots(operation, sequences, &cache)?;
        let pairs = dims.rotary / 2;
        let work = self.work(kv.rows.saturating_add(3 * pairs).saturating_add(q_width))?;
        let (scores, work) = work.split_at_mut(kv.rows);
        let (frequencies, work) = work.split_at_mut(pairs);
        let (cos, work) = work.split_at_mut(pairs);
        let (sin, query) = work.split_at_mut(pairs);
        rope_frequencies(dims.rope_base, frequencies);
        for sequence in sequences.iter() {
            let slot = &mut cache.buffer[cache.region.slot(sequence.slot)];
            for (position, row) in (sequence.position..).zip(sequence.rows) {
                let (q, k_v) = qkv[row * width..][..width].split_at(q_width);
                rope_rotation(position, frequencies, cos, sin);
                query.copy_from_slice(q);
                query.chunks_exact_mut(dims.head_dim).for_each(|head| rope(head, cos, sin));
                let (keys, values) = slot.split_at_mut(kv.rows * kv.width);
                let (k, v) = k_v.split_at(kv.width);
                let key = &mut keys[kv.offset(position)..][..kv.width];
                key.copy_from_slice(k);
                key.chunks_exact_mut(dims.head_dim).for_each(|head| rope(head, cos, sin));
                values[kv.offset(position)..][..kv.width].copy_from_slice(v);
                let out = &mut out[row * q_width..][..q_width];
                grouped_query_attention(dims, position, query, (kv, slot), scores, out)?;
            }
        }
        Ok(())
    }
}
