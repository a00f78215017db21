//! Every operation on rows of activations, to be run by any backend.

use std::borrow::{Borrow, BorrowMut};

use longseq_core::backend::{Backend, Columns};
use longseq_core::numeric::Real;
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::low_rank::LowRankDims;
use longseq_core::numeric::norm::{GatedNormDims, NormDims};

use super::{RANK, Weights};
use crate::transfer::{Put, Transfer};

const EPSILON: f64 = 1e-5;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "named as the operations and their parameters")]
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
    /// Those whose results may be bf16.
    pub fn before_products(groups: usize) -> Vec<Self> {
        let rounds = |operation: &Self| match operation {
            Self::Gate { accumulate, .. } => !accumulate,
            Self::SquaredRelu | Self::SoftCap | Self::LowRank => false,
            _ => true,
        };
        Self::all(groups).into_iter().filter(rounds).collect()
    }

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
pub fn run<B>(
    backend: &mut B,
    operation: Operation,
    weights: &Weights<B::Weight>,
    inputs: (&[B::Scalar], &[B::Scalar]),
) -> Vec<B::Scalar>
where
    B: Backend + Transfer,
{
    run_to(backend, (operation, B::put), weights, inputs)
}

/// The same with a buffer for outputs that `put` makes.
pub fn run_to<B>(
    backend: &mut B,
    (operation, put): (Operation, Put<B>),
    weights: &Weights<B::Weight>,
    (x, wide): (&[B::Scalar], &[B::Scalar]),
) -> Vec<B::Scalar>
where
    B: Backend + Transfer,
{
    let Weights { width, weight, bias, low_rank } = weights;
    let (width, stride) = (*width, wide_width(*width));
    let rows = x.len() / width;
    let nan = B::Scalar::from_f64(f64::NAN);
    // In place where that is how it works, with something behind that is not the operation's.
    let before = match operation {
        Operation::RmsNorm { .. } | Operation::LayerNorm => vec![nan; x.len()],
        Operation::Gate { accumulate: false, .. } => vec![nan; x.len()],
        Operation::SquaredRelu => wide.to_vec(),
        Operation::LowRank => vec![nan; rows * stride],
        _ => x.to_vec(),
    };
    let mut held = put(backend, &[&before[..], &[nan; 3]].concat());
    let (x, wide) = (backend.put(x), backend.put(wide));
    let (out, x, wide) = (held.borrow_mut(), x.borrow(), wide.borrow());
    let (up, gate) = (Columns::from(wide, stride, 1), Columns::from(wide, stride, width + 2));
    let norm = NormDims { rows, width, epsilon: EPSILON };
    let gated = |groups| GatedNormDims { rows, width, groups, epsilon: EPSILON };
    match operation {
        Operation::RmsNorm { one_plus } => backend.rms_norm(&norm, x, weight, one_plus, out),
        Operation::LayerNorm => backend.layer_norm(&norm, x, weight, bias, out),
        Operation::GatedRmsNorm { groups } => {
            backend.gated_rms_norm(&gated(groups), out, gate, weight)
        }
        Operation::GatedGroupNorm { groups } => {
            backend.gated_group_norm(&gated(groups), out, gate, weight, bias)
        }
        Operation::Gate { activation, accumulate } => {
            let dims = GluDims { rows, width, activation, accumulate };
            backend.gated_linear_unit(&dims, up, gate, out)
        }
        Operation::SquaredRelu => backend.squared_relu(rows, width, Columns::from(out, stride, 1)),
        Operation::SoftCap => backend.soft_cap(rows * width, 30.0, out),
        Operation::LowRank => {
            // Only some columns of the output are the operation's.
            let dims = LowRankDims { rows, inputs: width, rank: RANK, outputs: width };
            backend.low_rank(&dims, up, low_rank, Columns::from(out, stride, 2))
        }
    }
    .unwrap();
    let mut out = backend.get(&held);
    let tail = out.split_off(out.len() - 3);
    assert!(tail.iter().all(|x| x.is_nan()), "{operation:?} wrote beyond its rows");
    if operation == Operation::LowRank {
        for row in out.chunks_mut(stride) {
            let (before, rest) = row.split_at_mut(2);
            let (_, after) = rest.split_at_mut(width);
            for x in before.iter_mut().chain(after) {
                assert!(x.is_nan(), "a column of others was written to");
                *x = B::Scalar::ZERO;
            }
        }
    }
    out
}
