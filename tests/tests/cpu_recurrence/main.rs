//! The CPU backend's operations with a carried state, against the reference and against themselves: other threads,
//! other batches, other splits.

mod causal_conv1d;
mod rg_lru;
mod ssd;
mod token_shift;
mod wkv6;

use std::ops::Range;

use longseq_core::batch::{Batch, Sequences};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_core::statistics::draws::Draws;
use longseq_cpu::gemm::{Packed, Stored};
use longseq_cpu::{Cpu, CpuError, isa::Isa, weight::Weight};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

/// An operation with its weights.
trait Operation: Sized {
    /// Columns of the rows that it reads.
    fn inputs(&self) -> usize;
    /// Columns of the rows that it writes.
    fn outputs(&self) -> usize;
    /// Elements of a sequence's state.
    fn state(&self) -> usize;
    /// Elements of work space of the reference.
    fn work(&self) -> usize;
    /// The backend that runs it.
    fn backend(&self, isa: Isa) -> Cpu {
        Cpu::new(isa)
    }
    /// Where sequences may be cut: at positions that are multiples of this.
    fn grid(&self) -> usize {
        1
    }
    fn cpu(
        &self,
        cpu: &mut Cpu,
        sequences: &Sequences<'_>,
        rows: &[f32],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result<(), CpuError>;
    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    );
    /// The same without signs, of which the results say how much was summed: cancellation is no fault of a method.
    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>);
}

/// Rows and a state for each of several sequences, the first of which continue from their position.
#[derive(Clone, Debug)]
struct Inputs {
    rows: Vec<Vec<f32>>,
    states: Vec<Vec<f32>>,
    positions: Vec<usize>,
}

/// What comes out: the same for each sequence.
#[derive(Clone, Debug, PartialEq)]
struct Outputs {
    rows: Vec<Vec<f32>>,
    states: Vec<Vec<f32>>,
}

impl Outputs {
    fn bits(&self) -> Vec<Vec<u32>> {
        let all = self.rows.iter().chain(&self.states);
        all.map(|values| values.iter().map(|x| x.to_bits()).collect()).collect()
    }
}

/// Lengths of sequences.
fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![4 => 1..12_usize, 1 => prop::sample::select(vec![63, 64, 65, 129])];
    prop_oneof![9 => prop::collection::vec(length, 1..4), 1 => Just(vec![1; 19])]
}

/// Values between -1 and 1, now and then larger.
fn noise(seed: u64, n: usize) -> Vec<f32> {
    let mut draws = Draws::new(seed);
    let mut next = || draws.bits() >> 40;
    let value = |x: u64| x as f32 / (1 << 23) as f32 - 1.0;
    (0..n).map(|_| if next() % 50 == 0 { 8.0 } else { 1.0 } * value(next())).collect()
}

impl Inputs {
    fn new(operation: &impl Operation, lengths: &[usize], seed: u64) -> Self {
        let make = |kind: u64, n: usize, number: usize| noise(seed ^ kind << 32 ^ number as u64, n);
        let numbered = lengths.iter().enumerate();
        Self {
            rows: numbered.clone().map(|(i, n)| make(1, n * operation.inputs(), i)).collect(),
            states: numbered.map(|(i, _)| make(2, operation.state(), i)).collect(),
            positions: (0..lengths.len()).map(|i| 7 * (i % 3)).collect(),
        }
    }

    fn lengths(&self, operation: &impl Operation) -> Vec<usize> {
        self.rows.iter().map(|rows| rows.len() / operation.inputs()).collect()
    }

    /// Where the states lie: slots in another order than the sequences, and something between them.
    fn slab<R: Copy>(&self, fill: R, convert: impl Fn(f32) -> R) -> (Vec<usize>, Region, Vec<R>) {
        let n = self.states.len();
        let elements = self.states[0].len();
        let region = Region { offset: 3, stride: elements + 5, elements };
        let mut slab = vec![fill; (n + 1) * region.stride];
        let slots: Vec<usize> = (0..n).map(|i| n - i).collect();
        for (&slot, state) in slots.iter().zip(&self.states) {
            let place = &mut slab[region.slot(slot)];
            place.iter_mut().zip(state).for_each(|(place, &x)| *place = convert(x));
        }
        (slots, region, slab)
    }

