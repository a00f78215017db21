//! Every operation on rows of activations, to be run by any backend.

use longseq_core::backend::{
    Columns, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, LayerNorm, LowRankMap, RmsNorm,
    SoftCap, SquaredRelu,
};
use longseq_core::numeric::Real;
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::low_rank::LowRankDims;
use longseq_core::numeric::norm::{GatedNormDims, NormDims};

use super::{RANK, Weights};

const EPSILON: f64 = 1e-5;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    RmsNorm { one_plus: bool },
    LayerNorm,
    GatedRmsNorm { groups: usize },
    GatedGroupNorm { groups: usize },
    Gate { activation: Activation, accumulate: bool },
    SquaredRelu,
    SoftCap,
    LowRank,
}

impl Operation {
    /// All of them; `groups` divides the width.
    pub fn all(groups: usize) -> Vec<Self> {
        let activations =
            [Activation::Identity, Activation::Silu, Activation::GeluTanh, Activation::Sigmoid];
        let gates = activations.into_iter().flat_map(|activation| {
            [false, true].map(|accumulate| Self::Gate { activation, accumulate })
        });
        let others = [
            Self::RmsNorm { one_plus: false },
            Self::RmsNorm { one_plus: true },
            Self::LayerNorm,
            Self::GatedRmsNorm { groups },
            Self::GatedGroupNorm { groups },
            Self::SquaredRelu,
            Self::SoftCap,
            Self::LowRank,
        ];
        others.into_iter().chain(gates).collect()
    }
}

/// Elements of a row of `wide`: a column, x, a column, the gate, two columns.
pub const fn wide_width(width: usize) -> usize {
    2 * width + 4
}

/// What the operation makes of `x` \[rows, width\] and `wide` \[rows, [`wide_width`]\]. Buffers for outputs hold NaN and
/// are longer than needed.
pub fn run<R: Real, B>(
    backend: &mut B,
    operation: Operation,
    weights: &Weights<B::Weight>,
    (x, wide): (&[R], &[R]),
) -> Vec<R>
where
    B: RmsNorm<Buffer = [R]>
        + LayerNorm
        + GatedRmsNorm
        + GatedGroupNorm
        + GatedLinearUnit
        + SquaredRelu
        + SoftCap
        + LowRankMap,
    B::Error: std::fmt::Debug,
{
    let Weights { width, weight, bias, low_rank } = weights;
    let (width, stride) = (*width, wide_width(*width));
    let rows = x.len() / width;
    let (up, gate) = (Columns::from(wide, stride, 1), Columns::from(wide, stride, width + 2));
    let norm = NormDims { rows, width, epsilon: EPSILON };
    let gated = |groups| GatedNormDims { rows, width, groups, epsilon: EPSILON };
    let nan = R::from_f64(f64::NAN);
    // In place, with something behind that is not the operation's.
    let mut out = [x, &[nan; 3]].concat();
    match operation {
        Operation::RmsNorm { one_plus } => {
            out.fill(nan);
            backend.rms_norm(&norm, x, weight, one_plus, &mut out)
        }
        Operation::LayerNorm => {
            out.fill(nan);
            backend.layer_norm(&norm, x, weight, bias, &mut out)
        }
        Operation::GatedRmsNorm { groups } => {
            backend.gated_rms_norm(&gated(groups), &mut out, gate, weight)
        }
        Operation::GatedGroupNorm { groups } => {
            backend.gated_group_norm(&gated(groups), &mut out, gate, weight, bias)
        }
        Operation::Gate { activation, accumulate } => {
            if !accumulate {
                out.fill(nan);
            }
            let dims = GluDims { rows, width, activation, accumulate };
            backend.gated_linear_unit(&dims, up, gate, &mut out)
        }
        Operation::SquaredRelu => {
            out = [wide, &[nan; 3]].concat();
            backend.squared_relu(rows, width, Columns::from(&mut out[..], stride, 1))
        }
        Operation::SoftCap => backend.soft_cap(rows * width, 30.0, &mut out),
        Operation::LowRank => {
            // Only some columns of the output are the operation's.
            out = vec![nan; rows * stride + 3];
            let dims = LowRankDims { rows, inputs: width, rank: RANK, outputs: width };
            let columns = Columns::from(&mut out[..], stride, 2);
            let result = backend.low_rank(&dims, up, low_rank, columns);
            for row in out[..rows * stride].chunks_mut(stride) {
                let (before, rest) = row.split_at_mut(2);
                let (_, after) = rest.split_at_mut(width);
                for x in before.iter_mut().chain(after) {
                    assert!(x.is_nan(), "a column of others was written to");
                    *x = R::ZERO;
                }
            }
            result
        }
    }
    .unwrap();
    let tail = out.split_off(out.len() - 3);
    assert!(tail.iter().all(|x| x.is_nan()), "{operation:?} wrote beyond its rows");
    out
}
