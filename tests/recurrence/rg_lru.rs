//! The RG-LRU.

use std::borrow::BorrowMut;

use longseq_core::batch::Sequences;
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Tensor;
use longseq_core::recurrence::rg_lru::{BlockGate, RgLruDims, RgLruWeights};
use longseq_core::state::StateMut;
use proptest::prelude::*;

use super::{Inputs, Operation, Recurrent, Stored, noise};
use crate::transfer::{Put, Take};

/// A unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its extents.
    pub dims: RgLruDims,
    weights: RgLruWeights<Stored>,
}

impl Unit {
    /// With decays from nearly 1 to nearly 0.
    pub fn random(dims: RgLruDims, seed: u64) -> Self {
        let (blocks, width) = (dims.blocks, dims.block_width());
        let scale = 1.0 / (width as f32).sqrt();
        let gate = |seed| {
            let weight: Vec<f32> =
                noise(seed, dims.gate_elements()).iter().map(|x| scale * x).collect();
            BlockGate {
                weight: Stored::new(&weight, &[blocks, width, width]),
                bias: Stored::new(&noise(seed + 1, dims.channels), &[blocks, width]),
            }
        };
        let decay: Vec<f32> =
            noise(seed + 4, dims.channels).iter().map(|x| 6.0 * x - 4.0).collect();
        let decay = Stored::new(&decay, &[dims.channels]);
        let (input_gate, recurrent_gate) = (gate(seed), gate(seed + 2));
        Self { dims, weights: RgLruWeights { input_gate, recurrent_gate, decay } }
    }
}

impl Operation for Unit {
    type Weights<W> = RgLruWeights<W>;

    fn inputs(&self) -> usize {
        self.dims.channels
    }

    fn outputs(&self) -> usize {
        self.dims.channels
    }

    fn state(&self) -> usize {
        self.dims.channels
    }

    fn work(&self) -> usize {
        self.dims.work_elements()
    }

    fn tensors(&self) -> RgLruWeights<Tensor<'_>> {
        fn gate(of: &BlockGate<Stored>) -> BlockGate<Tensor<'_>> {
            BlockGate { weight: of.weight.tensor(), bias: of.bias.tensor() }
        }
        RgLruWeights {
            input_gate: gate(&self.weights.input_gate),
            recurrent_gate: gate(&self.weights.recurrent_gate),
            decay: self.weights.decay.tensor(),
        }
    }

    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> RgLruWeights<B::Weight> {
        let (mut take, of) = (backend.take(compute), self.tensors());
        let blocks = self.dims.blocks;
        RgLruWeights {
            input_gate: BlockGate {
                weight: take.matrices(&of.input_gate.weight, blocks).expect("a gate"),
                bias: take.values(&of.input_gate.bias).expect("a bias"),
            },
            recurrent_gate: BlockGate {
                weight: take.matrices(&of.recurrent_gate.weight, blocks).expect("a gate"),
                bias: take.values(&of.recurrent_gate.bias).expect("a bias"),
            },
            decay: take.values(&of.decay).expect("decays"),
        }
    }

    fn call<B: Recurrent>(
        &self,
        (backend, _): (&mut B, Put<B>),
        weights: &RgLruWeights<B::Weight>,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error> {
        let mut held = backend.put(rows);
        backend.rg_lru(&self.dims, sequences, held.borrow_mut(), weights, state)?;
        Ok(backend.get(&held))
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        (self.clone(), rows.to_vec())
    }
}

/// Odd sizes.
pub fn dims() -> impl Strategy<Value = RgLruDims> {
    let width = prop::sample::select(vec![3, 8, 31, 33]);
    (2..5_usize, width).prop_map(|(blocks, width)| RgLruDims { channels: blocks * width, blocks })
}

/// Puts NaN into the state that position 0 must not look at, and compares with other values there.
pub fn what_was_before_is_dropped<B: Recurrent<Scalar = f32> + Take>(
    backends: impl IntoIterator<Item = (String, B)>,
) {
    let unit = Unit::random(RgLruDims { channels: 40, blocks: 2 }, 3);
    let inputs = Inputs::new(&unit, &[5], 5);
    let mut unset = inputs.clone();
    unset.states[0].fill(f32::NAN);
    for (name, mut backend) in backends {
        let weights = unit.taken(&mut backend, Compute::F32);
        let whole = inputs.whole(&unit);
        let found = unset.run((&unit, &weights), &mut backend, &whole);
        assert!(found == inputs.run((&unit, &weights), &mut backend, &whole), "{name}");
    }
}
