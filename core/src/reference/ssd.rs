use super::{Reference, Result, check_slots};
use crate::backend::{Columns, SsdScan};
use crate::batch::Sequences;
use crate::error::{enough, same};
use crate::numeric::{Real, activation::softplus, tensor::Tensor};
use crate::recurrence::ssd::{SsdDims, SsdHeads, SsdParameters, ssd_step};
use crate::state::StateMut;

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
        let (work, mut observer) = self.mixer(4 * dims.heads)?;
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
            for (position, row) in (sequence.position..).zip(sequence.rows) {
                let dt = &dt.buffer[dt.row(row, dims.heads)];
                for ((step, &dt), &bias) in step.iter_mut().zip(dt).zip(&*bias) {
                    *step = softplus(dt + bias);
                }
                if let Some(observer) = &mut observer {
                    for (head, (&step, &a)) in step.iter().zip(&*a).enumerate() {
                        observer.log_decay(position, head, step * a);
                    }
                }
                let xbc = &xbc[row * width..][..width];
                let y = &mut y[row * inner..][..inner];
                ssd_step(dims, &parameters, (xbc, step), slot, y)?;
            }
        }
        Ok(())
    }
}
