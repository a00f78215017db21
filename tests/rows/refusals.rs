//! Operands that do not fit are refused before anything is written.

use std::borrow::{Borrow, BorrowMut};

use longseq_core::backend::{
    Columns, Embedding, EmbeddingDims, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, GatherRows,
    LayerNorm, LinearMap, LowRankMap, RmsNorm, SoftCap, SquaredRelu,
};
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_core::numeric::low_rank::{LowRank, LowRankDims};
use longseq_core::numeric::norm::{GatedNormDims, NormDims};
use longseq_core::numeric::tensor::{Dtype, Tensor};

use super::bytes;
use crate::transfer::{Take, Transfer};

const HUGE: usize = usize::MAX / 2;

fn vector<B: Take>(backend: &mut B, elements: usize) -> B::Weight {
    let stored = bytes(&vec![1.0; elements]);
    let tensor = Tensor::new(Dtype::F32, &[elements], &stored).unwrap();
    backend.take(Compute::Bf16).values(&tensor).unwrap()
}

fn matrix<B: Take>(backend: &mut B, outputs: usize, inputs: usize) -> B::Weight {
    let stored = bytes(&vec![1.0; outputs * inputs]);
    let tensor = Tensor::new(Dtype::F32, &[outputs, inputs], &stored).unwrap();
    backend.take(Compute::Bf16).linear(&[&Linear { weight: tensor, bias: None }]).unwrap().weight
}

/// Runs with a buffer of `elements` sevens, which a refusal leaves.
fn refused<B: Transfer<Scalar = f32>>(
    backend: &mut B,
    elements: usize,
    call: impl FnOnce(&mut B, &mut B::Buffer) -> Result<(), B::Error>,
) -> bool {
    let mut out = backend.put(&vec![7.0; elements]);
    let failed = call(backend, out.borrow_mut()).is_err();
    assert_eq!(failed, backend.get(&out).iter().all(|&x| x == 7.0));
    failed
}

/// Norms of rows.
pub fn norms<B: Take + Transfer<Scalar = f32> + RmsNorm + LayerNorm>(backend: &mut B) {
    let mut norm = |rows, width, x: usize, weight, out| {
        let dims = NormDims { rows, width, epsilon: 1e-5 };
        let x = backend.put(&vec![1.0; x]);
        let (w, b) = (vector(backend, weight), vector(backend, width.min(9)));
        let rms = refused(backend, out, |of, out| of.rms_norm(&dims, x.borrow(), &w, false, out));
        let layer = refused(backend, out, |of, out| of.layer_norm(&dims, x.borrow(), &w, &b, out));
        assert_eq!(rms, layer);
        rms
    };
    assert!(!norm(2, 3, 6, 3, 6));
    assert!(norm(2, 3, 5, 3, 6) && norm(2, 3, 6, 2, 6) && norm(2, 3, 6, 3, 5));
    assert!(norm(2, 0, 6, 0, 6) && norm(HUGE, 3, 6, 3, 6) && norm(HUGE, HUGE, 6, 3, 6));
    let dims = NormDims { rows: 1, width: 3, epsilon: 1e-5 };
    let x = backend.put(&[1.0; 3]);
    let (w, b, m) = (vector(backend, 3), vector(backend, 2), matrix(backend, 3, 1));
    assert!(refused(backend, 3, |of, out| of.layer_norm(&dims, x.borrow(), &w, &b, out)));
    assert!(refused(backend, 3, |of, out| of.rms_norm(&dims, x.borrow(), &m, false, out)));
}

/// Norms of groups of channels, with a gate.
pub fn gated_norms<B>(backend: &mut B)
where
    B: Take + Transfer<Scalar = f32> + GatedRmsNorm + GatedGroupNorm,
{
    let mut norm = |rows, width, groups, x, gate: usize, weight| {
        let dims = GatedNormDims { rows, width, groups, epsilon: 1e-5 };
        let gates = backend.put(&vec![2.0; gate]);
        let (w, b) = (vector(backend, weight), vector(backend, width.min(9)));
        let by = || Columns::from(gates.borrow(), 5, 1);
        let rms = refused(backend, x, |of, x| of.gated_rms_norm(&dims, x, by(), &w));
        let group = refused(backend, x, |of, x| of.gated_group_norm(&dims, x, by(), &w, &b));
        assert_eq!(rms, group);
        rms
    };
    assert!(!norm(2, 4, 2, 8, 10, 4));
    assert!(norm(2, 4, 2, 7, 10, 4) && norm(2, 4, 2, 8, 9, 4) && norm(2, 4, 2, 8, 10, 3));
    assert!(norm(2, 4, 3, 8, 10, 4) && norm(2, 4, 0, 8, 10, 4) && norm(2, 4, 8, 8, 10, 4));
    assert!(norm(2, 5, 1, 10, 10, 5) && norm(2, 0, 0, 8, 10, 0) && norm(HUGE, 4, 2, 8, 10, 4));
    let dims = GatedNormDims { rows: 1, width: 4, groups: 2, epsilon: 1e-5 };
    let gates = backend.put(&[2.0; 4]);
    let gate = Columns::all(gates.borrow(), 4);
    let (w, b) = (vector(backend, 4), vector(backend, 3));
    assert!(refused(backend, 4, |of, x| of.gated_group_norm(&dims, x, gate, &w, &b)));
}

