//! Operands that do not fit are refused before anything is written.

use longseq_core::backend::{
    Columns, Embedding, EmbeddingDims, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, GatherRows,
    LayerNorm, LinearMap, LowRankMap, RmsNorm, SoftCap, SquaredRelu,
};
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_core::numeric::low_rank::{LowRank, LowRankDims};
use longseq_core::numeric::norm::{GatedNormDims, NormDims};
use longseq_cpu::gemm::{Packed, Stored};
use longseq_cpu::{Cpu, CpuError, isa::Isa, weight::Weight};

const HUGE: usize = usize::MAX / 2;

fn cpu() -> Cpu {
    Cpu::new(Isa::best())
}

fn vector(elements: usize) -> Weight {
    Weight::Values(vec![1.0; elements])
}

fn matrix(outputs: usize, inputs: usize) -> Weight {
    let ones = |_, row: &mut [f32]| -> Result<(), CpuError> {
        row.fill(1.0);
        Ok(())
    };
    Weight::Matrices([Packed::new((outputs, inputs), Stored::Bf16, ones).unwrap()].into())
}

/// Runs with a buffer of `elements` sevens, which a refusal leaves.
fn refused(elements: usize, call: impl FnOnce(&mut [f32]) -> Result<(), CpuError>) -> bool {
    let mut out = vec![7.0; elements];
    let failed = call(&mut out).is_err();
    assert_eq!(failed, out.iter().all(|&x| x == 7.0));
    failed
}

#[test]
fn norms() {
    let norm = |rows, width, x: usize, weight, out| {
        let dims = NormDims { rows, width, epsilon: 1e-5 };
        let x = vec![1.0; x];
        let (w, b) = (vector(weight), vector(width.min(9)));
        let rms = refused(out, |out| cpu().rms_norm(&dims, &x, &w, false, out));
        let layer = refused(out, |out| cpu().layer_norm(&dims, &x, &w, &b, out));
        assert_eq!(rms, layer);
        rms
    };
    assert!(!norm(2, 3, 6, 3, 6));
    assert!(norm(2, 3, 5, 3, 6) && norm(2, 3, 6, 2, 6) && norm(2, 3, 6, 3, 5));
    assert!(norm(2, 0, 6, 0, 6) && norm(HUGE, 3, 6, 3, 6) && norm(HUGE, HUGE, 6, 3, 6));
    let dims = NormDims { rows: 1, width: 3, epsilon: 1e-5 };
    let x = [1.0; 3];
    assert!(refused(3, |out| cpu().layer_norm(&dims, &x, &vector(3), &vector(2), out)));
    assert!(refused(3, |out| cpu().rms_norm(&dims, &x, &matrix(3, 1), false, out)));
}

#[test]
fn gated_norms() {
    let norm = |rows, width, groups, x, gate: usize, weight| {
        let dims = GatedNormDims { rows, width, groups, epsilon: 1e-5 };
        let gates = vec![2.0; gate];
        let (w, b) = (vector(weight), vector(width.min(9)));
        let by = || Columns::from(&gates[..], 5, 1);
        let rms = refused(x, |x| cpu().gated_rms_norm(&dims, x, by(), &w));
        let group = refused(x, |x| cpu().gated_group_norm(&dims, x, by(), &w, &b));
        assert_eq!(rms, group);
        rms
    };
    assert!(!norm(2, 4, 2, 8, 10, 4));
    assert!(norm(2, 4, 2, 7, 10, 4) && norm(2, 4, 2, 8, 9, 4) && norm(2, 4, 2, 8, 10, 3));
    assert!(norm(2, 4, 3, 8, 10, 4) && norm(2, 4, 0, 8, 10, 4) && norm(2, 4, 8, 8, 10, 4));
    assert!(norm(2, 5, 1, 10, 10, 5) && norm(2, 0, 0, 8, 10, 0) && norm(HUGE, 4, 2, 8, 10, 4));
    let dims = GatedNormDims { rows: 1, width: 4, groups: 2, epsilon: 1e-5 };
    let gate = || Columns::all(&[2.0; 4][..], 4);
    assert!(refused(4, |x| cpu().gated_group_norm(&dims, x, gate(), &vector(4), &vector(3))));
}

