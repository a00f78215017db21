//! What holds for every operation.

use std::ops::Range;

use longseq_core::numeric::compute::Compute;
use longseq_core::state::Region;
use proptest::prelude::*;

use super::inputs::{Call, Inputs, Outputs};
use super::{Operation, Recurrent};
use crate::transfer::{Put, Take};

/// RMS of the difference over RMS of `size`.
fn relative_rms(found: &[Vec<f32>], expected: &[Vec<f64>], size: &[Vec<f64>]) -> f64 {
    let found: Vec<f64> = found.iter().flatten().map(|&x| x.into()).collect();
    let [expected, size] = [expected, size].map(|of| of.concat());
    assert!(found.len() == expected.len() && found.len() == size.len());
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let difference = squares(&mut found.iter().zip(&expected).map(|(a, b)| a - b));
    let size = squares(&mut size.iter().copied());
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}

/// Holds results to those of the reference.
fn near(
    found: &Outputs<f32>,
    (expected, sizes): (&Outputs<f64>, &Outputs<f64>),
    bound: f64,
    name: &str,
) -> Result<(), TestCaseError> {
    let error = relative_rms(&found.rows, &expected.rows, &sizes.rows);
    prop_assert!(error < bound, "{}: {} in the rows", name, error);
    let error = relative_rms(&found.states, &expected.states, &sizes.states);
    prop_assert!(error < bound, "{}: {} in the states", name, error);
    Ok(())
}

/// Compares every way of calling with the reference.
fn are_near<O: Operation, B: Recurrent<Scalar = f32> + Take>(
    (op, compute, put): (&O, Compute, Put<B>),
    inputs: &Inputs,
    backends: impl IntoIterator<Item = (String, B)>,
    ways: &[Vec<Call>],
    bound: f64,
) -> Result<(), TestCaseError> {
    let (expected, sizes) = (inputs.expected(op), inputs.sizes(op));
    for (name, mut backend) in backends {
        let weights = op.taken(&mut backend, compute);
        for (way, calls) in ways.iter().enumerate() {
            let found = inputs.run_in((op, &weights), (&mut backend, put), calls);
            near(&found, (&expected, &sizes), bound, &format!("{name}, way {way}"))?;
        }
    }
    Ok(())
}

/// Compares one call with the reference.
///
/// # Errors
/// They differ by more than the bound.
pub fn is_near<O: Operation, B: Recurrent<Scalar = f32> + Take>(
    op: &O,
    inputs: &Inputs,
    backends: impl IntoIterator<Item = (String, B)>,
    compute: Compute,
    bound: f64,
) -> Result<(), TestCaseError> {
    is_near_in((op, B::put), inputs, backends, compute, bound)
}

/// The same with outputs that `put` makes.
///
/// # Errors
/// They differ by more than the bound.
pub fn is_near_in<O: Operation, B: Recurrent<Scalar = f32> + Take>(
    (op, put): (&O, Put<B>),
    inputs: &Inputs,
    backends: impl IntoIterator<Item = (String, B)>,
    compute: Compute,
    bound: f64,
) -> Result<(), TestCaseError> {
    are_near((op, compute, put), inputs, backends, &[inputs.whole(op)], bound)
}

/// Calls that come to the same: all at once, every sequence by itself, cut in two, and cut wherever it may be, which is
/// at positions that are multiples of `grid`.
fn ways(op: &impl Operation, inputs: &Inputs, grid: usize) -> Vec<Vec<Call>> {
    let lengths = inputs.lengths(op);
    let alone = lengths.iter().enumerate().rev().map(|(i, &n)| vec![(i, 0..n)]);
    let pieces: Vec<Vec<Range<usize>>> = lengths
        .iter()
        .zip(&inputs.positions)
        .map(|(&n, &position)| {
            let cuts = (1..n).filter(|cut| (position + cut).is_multiple_of(grid));
            let starts = std::iter::once(0).chain(cuts.clone());
            starts.zip(cuts.chain([n])).map(|(start, end)| start..end).collect()
        })
        .collect();
    let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
    let steps = (0..longest).map(|number| {
        let there = pieces.iter().enumerate();
        there.filter_map(|(i, pieces)| Some((i, pieces.get(number)?.clone()))).collect()
    });
    let halves = [true, false].map(|first| {
        let of = pieces.iter().enumerate().filter_map(|(i, pieces)| {
            let (before, after) = pieces.split_at((pieces.len() * (i + 1)).div_ceil(i + 3));
            let half = if first { before } else { after };
            Some((i, half.first()?.start..half.last()?.end))
        });
        of.collect()
    });
    let ways = [inputs.whole(op), alone.collect(), halves.to_vec(), steps.collect()];
    let used = |way: Vec<Call>| way.into_iter().filter(|call: &Call| !call.is_empty()).collect();
    ways.into_iter().map(used).collect()
}