/// Pointwise functions.
pub fn activations<B>(backend: &mut B)
where
    B: Transfer<Scalar = f32> + GatedLinearUnit + SquaredRelu + SoftCap,
{
    let mut gate = |rows, width, up: usize, gate: usize, out| {
        let (up, gate) = (backend.put(&vec![2.0; up]), backend.put(&vec![2.0; gate]));
        let dims = GluDims { rows, width, activation: Activation::Silu, accumulate: false };
        let (up, gate) = (Columns::from(up.borrow(), 4, 1), Columns::from(gate.borrow(), 5, 2));
        refused(backend, out, |of, out| of.gated_linear_unit(&dims, up, gate, out))
    };
    assert!(!gate(2, 3, 8, 10, 6));
    assert!(gate(2, 3, 7, 10, 6) && gate(2, 3, 8, 9, 6) && gate(2, 3, 8, 10, 5));
    assert!(gate(2, 4, 8, 10, 8) && gate(2, 0, 8, 10, 6) && gate(HUGE, 3, 8, 10, 6));
    let mut square = |rows, width, stride, offset| {
        refused(backend, 8, |of, x| of.squared_relu(rows, width, Columns::from(x, stride, offset)))
    };
    assert!(!square(2, 3, 4, 1));
    assert!(square(3, 3, 4, 1) && square(2, 4, 4, 1) && square(2, 1, 4, usize::MAX));
    assert!(square(HUGE, 1, 4, 0));
    // Of rows without columns any number would fit.
    assert!(square(1, 0, 4, 0) && square(usize::MAX, 0, 0, 0));
    assert!(!refused(backend, 2, |of, x| of.soft_cap(2, 3.0, x)));
    assert!(refused(backend, 2, |of, x| of.soft_cap(3, 3.0, x)));
}

/// Rows of tables and of activations.
pub fn tables<B: Take + Transfer<Scalar = f32> + Embedding + GatherRows>(backend: &mut B) {
    let table = matrix(backend, 4, 3);
    let mut look_up = |width, tokens: &[u32], out| {
        let dims = EmbeddingDims { width, scale: 1.0 };
        refused(backend, out, |of, out| of.embedding(&dims, tokens, &table, out))
    };
    assert!(!look_up(3, &[3, 0], 6));
    assert!(look_up(3, &[3, 0], 5) && look_up(3, &[0, 4], 6) && look_up(0, &[0], 6));
    assert!(look_up(2, &[0], 6) && look_up(4, &[0], 6));
    assert!(look_up(3, &[u32::MAX], 6) && look_up(HUGE, &[1, 2, 3], 6));
    let dims = EmbeddingDims { width: 3, scale: 1.0 };
    let values = vector(backend, 12);
    assert!(refused(backend, 3, |of, out| of.embedding(&dims, &[0], &values, out)));
    let x = backend.put(&[2.0; 12]);
    let mut gather = |width, rows: &[usize], out| {
        refused(backend, out, |of, out| of.gather_rows(width, rows, x.borrow(), out))
    };
    assert!(!gather(3, &[3, 0], 6));
    assert!(gather(3, &[3, 0], 5) && gather(3, &[0, 4], 6) && gather(0, &[0], 6));
    assert!(gather(3, &[usize::MAX], 6) && gather(HUGE, &[1, 2, 3], 6));
}

/// Linear maps.
pub fn maps<B: Take + Transfer<Scalar = f32> + LinearMap + LowRankMap>(backend: &mut B) {
    let mut low_rank = |[rows, inputs, rank, outputs]: [usize; 4], x: usize, out, bias| {
        let dims = LowRankDims { rows, inputs, rank, outputs };
        let x = backend.put(&vec![1.0; x]);
        let (down, up) = (matrix(backend, 2, 3), matrix(backend, 4, 2));
        let map = LowRank { down, up, bias: vector(backend, bias) };
        let x = Columns::from(x.borrow(), 4, 1);
        refused(backend, out, |of, out| of.low_rank(&dims, x, &map, Columns::from(out, 5, 1)))
    };
    let dims = [2, 3, 2, 4];
    assert!(!low_rank(dims, 8, 10, 4));
    assert!(low_rank(dims, 7, 10, 4) && low_rank(dims, 8, 9, 4) && low_rank(dims, 8, 10, 3));
    for wrong in [[2, 2, 2, 4], [2, 3, 1, 4], [2, 3, 2, 3], [2, 3, 0, 4], [HUGE, 3, 2, 4]] {
        assert!(low_rank(wrong, 8, 10, wrong[3]), "{wrong:?}");
    }
    let x = backend.put(&[1.0; 3]);
    let x = || Columns::all(x.borrow(), 3);
    let dims = LowRankDims { rows: 1, inputs: 3, rank: 2, outputs: 4 };
    // A vector in place of a matrix, a matrix of another size, and maps of nothing.
    for (down, up, inputs) in [(None, 2, 3), (Some(3), 3, 3), (Some(0), 2, 0)] {
        let down = match down {
            Some(inputs) => matrix(backend, 2, inputs),
            None => vector(backend, 6),
        };
        let map = LowRank { down, up: matrix(backend, 4, up), bias: vector(backend, 4) };
        let dims = LowRankDims { inputs, ..dims };
        assert!(refused(backend, 4, |of, out| {
            of.low_rank(&dims, x(), &map, Columns::all(out, 4))
        }));
    }
    let dims = LinearDims { rows: 1, inputs: 0, outputs: 2, accumulate: false };
    let map = Linear { weight: matrix(backend, 2, 0), bias: None };
    let map_refused = |backend: &mut B, dims: &LinearDims, map: &Linear<B::Weight>| {
        refused(backend, 2, |of, out| of.linear(dims, x(), map, Columns::all(out, 2)))
    };
    assert!(map_refused(backend, &dims, &map));
    // A bias or a weight of another size.
    let dims = LinearDims { inputs: 3, ..dims };
    for (outputs, bias) in [(2, 3), (3, 2)] {
        let bias = Some(vector(backend, bias));
        let map = Linear { weight: matrix(backend, outputs, 3), bias };
        assert!(map_refused(backend, &dims, &map));
    }
}
