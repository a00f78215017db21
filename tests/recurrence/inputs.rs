//! What operations are given, and how they are called.

use std::borrow::BorrowMut;
use std::ops::Range;

use longseq_core::batch::Batch;
use longseq_core::numeric::Real;
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_core::statistics::draws::Draws;
use proptest::prelude::*;

use super::{Operation, Recurrent};
use crate::transfer::Put;

/// Rows and a state for each of several sequences, the first of which continue from their position.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Of each sequence.
    pub rows: Vec<Vec<f32>>,
    /// Of each sequence.
    pub states: Vec<Vec<f32>>,
    /// Of each sequence.
    pub positions: Vec<usize>,
}

/// What comes out: the same for each sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs<R> {
    /// Of each sequence.
    pub rows: Vec<Vec<R>>,
    /// Of each sequence.
    pub states: Vec<Vec<R>>,
}

impl<R: Real> Outputs<R> {
    /// To be compared exactly.
    pub fn bits(&self) -> Vec<Vec<u64>> {
        let all = self.rows.iter().chain(&self.states);
        all.map(|values| values.iter().map(|x| x.to_f64().to_bits()).collect()).collect()
    }
}

/// Some tokens of some sequences: one call.
pub type Call = Vec<(usize, Range<usize>)>;

/// Lengths of sequences.
pub fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![4 => 1..12_usize, 1 => prop::sample::select(vec![63, 64, 65, 129])];
    prop_oneof![9 => prop::collection::vec(length, 1..4), 1 => Just(vec![1; 19])]
}

/// Values between -1 and 1, now and then larger.
pub fn noise(seed: u64, n: usize) -> Vec<f32> {
    let mut draws = Draws::new(seed);
    let mut next = || draws.bits() >> 40;
    let value = |x: u64| x as f32 / (1 << 23) as f32 - 1.0;
    (0..n).map(|_| if next() % 50 == 0 { 8.0 } else { 1.0 } * value(next())).collect()
}

impl Inputs {
    /// Sequences of these lengths.
    pub fn new(operation: &impl Operation, lengths: &[usize], seed: u64) -> Self {
        let make = |kind: u64, n: usize, number: usize| noise(seed ^ kind << 32 ^ number as u64, n);
        let numbered = lengths.iter().enumerate();
        Self {
            rows: numbered.clone().map(|(i, n)| make(1, n * operation.inputs(), i)).collect(),
            states: numbered.map(|(i, _)| make(2, operation.state(), i)).collect(),
            positions: (0..lengths.len()).map(|i| 7 * (i % 3)).collect(),
        }
    }

    /// Tokens of each sequence.
    pub fn lengths(&self, operation: &impl Operation) -> Vec<usize> {
        self.rows.iter().map(|rows| rows.len() / operation.inputs()).collect()
    }

    /// All in one call.
    pub fn whole(&self, op: &impl Operation) -> Vec<Call> {
        vec![self.lengths(op).into_iter().map(|n| 0..n).enumerate().collect()]
    }

    /// Where the states lie: slots in another order than the sequences, and something between them. One slot more than
    /// sequences is there.
    pub fn region(&self) -> (Vec<usize>, Region) {
        let (n, elements) = (self.states.len(), self.states[0].len());
        ((0..n).map(|i| n - i).collect(), Region { offset: 3, stride: elements + 5, elements })
    }

    /// The slab of the states, as `B` holds them.
    pub fn slab<B: Recurrent>(&self, op: &impl Operation) -> Vec<B::Scalar> {
        let (slots, region) = self.region();
        let nan = B::Scalar::from_f64(f64::NAN);
        let mut slab = vec![nan; (slots.len() + 1) * region.stride];
        for (&slot, state) in slots.iter().zip(&self.states) {
            let state: Vec<_> = state.iter().map(|&x| B::Scalar::from_f64(x.into())).collect();
            let state = turned(&state, op.turned::<B>());
            slab[region.slot(slot)].copy_from_slice(&state);
        }
        slab
    }

    /// The rows of a call, its sequences' ends and its slots.
    fn packed<R: Real>(
        &self,
        op: &impl Operation,
        call: &Call,
    ) -> (Vec<R>, Vec<usize>, Vec<usize>) {
        let (slots, _) = self.region();
        let width = op.inputs();
        let rows = call
            .iter()
            .flat_map(|(i, range)| &self.rows[*i][range.start * width..range.end * width]);
        let mut ends = vec![0];
        ends.extend(call.iter().scan(0, |end, (_, range)| {
            *end += range.len();
            Some(*end)
        }));
        let rows = rows.map(|&x| R::from_f64(x.into())).collect();
        (rows, ends, call.iter().map(|(i, _)| slots[*i]).collect())
    }

