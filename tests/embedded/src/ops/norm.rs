use longseq_core::backend::{
    Columns, GatedGroupNorm as _, GatedRmsNorm as _, LayerNorm as _, RmsNorm as _,
};
use longseq_core::numeric::norm::{GatedNormDims, NormDims};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give};
use crate::draw::Draw;

/// Channels of every norm: three groups of 27.
pub const WIDTH: usize = 81;
/// Groups of the gated norms.
pub const GROUPS: usize = 3;
/// ε.
pub const EPSILON: f64 = 1e-5;

/// Rows, a gate, and weights in bf16 and f32.
#[derive(Clone, Debug)]
pub struct Rows {
    /// x \[T, width\].
    pub x: [f32; TOKENS * WIDTH],
    /// z \[T, width\].
    pub gate: [f32; TOKENS * WIDTH],
    /// \[width\], bf16.
    pub weight: [u8; WIDTH * 2],
    /// \[width\], f32.
    pub bias: [u8; WIDTH * 4],
}

impl Rows {
    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers(), gate: draw.numbers(), weight: draw.bf16(), bias: draw.f32() }
    }

    fn weights(&self) -> Result<[Tensor<'_>; 2], OperationError> {
        let weight = Tensor::new(Dtype::Bf16, &[WIDTH], &self.weight)?;
        Ok([weight, Tensor::new(Dtype::F32, &[WIDTH], &self.bias)?])
    }
}

const DIMS: NormDims = NormDims { rows: TOKENS, width: WIDTH, epsilon: EPSILON };
const GATED: GatedNormDims =
    GatedNormDims { rows: TOKENS, width: WIDTH, groups: GROUPS, epsilon: EPSILON };

macro_rules! norm {
    ($(#[$doc:meta] $name:ident $text:literal |$b:ident, $rows:ident, $w:ident, $y:ident| $run:expr;)*) => { $(
        #[$doc]
        #[derive(Clone, Debug)]
        pub struct $name(
            /// Its inputs.
            pub Rows,
        );

        impl Operation for $name {
            const NAME: &'static str = $text;

            fn draw(draw: &mut Draw) -> Self {
                Self(Rows::draw(draw))
            }

            fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
                let $rows = &self.0;
                let $w = $rows.weights()?;
                let (mut work, mut $y) = ([0.0; WIDTH * 2], $rows.x);
                let mut $b = Reference::new(&mut work);
                $run?;
                give(out, &$y)
            }
        }
    )* };
}

norm! {
    /// RMSNorm.
    RmsNorm "rms_norm" |backend, rows, w, y|
        backend.rms_norm(&DIMS, &rows.x, &w[0], false, &mut y);
    /// RMSNorm with 1 + w.
    RmsNormOnePlus "rms_norm_one_plus" |backend, rows, w, y|
        backend.rms_norm(&DIMS, &rows.x, &w[0], true, &mut y);
    /// Mamba-2's gated norm.
    GatedRmsNorm "gated_rms_norm" |backend, rows, w, y|
        backend.gated_rms_norm(&GATED, &mut y, Columns::all(&rows.gate[..], WIDTH), &w[0]);
    /// LayerNorm.
    LayerNorm "layer_norm" |backend, rows, w, y|
        backend.layer_norm(&DIMS, &rows.x, &w[0], &w[1], &mut y);
    /// RWKV-6's gated norm.
    GatedGroupNorm "gated_group_norm" |backend, rows, w, y|
        backend.gated_group_norm(&GATED, &mut y, Columns::all(&rows.gate[..], WIDTH), &w[0], &w[1]);
}
