use super::{Reference, Result, check_slots};
use crate::backend::{CausalConv1d, Columns};
use crate::batch::Sequences;
use crate::error::enough;
use crate::numeric::{Real, tensor::Tensor};
use crate::recurrence::causal_conv1d::{Conv, ConvDims, causal_conv1d_step, keep_outputs};
use crate::state::StateMut;

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
        let (rows, channels) = (sequences.rows(), dims.channels);
        let bias = conv.bias.as_ref();
        dims.check(conv.weight.elements(), bias.map(Tensor::elements), state.region.elements)?;
        x.check((operation, "x"), (rows, channels), x.buffer.len())?;
        enough(operation, "out", rows.saturating_mul(channels), out.len())?;
        check_slots(operation, sequences, &state)?;
        let carried = dims.width - 1;
        let w = self.work(dims.width)?;
        for channel in 0..channels {
            conv.weight.decode(channel * dims.width, w)?;
            let mut b = [R::ZERO];
            bias.map_or(Ok(()), |bias| bias.decode(channel, &mut b))?;
            for sequence in sequences.iter() {
                let slot = &mut state.buffer[state.region.slot(sequence.slot)];
                let inputs = &mut slot[channel * carried..][..carried];
                for row in sequence.rows.clone() {
                    let x = x.buffer[row * x.stride + x.offset + channel];
                    let y = causal_conv1d_step(x, w, b[0], inputs);
                    out[row * channels + channel] = dims.activation.apply(y);
                }
                if dims.prompt_leaves_outputs && sequence.position == 0 {
                    keep_outputs(sequence.rows.map(|row| out[row * channels + channel]), inputs);
                }
            }
        }
        Ok(())
    }
}