/// Compares to the bit every sequence by itself, cut in two, and cut wherever it may be.
///
/// # Errors
/// They differ.
pub fn is_the_same_anyhow<O: Operation, B: Recurrent<Scalar = f32> + Take>(
    op: &O,
    inputs: &Inputs,
    backends: impl IntoIterator<Item = (String, B)>,
    compute: Compute,
    grid: usize,
) -> Result<(), TestCaseError> {
    let ways = ways(op, inputs, grid);
    for (name, mut backend) in backends {
        let weights = op.taken(&mut backend, compute);
        let mut run = |calls: &[Call]| inputs.run((op, &weights), &mut backend, calls).bits();
        let expected = run(&ways[0]);
        for (way, calls) in ways.iter().enumerate().skip(1) {
            prop_assert!(run(calls) == expected, "{}: way {}", name, way);
        }
    }
    Ok(())
}

/// Compares the same, cut anywhere, with the reference.
///
/// # Errors
/// They differ by more than the bound.
pub fn is_near_anyhow<O: Operation, B: Recurrent<Scalar = f32> + Take>(
    op: &O,
    inputs: &Inputs,
    backends: impl IntoIterator<Item = (String, B)>,
    compute: Compute,
    bound: f64,
) -> Result<(), TestCaseError> {
    are_near((op, compute, B::put), inputs, backends, &ways(op, inputs, 1), bound)
}

/// Copies the state of the one sequence of `inputs` after its first tokens, and compares what both make of the rest.
pub fn forks_go_on_alike<O: Operation, B: Recurrent<Scalar = f32> + Take>(
    op: &O,
    inputs: &Inputs,
    backend: &mut B,
    compute: Compute,
    first: usize,
) {
    use std::borrow::BorrowMut;
    let weights = op.taken(backend, compute);
    let (slots, region) = inputs.region();
    let (from, to, length) = (slots[0], 0, inputs.lengths(op)[0]);
    assert!(slots.len() == 1 && first < length, "one sequence, longer than that");
    let mut slab = backend.put(&inputs.slab::<B>(op));
    let mut positions = vec![0; 2];
    positions[from] = inputs.positions[0];
    let run = |backend: &mut B, slab: &mut B::Owned, region, at: &mut [usize], range| {
        let calls = [vec![(0, range)]];
        let backend = (backend, B::put as Put<B>);
        inputs.continued((op, &weights), backend, (slab, region), at, &calls).expect("it fits")
    };
    run(backend, &mut slab, region, &mut positions, 0..first);
    let (piece, copy) = (region.slot(from), region.slot(to).start);
    backend.copy_within(slab.borrow_mut(), piece, copy).expect("it fits");
    let mut forked = positions.clone();
    let one = run(backend, &mut slab, region, &mut positions, first..length);
    // The copy is now where the region, moved by a slot, has the sequence's slot.
    let mut held = backend.get(&slab);
    held.splice(0..0, vec![f32::NAN; region.stride]);
    let mut moved = backend.put(&held);
    let two = run(backend, &mut moved, region, &mut forked, first..length);
    assert!(one == two && !one[0].iter().any(|x| x.is_nan()), "the copy went on otherwise");
}

/// Whether calls with too little of something are refused, each: rows, a slab, a state.
pub fn refuses<O: Operation, B: Recurrent<Scalar = f32> + Take>(op: &O, backend: &mut B) {
    let inputs = Inputs::new(op, &[2, 1], 1);
    let weights = op.taken(backend, Compute::F32);
    let (_, region) = inputs.region();
    let slab = inputs.slab::<B>(op);
    let mut call = |inputs: &Inputs, slab: &[f32], region: Region| {
        let (mut slab, mut positions) = (backend.put(slab), vec![0; 3]);
        let (of, calls) = ((op, &weights), [vec![(0, 0..2), (1, 0..1)]]);
        let backend = (&mut *backend, B::put as Put<B>);
        inputs.continued(of, backend, (&mut slab, region), &mut positions, &calls).is_ok()
    };
    assert!(call(&inputs, &slab, region));
    assert!(!call(&inputs, &slab[..slab.len() - 6], region), "a slab that ends too soon");
    let short = Region { elements: region.elements - 1, ..region };
    assert!(!call(&inputs, &slab, short), "a state that is too small");
    let over = Region { stride: region.elements - 1, ..region };
    assert!(!call(&inputs, &slab, over), "states that overlap");
    let far = Region { offset: usize::MAX, ..region };
    assert!(!call(&inputs, &slab, far), "a state beyond all memory");
}
