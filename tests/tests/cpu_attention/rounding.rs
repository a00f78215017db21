//! In bf16 nothing is lost but by rounding the operands.

use std::f64::consts::LOG2_E;

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_cpu::gemm::Stored;
use longseq_cpu::isa::Isa;
use longseq_tests::attention::{Case, dims, relative};

use super::cpu;

/// Positions whose weights are rounded relative to the same largest score.
const BLOCK: usize = 128;

fn rounded(x: f64) -> f64 {
    f64::from(half::bf16::from_f32(x as f32).to_f32())
}

/// Attention in f64 of one sequence, unrotated, with queries (scaled), keys, values and weights rounded to bf16.
fn definition(case: &Case) -> Vec<f64> {
    let (dims, d) = (case.dims, case.dims.head_dim);
    let rows: Vec<&[f32]> = case.qkv[0].chunks(dims.qkv_width()).collect();
    let mut out = vec![];
    for t in 0..rows.len() {
        for head in 0..dims.heads {
            let key = dims.query_width() + head / (dims.heads / dims.kv_heads) * d;
            let at = |s: usize, i: usize| f64::from(rows[s][i]);
            let query = |i: usize| rounded(at(t, head * d + i) * dims.scale * LOG2_E);
            let score = |s| (0..d).map(|i| query(i) * rounded(at(s, key + i))).sum::<f64>();
            let scores: Vec<f64> = (0..=t).map(score).collect();
            let most = |scores: &[f64]| scores.iter().copied().fold(f64::MIN, f64::max);
            let all = most(&scores);
            let total: f64 = scores.iter().map(|score| (score - all).exp2()).sum();
            let mut sums = vec![0.0; d];
            for (block, scores) in scores.chunks(BLOCK).enumerate() {
                let most = most(scores);
                for (s, score) in scores.iter().enumerate() {
                    let weight = rounded((score - most).exp2()) * (most - all).exp2() / total;
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum += weight * rounded(at(block * BLOCK + s, key + dims.kv_width() + i));
                    }
                }
            }
            out.extend(sums);
        }
    }
    out
}

#[test]
fn only_the_operands_are_rounded() {
    for isa in Isa::all().into_iter().filter(|isa| isa.name() == "avx512bf16") {
        for head_dim in [1, 16, 33, 64] {
            for (seed, tokens) in (0..).zip([1, 2, 31, 128, 129, 300]) {
                let dims = AttentionDims { rotary: 0, ..dims((1, 3), head_dim) };
                let case = Case::new(dims, 300, &[tokens], seed);
                let (found, _) = cpu(&case, isa, Stored::Bf16, &[vec![tokens]]);
                let error = relative(&found[0], &definition(&case));
                // Where f32 and f64 lie on two sides of a middle they are rounded to two neighbours.
                assert!(error < 5e-5, "D {head_dim}, {tokens} tokens: {error:e}");
            }
        }
    }
}
