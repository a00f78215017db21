use super::{Reference, Result, check_slots};
use crate::backend::RgLru;
use crate::batch::Sequences;
use crate::error::enough;
use crate::numeric::{Real, tensor::Tensor};
use crate::recurrence::rg_lru::{
    RgLruDims, RgLruWeights, block_gate, decays, log_decay, rg_lru_step,
};
use crate::state::StateMut;

impl<'a, R: Real> RgLru for Reference<'a, R> {
    fn rg_lru(
        &mut self,
        dims: &RgLruDims,
        sequences: &Sequences<'_>,
        x: &mut [R],
        weights: &RgLruWeights<Tensor<'a>>,
        state: StateMut<'_, [R]>,
    ) -> Result {
        let channels = dims.channels;
        dims.check::<R, _>(weights, state.region.elements)?;
        enough("rg_lru", "x", sequences.rows().saturating_mul(channels), x.len())?;
        check_slots("rg_lru", sequences, &state)?;
        let (work, mut observer) = self.mixer(dims.work_elements())?;
        let (decay, work) = work.split_at_mut(channels);
        let (input_gate, work) = work.split_at_mut(channels);
        let (recurrent_gate, row) = work.split_at_mut(channels);
        weights.decay.decode(0, decay)?;
        decays(decay);
        for sequence in sequences.iter() {
            let slot = &mut state.buffer[state.region.slot(sequence.slot)];
            for (position, index) in (sequence.position..).zip(sequence.rows) {
                let v = &mut x[index * channels..][..channels];
                block_gate(dims, &weights.input_gate, v, row, input_gate)?;
                block_gate(dims, &weights.recurrent_gate, v, row, recurrent_gate)?;
                if let Some(observer) = &mut observer {
                    for (channel, (&r, &decay)) in recurrent_gate.iter().zip(&*decay).enumerate() {
                        observer.log_decay(position, channel, log_decay(r, decay));
                    }
                }
                let gates = input_gate.iter().zip(&*recurrent_gate).zip(&*decay);
                for ((v, h), ((&i, &r), &decay)) in v.iter_mut().zip(&mut *slot).zip(gates) {
                    *v = rg_lru_step(*v, (i, r), decay, position == 0, h);
                }
            }
        }
        Ok(())
    }
}
