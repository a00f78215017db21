use super::{Reference, Result, check_slots};
use crate::backend::{Wkv6Inputs, Wkv6Scan};
use crate::batch::Sequences;
use crate::error::enough;
use crate::numeric::{Real, tensor::Tensor};
use crate::recurrence::wkv6::{Wkv6Dims, Wkv6Token, log_decay, wkv6_step};
use crate::state::StateMut;

impl<'a, R: Real> Wkv6Scan for Reference<'a, R> {
    fn wkv6_scan(
        &mut self,
        dims: &Wkv6Dims,
        sequences: &Sequences<'_>,
        inputs: Wkv6Inputs<'_, [R]>,
        bonus: &Tensor<'a>,
        state: StateMut<'_, [R]>,
        out: &mut [R],
    ) -> Result {
        let (operation, rows, width) = ("wkv6_scan", sequences.rows(), dims.width());
        let Wkv6Inputs { receptance, key, value, decay } = inputs;
        dims.check(bonus.elements(), state.region.elements)?;
        for (operand, columns) in
            [("receptance", &receptance), ("key", &key), ("value", &value), ("decay", &decay)]
        {
            columns.check((operation, operand), (rows, width), columns.buffer.len())?;
        }
        enough(operation, "out", rows.saturating_mul(width), out.len())?;
        check_slots(operation, sequences, &state)?;
        let (u, mut observer) = self.mixer(width)?;
        bonus.decode(0, u)?;
        for sequence in sequences.iter() {
            let slot = &mut state.buffer[state.region.slot(sequence.slot)];
            for (position, row) in (sequence.position..).zip(sequence.rows) {
                let token = Wkv6Token {
                    receptance: &receptance.buffer[receptance.row(row, width)],
                    key: &key.buffer[key.row(row, width)],
                    value: &value.buffer[value.row(row, width)],
                    decay: &decay.buffer[decay.row(row, width)],
                };
                if let Some(observer) = &mut observer {
                    for (channel, &d) in token.decay.iter().enumerate() {
                        observer.log_decay(position, channel, log_decay(d));
                    }
                }
                wkv6_step(dims, &token, u, slot, &mut out[row * width..][..width])?;
            }
        }
        Ok(())
    }
}