#[test]
fn activations() {
    let gate = |rows, width, up: usize, gate: usize, out| {
        let (up, gate) = (vec![2.0; up], vec![2.0; gate]);
        let dims = GluDims { rows, width, activation: Activation::Silu, accumulate: false };
        let (up, gate) = (Columns::from(&up[..], 4, 1), Columns::from(&gate[..], 5, 2));
        refused(out, |out| cpu().gated_linear_unit(&dims, up, gate, out))
    };
    assert!(!gate(2, 3, 8, 10, 6));
    assert!(gate(2, 3, 7, 10, 6) && gate(2, 3, 8, 9, 6) && gate(2, 3, 8, 10, 5));
    assert!(gate(2, 4, 8, 10, 8) && gate(2, 0, 8, 10, 6) && gate(HUGE, 3, 8, 10, 6));
    let square = |rows, width, stride, offset| {
        refused(8, |x| cpu().squared_relu(rows, width, Columns::from(x, stride, offset)))
    };
    assert!(!square(2, 3, 4, 1));
    assert!(square(3, 3, 4, 1) && square(2, 4, 4, 1) && square(2, 1, 4, usize::MAX));
    assert!(square(HUGE, 1, 4, 0));
    // Nothing of each of many rows is nothing.
    let mut x = [7.0];
    assert_eq!(cpu().squared_relu(usize::MAX, 0, Columns::from(&mut x[..], 0, 0)), Ok(()));
    assert!(
        !refused(2, |x| cpu().soft_cap(2, 3.0, x)) && refused(2, |x| cpu().soft_cap(3, 3.0, x))
    );
}

#[test]
fn tables() {
    let table = matrix(4, 3);
    let look_up = |width, tokens: &[u32], out| {
        let dims = EmbeddingDims { width, scale: 1.0 };
        refused(out, |out| cpu().embedding(&dims, tokens, &table, out))
    };
    assert!(!look_up(3, &[3, 0], 6));
    assert!(look_up(3, &[3, 0], 5) && look_up(3, &[0, 4], 6) && look_up(0, &[0], 6));
    assert!(look_up(2, &[0], 6) && look_up(4, &[0], 6));
    assert!(look_up(3, &[u32::MAX], 6) && look_up(HUGE, &[1, 2, 3], 6));
    let dims = EmbeddingDims { width: 3, scale: 1.0 };
    assert!(refused(3, |out| cpu().embedding(&dims, &[0], &vector(12), out)));
    let gather = |width, rows: &[usize], out| {
        refused(out, |out| cpu().gather_rows(width, rows, &[2.0; 12], out))
    };
    assert!(!gather(3, &[3, 0], 6));
    assert!(gather(3, &[3, 0], 5) && gather(3, &[0, 4], 6) && gather(0, &[0], 6));
    assert!(gather(3, &[usize::MAX], 6) && gather(HUGE, &[1, 2, 3], 6));
}

#[test]
fn maps() {
    let low_rank = |[rows, inputs, rank, outputs]: [usize; 4], x: usize, out, bias| {
        let dims = LowRankDims { rows, inputs, rank, outputs };
        let x = vec![1.0; x];
        let map = LowRank { down: matrix(2, 3), up: matrix(4, 2), bias: vector(bias) };
        refused(out, |out| {
            let out = Columns::from(out, 5, 1);
            cpu().low_rank(&dims, Columns::from(&x[..], 4, 1), &map, out)
        })
    };
    let dims = [2, 3, 2, 4];
    assert!(!low_rank(dims, 8, 10, 4));
    assert!(low_rank(dims, 7, 10, 4) && low_rank(dims, 8, 9, 4) && low_rank(dims, 8, 10, 3));
    for wrong in [[2, 2, 2, 4], [2, 3, 1, 4], [2, 3, 2, 3], [2, 3, 0, 4], [HUGE, 3, 2, 4]] {
        assert!(low_rank(wrong, 8, 10, wrong[3]), "{wrong:?}");
    }
    let dims = LowRankDims { rows: 1, inputs: 3, rank: 2, outputs: 4 };
    let map = LowRank { down: vector(6), up: matrix(4, 2), bias: vector(4) };
    let x = || Columns::all(&[1.0; 3][..], 3);
    assert!(refused(4, |out| cpu().low_rank(&dims, x(), &map, Columns::all(out, 4))));
    let map = LowRank { down: matrix(2, 3), up: matrix(4, 3), bias: vector(4) };
    assert!(refused(4, |out| cpu().low_rank(&dims, x(), &map, Columns::all(out, 4))));
    // Maps of nothing.
    let dims = LowRankDims { inputs: 0, ..dims };
    let map = LowRank { down: matrix(2, 0), ..map };
    assert!(refused(4, |out| cpu().low_rank(&dims, x(), &map, Columns::all(out, 4))));
    let dims = LinearDims { rows: 1, inputs: 0, outputs: 2, accumulate: false };
    let map = Linear { weight: matrix(2, 0), bias: None };
    assert!(refused(2, |out| cpu().linear(&dims, x(), &map, Columns::all(out, 2))));
}