    /// Makes calls on a slab; the sequences are then at `positions` (of slots). What each gave.
    ///
    /// # Errors
    /// The backend's.
    pub fn continued<O: Operation, B: Recurrent>(
        &self,
        (op, weights): (&O, &O::Weights<B::Weight>),
        (backend, put): (&mut B, Put<B>),
        (slab, region): (&mut B::Owned, Region),
        positions: &mut [usize],
        calls: &[Call],
    ) -> Result<Vec<Vec<B::Scalar>>, B::Error> {
        let mut found = vec![vec![]; self.rows.len()];
        for call in calls {
            let (rows, ends, slots) = self.packed(op, call);
            let tokens = vec![0; *ends.last().expect("an end")];
            let batch = Batch::new(&tokens, &ends, &slots, &[]).expect("a batch");
            let state = StateMut { buffer: (*slab).borrow_mut(), region };
            let sequences = batch.sequences(positions);
            let out = op.call((&mut *backend, put), weights, &sequences, &rows, state)?;
            let width = op.outputs();
            for (((i, range), pair), slot) in call.iter().zip(ends.windows(2)).zip(slots) {
                found[*i].extend(&out[pair[0] * width..pair[1] * width]);
                positions[slot] += range.len();
            }
        }
        Ok(found)
    }

    /// Makes calls, from the first states on.
    pub fn run<O: Operation, B: Recurrent>(
        &self,
        of: (&O, &O::Weights<B::Weight>),
        backend: &mut B,
        calls: &[Call],
    ) -> Outputs<B::Scalar> {
        self.run_in(of, (backend, B::put), calls)
    }

    /// The same with outputs that `put` makes.
    pub fn run_in<O: Operation, B: Recurrent>(
        &self,
        (op, weights): (&O, &O::Weights<B::Weight>),
        (backend, put): (&mut B, Put<B>),
        calls: &[Call],
    ) -> Outputs<B::Scalar> {
        let (slots, region) = self.region();
        let mut positions = vec![0; slots.len() + 1];
        slots.iter().zip(&self.positions).for_each(|(&slot, &at)| positions[slot] = at);
        let mut slab = backend.put(&self.slab::<B>(op));
        let of = (op, weights);
        let rows =
            self.continued(of, (&mut *backend, put), (&mut slab, region), &mut positions, calls);
        let slab = backend.get(&slab);
        for slot in 0..=slots.len() {
            let between = &slab[slot * region.stride..][..region.stride];
            let (before, after) =
                (&between[..region.offset], &between[region.offset + region.elements..]);
            let mut beside = before.iter().chain(after);
            assert!(beside.all(|x| x.to_f64().is_nan()), "written between the states");
        }
        let back = op.turned::<B>().map(|(rows, columns)| (columns, rows));
        let states = slots.iter().map(|&slot| turned(&slab[region.slot(slot)], back)).collect();
        Outputs { rows: rows.expect("it fits"), states }
    }

    /// The results of the reference, all in one call.
    pub fn expected(&self, op: &impl Operation) -> Outputs<f64> {
        let mut work = vec![f64::NAN; op.work()];
        let tensors = op.tensors();
        self.run((op, &tensors), &mut Reference::new(&mut work), &self.whole(op))
    }

    /// The same without signs.
    pub fn sizes(&self, op: &impl Operation) -> Outputs<f64> {
        let mut changed = None;
        let rows = self.rows.iter().map(|rows| {
            let (op, rows) = op.unsigned(rows);
            changed = Some(op);
            rows
        });
        let rows = rows.collect();
        let absolute = |state: &Vec<f32>| state.iter().map(|x| x.abs()).collect();
        let states = self.states.iter().map(absolute).collect();
        let positions = self.positions.clone();
        Self { rows, states, positions }.expected(&changed.expect("a sequence"))
    }
}

/// Matrices \[rows, columns\] one after the other made \[columns, rows\].
fn turned<R: Copy>(state: &[R], matrices: Option<(usize, usize)>) -> Vec<R> {
    let Some((rows, columns)) = matrices else { return state.to_vec() };
    let parts = state.chunks_exact((rows * columns).max(1));
    let turn = |part: &[R]| -> Vec<R> {
        (0..part.len()).map(|i| part[i % rows * columns + i / rows]).collect()
    };
    parts.flat_map(turn).collect()
}