    /// Makes calls, each with some tokens of some sequences.
    fn run(&self, op: &impl Operation, isa: Isa, calls: &[Vec<(usize, Range<usize>)>]) -> Outputs {
        let mut cpu = op.backend(isa);
        let (slots, region, mut slab) = self.slab(f32::NAN, |x| x);
        let mut positions = vec![0; slots.len() + 1];
        slots.iter().zip(&self.positions).for_each(|(&slot, &at)| positions[slot] = at);
        let mut found = vec![vec![]; slots.len()];
        for call in calls {
            let rows = call.iter().flat_map(|(i, range)| {
                &self.rows[*i][range.start * op.inputs()..range.end * op.inputs()]
            });
            let rows: Vec<f32> = rows.copied().collect();
            let mut ends = vec![0];
            ends.extend(call.iter().scan(0, |end, (_, range)| {
                *end += range.len();
                Some(*end)
            }));
            let tokens = vec![0; *ends.last().unwrap()];
            let call_slots: Vec<usize> = call.iter().map(|(i, _)| slots[*i]).collect();
            let batch = Batch::new(&tokens, &ends, &call_slots, &[]).unwrap();
            let mut out = vec![f32::NAN; tokens.len() * op.outputs()];
            let state = StateMut { buffer: &mut slab[..], region };
            op.cpu(&mut cpu, &batch.sequences(&positions), &rows, state, &mut out).unwrap();
            for ((i, range), pair) in call.iter().zip(ends.windows(2)) {
                found[*i].extend(&out[pair[0] * op.outputs()..pair[1] * op.outputs()]);
                positions[slots[*i]] += range.len();
            }
        }
        let states = slots.iter().map(|&slot| slab[region.slot(slot)].to_vec()).collect();
        for slot in 0..=slots.len() {
            let between = &slab[slot * region.stride..][..region.stride];
            let (before, after) = (&between[..3], &between[3 + region.elements..]);
            assert!(before.iter().chain(after).all(|x| x.is_nan()), "written between the states");
        }
        Outputs { rows: found, states }
    }

    /// All in one call.
    fn whole(&self, op: &impl Operation) -> Vec<Vec<(usize, Range<usize>)>> {
        vec![self.lengths(op).into_iter().map(|n| 0..n).enumerate().collect()]
    }

    /// The results of the reference, sequence after sequence: rows, then states.
    fn expected(&self, op: &impl Operation, unsigned: bool) -> (Vec<f64>, Vec<f64>) {
        let sign = |x: f32| if unsigned { f64::from(x.abs()) } else { f64::from(x) };
        let (slots, region, mut slab) = self.slab(f64::NAN, sign);
        let mut positions = vec![0; slots.len() + 1];
        slots.iter().zip(&self.positions).for_each(|(&slot, &at)| positions[slot] = at);
        let mut ends = vec![0];
        ends.extend(self.lengths(op).iter().scan(0, |end, n| {
            *end += n;
            Some(*end)
        }));
        let tokens = vec![0; *ends.last().unwrap()];
        let batch = Batch::new(&tokens, &ends, &slots, &[]).unwrap();
        let rows: Vec<f64> = self.rows.iter().flatten().map(|&x| f64::from(x)).collect();
        let mut out = vec![f64::NAN; tokens.len() * op.outputs()];
        let mut work = vec![f64::NAN; op.work()];
        let state = StateMut { buffer: &mut slab[..], region };
        let (changed, positive) = op.unsigned(&rows);
        let (op, rows) = if unsigned { (&changed, positive) } else { (op, rows) };
        let mut backend = Reference::new(&mut work);
        op.reference(&mut backend, &batch.sequences(&positions), &rows, state, &mut out);
        let states = slots.iter().flat_map(|&slot| slab[region.slot(slot)].to_vec()).collect();
        (out, states)
    }
}

