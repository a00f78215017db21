//! Operations on rows.

use longseq_core::backend::{
    Embedding, EmbeddingDims, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, GatherRows, LayerNorm,
    LinearMap, LowRankMap, RmsNorm, SoftCap, SquaredRelu, StateMemory,
};
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_core::numeric::low_rank::{LowRank, LowRankDims};
use longseq_core::numeric::norm::{GatedNormDims, NormDims};
use longseq_core::reference::Reference;
use proptest::collection::vec;
use proptest::prelude::*;

use super::choices::Choices;

fn embedding(of: &mut Choices<'_>) {
    let (width, rows, vocabulary) = (of.extent(), of.below(4), of.extent());
    let dims = EmbeddingDims { width, scale: of.number().into() };
    let tokens: Vec<u32> = (0..rows).map(|_| of.near(0) as u32).collect();
    let table = of.stored(width.saturating_mul(vocabulary));
    let mut out = of.numbers(rows.saturating_mul(width));
    let x = of.numbers(rows.saturating_mul(width));
    let mut backend = Reference::new(&mut []);
    let _ = backend.embedding(&dims, &tokens, &table.tensor(), &mut out);
    let gathered: Vec<usize> = (0..rows).map(|row| of.near(row)).collect();
    let _ = backend.gather_rows(width, &gathered, &x, &mut out);
}

fn norms(of: &mut Choices<'_>) {
    let groups = of.extent();
    let (rows, width, epsilon) = (of.extent(), of.near(groups.saturating_mul(3)), of.number());
    let elements = rows.saturating_mul(width);
    let dims = NormDims { rows, width, epsilon: epsilon.into() };
    let gated = GatedNormDims { rows, width, groups, epsilon: epsilon.into() };
    let (x, mut y) = (of.numbers(elements), of.numbers(elements));
    let (weight, bias) = (of.stored(width), of.stored(width));
    let (weight, bias) = (weight.tensor(), bias.tensor());
    let mut work = of.numbers(width.saturating_mul(2));
    let mut backend = Reference::new(&mut work);
    let _ = backend.rms_norm(&dims, &x, &weight, of.below(2) == 0, &mut y);
    let _ = backend.layer_norm(&dims, &x, &weight, &bias, &mut y);
    let z = of.columns(&x[..], width);
    let _ = backend.gated_rms_norm(&gated, &mut y, z, &weight);
    let z = of.columns(&x[..], width);
    let _ = backend.gated_group_norm(&gated, &mut y, z, &weight, &bias);
}

fn maps(of: &mut Choices<'_>) {
    let (rows, inputs, outputs, rank) = (of.extent(), of.extent(), of.extent(), of.extent());
    let x = of.numbers(rows.saturating_mul(inputs));
    let mut y = of.numbers(rows.saturating_mul(outputs));
    let (weight, bias) = (of.stored(inputs.saturating_mul(outputs)), of.stored(outputs));
    let dims = LinearDims { rows, inputs, outputs, accumulate: of.below(2) == 0 };
    let map = Linear { weight: weight.tensor(), bias: (of.below(2) == 0).then(|| bias.tensor()) };
    let mut work = of.numbers(inputs.saturating_add(rank));
    let (from, to) = (of.columns(&x[..], inputs), of.columns(&mut y[..], outputs));
    let _ = Reference::new(&mut work).linear(&dims, from, &map, to);
    let (down, up) =
        (of.stored(inputs.saturating_mul(rank)), of.stored(rank.saturating_mul(outputs)));
    let map = LowRank { down: down.tensor(), up: up.tensor(), bias: bias.tensor() };
    let dims = LowRankDims { rows, inputs, rank, outputs };
    let mut work = of.numbers(rank.saturating_mul(2).saturating_add(outputs));
    let (from, to) = (of.columns(&x[..], inputs), of.columns(&mut y[..], outputs));
    let _ = Reference::new(&mut work).low_rank(&dims, from, &map, to);
}

fn pointwise(of: &mut Choices<'_>) {
    let (rows, width) = (of.extent(), of.extent());
    let elements = rows.saturating_mul(width);
    let (x, mut y) = (of.numbers(elements), of.numbers(elements));
    let (activation, accumulate) = (Activation::Silu, of.below(2) == 0);
    let dims = GluDims { rows, width, activation, accumulate };
    let (up, gate) = (of.columns(&x[..], width), of.columns(&x[..], width));
    let mut backend = Reference::new(&mut []);
    let _ = backend.gated_linear_unit(&dims, up, gate, &mut y);
    let _ = backend.squared_relu(rows, width, of.columns(&mut y[..], width));
    let _ = backend.soft_cap(of.near(elements), of.number().into(), &mut y);
    let (start, end) = (of.near(0), of.near(elements));
    let _ = backend.clear(&mut y, start..end);
    let _ = backend.copy_within(&mut y, of.near(0)..end, of.near(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn operations_on_rows_compute_or_refuse(bytes in vec(any::<u8>(), 0..80)) {
        for operation in [embedding, norms, maps, pointwise] {
            operation(&mut Choices::new(&bytes));
        }
    }
}
