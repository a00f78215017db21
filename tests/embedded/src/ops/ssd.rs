use longseq_core::backend::{Columns, SsdScan as _};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::recurrence::ssd::{SsdDims, SsdHeads, SsdParameters, ssd_chunk_scan};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give, sequences, state};
use crate::draw::Draw;

/// Four heads of three channels, a state of eleven, two groups.
pub const DIMS: SsdDims = SsdDims { heads: 4, head_dim: 3, state: 11, groups: 2 };

const INNER: usize = DIMS.inner();
const XBC: usize = DIMS.xbc_width();
const STATE: usize = DIMS.state_elements();

/// Mamba-2's recurrence, the parameters of its heads in bf16 and f32.
#[derive(Clone, Debug)]
pub struct SsdScan {
    /// x, B, C \[T, H·P + 2 G·N\].
    pub xbc: [f32; TOKENS * XBC],
    /// Δ before bias and softplus, \[T, H\].
    pub dt: [f32; TOKENS * DIMS.heads],
    /// \[H\], bf16.
    pub dt_bias: [u8; DIMS.heads * 2],
    /// \[H\], bf16.
    pub a_log: [u8; DIMS.heads * 2],
    /// \[H\], f32.
    pub d: [u8; DIMS.heads * 4],
    /// \[slot, H, P, N\].
    pub state: [f32; 2 * STATE],
}

impl Operation for SsdScan {
    const NAME: &'static str = "ssd_scan";

    fn draw(draw: &mut Draw) -> Self {
        Self {
            xbc: draw.numbers(),
            dt: draw.numbers(),
            dt_bias: draw.bf16(),
            a_log: draw.bf16(),
            d: draw.f32(),
            state: draw.numbers(),
        }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let heads = SsdHeads {
            dt_bias: Tensor::new(Dtype::Bf16, &[DIMS.heads], &self.dt_bias)?,
            a_log: Tensor::new(Dtype::Bf16, &[DIMS.heads], &self.a_log)?,
            d: Tensor::new(Dtype::F32, &[DIMS.heads], &self.d)?,
        };
        let (mut work, mut y) = ([0.0; 4 * DIMS.heads], [0.0; TOKENS * INNER]);
        let mut slots = self.state;
        let inputs = (&self.xbc[..], Columns::all(&self.dt[..], DIMS.heads));
        let slab = state(&mut slots);
        Reference::new(&mut work).ssd_scan(&DIMS, &sequences()?, inputs, &heads, slab, &mut y)?;
        give(out, &y)?;
        give(out, &slots)
    }
}

/// The same recurrence in chunks of three tokens, one sequence.
#[derive(Clone, Debug)]
pub struct SsdChunkScan {
    /// x, B, C \[T, H·P + 2 G·N\].
    pub xbc: [f32; TOKENS * XBC],
    /// Δ after softplus, \[T, H\].
    pub dt: [f32; TOKENS * DIMS.heads],
    /// A \[H\].
    pub a: [f32; DIMS.heads],
    /// D \[H\].
    pub d: [f32; DIMS.heads],
    /// \[H, P, N\].
    pub state: [f32; STATE],
}

impl SsdChunkScan {
    /// Tokens of a chunk.
    pub const CHUNK: usize = 3;
}

impl Operation for SsdChunkScan {
    const NAME: &'static str = "ssd_chunk_scan";

    fn draw(draw: &mut Draw) -> Self {
        Self {
            xbc: draw.numbers(),
            dt: draw.numbers().map(f32::abs),
            a: draw.numbers().map(|a: f32| -a.abs()),
            d: draw.numbers(),
            state: draw.numbers(),
        }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let parameters = SsdParameters { a: &self.a, d: &self.d };
        let (mut y, mut state) = ([0.0; TOKENS * INNER], self.state);
        let inputs = (&self.xbc[..], &self.dt[..]);
        ssd_chunk_scan(&DIMS, &parameters, inputs, Self::CHUNK, &mut state, &mut y)?;
        give(out, &y)?;
        give(out, &state)
    }
}