/// RMS of the difference over RMS of `size`.
fn relative_rms(found: &[f64], expected: &[f64], size: &[f64]) -> f64 {
    assert!(found.len() == expected.len() && found.len() == size.len());
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let difference = squares(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    let size = squares(&mut size.iter().copied());
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}

/// Compares with the reference on every instruction set.
fn is_near(op: &impl Operation, inputs: &Inputs, bound: f64) -> Result<(), TestCaseError> {
    let (rows, states) = inputs.expected(op, false);
    let (row_sizes, state_sizes) = inputs.expected(op, true);
    for isa in Isa::all() {
        let found = inputs.run(op, isa, &inputs.whole(op));
        let flat = |of: &[Vec<f32>]| of.iter().flatten().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let error = relative_rms(&flat(&found.rows), &rows, &row_sizes);
        prop_assert!(error < bound, "{isa}: {error} in the rows");
        let error = relative_rms(&flat(&found.states), &states, &state_sizes);
        prop_assert!(error < bound, "{isa}: {error} in the states");
    }
    Ok(())
}

/// Compares to the bit every sequence by itself, cut in two, and cut wherever it may be.
fn is_the_same_anyhow(op: &impl Operation, inputs: &Inputs) -> Result<(), TestCaseError> {
    let lengths = inputs.lengths(op);
    let alone = lengths.iter().enumerate().rev().map(|(i, &n)| vec![(i, 0..n)]);
    let pieces: Vec<Vec<Range<usize>>> = lengths
        .iter()
        .zip(&inputs.positions)
        .map(|(&n, &position)| {
            let cuts = (1..n).filter(|cut| (position + cut).is_multiple_of(op.grid()));
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
    for isa in Isa::all() {
        let expected = inputs.run(op, isa, &ways[0]).bits();
        for (way, calls) in ways.iter().enumerate() {
            let calls: Vec<_> = calls.iter().filter(|call| !call.is_empty()).cloned().collect();
            prop_assert!(inputs.run(op, isa, &calls).bits() == expected, "{isa}: way {way}");
        }
    }
    Ok(())
}

/// Compares to the bit on 1, 2 and 3 threads.
fn threads_do_not_matter(op: &(impl Operation + Sync), inputs: &Inputs) {
    for isa in Isa::all() {
        let found = [1, 2, 3].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| inputs.run(op, isa, &inputs.whole(op)).bits())
        });
        assert!(found[0] == found[1] && found[0] == found[2], "{isa}");
    }
}

/// Makes the states \[n, `rows`, `columns`\] of a call's sequences \[n, `columns`, `rows`\]: the backend has some of
/// them so, and the reference the other way.
fn turn(sequences: &Sequences<'_>, state: &mut StateMut<'_, [f32]>, rows: usize, columns: usize) {
    for sequence in sequences.iter() {
        let state = &mut state.buffer[state.region.slot(sequence.slot)];
        for part in state.chunks_exact_mut((rows * columns).max(1)) {
            let from = part.to_vec();
            for (i, out) in part.iter_mut().enumerate() {
                *out = from[i % rows * columns + i / rows];
            }
        }
    }
}

fn weight(values: &[f32]) -> Weight {
    Weight::Values(values.to_vec())
}

/// Matrices \[in, out\] one after the other.
fn matrices(values: &[f32], (inputs, outputs): (usize, usize), stored: Stored) -> Weight {
    let pack = |matrix: &[f32]| {
        Packed::new((outputs, inputs), stored, |n, out| {
            out.iter_mut().enumerate().for_each(|(k, out)| *out = matrix[k * outputs + n]);
            Ok::<_, CpuError>(())
        })
    };
    Weight::Matrices(values.chunks(inputs * outputs).map(|matrix| pack(matrix).unwrap()).collect())
}

/// How near matrices packed so come to the reference.
fn bound(stored: Stored) -> f64 {
    match stored {
        Stored::F32 => 1e-5,
        Stored::Bf16 => 1e-2,
    }
}

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![Just(Stored::F32), Just(Stored::Bf16)]
}

/// A weight of the reference: its bytes.
#[derive(Clone, Debug)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn new(values: &[f32]) -> Self {
        Self(values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn tensor(&self) -> Tensor<'_> {
        Tensor::new(Dtype::F32, &[self.0.len() / 4], &self.0).expect("a tensor")
    }
}
