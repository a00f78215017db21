//! An operation with its inputs: checked once, then run as in a model.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use longseq::error::{Error, Result};
use longseq_core::{
    backend::Backend,
    batch::Batch,
    numeric::Real,
    reference::Reference,
    state::{Region, StateMut},
};
use longseq_cpu::{Cpu, floats::Floats, gemm, isa::Isa, weight::Weight};

use crate::{
    operation::{Data, Held, Operation},
    weights::{Noise, Stored},
};

/// Bytes that no cache holds. There are so many weights and states that a call finds its own in none, as in a model
/// that has been through its other layers since.
const NOT_CACHED: usize = 1 << 27;

/// Elements of work space that suffice for any operation here.
const WORK: usize = 1 << 16;

/// An operation and what it is given.
pub struct Case<'o, O> {
    operation: &'o O,
    tokens: Vec<u32>,
    weights: Vec<Stored>,
    x: Floats,
    state: Vec<f32>,
    before: Vec<f32>,
}

impl<'o, O: Operation> Case<'o, O> {
    /// With random weights, inputs and state.
    pub fn new(operation: &'o O, tokens: usize) -> Self {
        let mut noise = Noise::new(1);
        let mut weights = vec![];
        operation.weights(&mut |drawn| weights.push(Stored::new(drawn, &mut noise)));
        let x = noise.by_ref().take(tokens * operation.inputs()).collect();
        let mut values = |n| noise.by_ref().take(n).collect();
        let state = values(operation.state());
        let outputs = tokens * operation.outputs();
        let before = if operation.in_place() { values(outputs) } else { vec![f32::NAN; outputs] };
        Self { operation, tokens: vec![0; tokens], weights, x, state, before }
    }

    /// Its weights, each made from what is stored.
    fn weights<'s, W: Held>(&'s self, make: impl FnMut(&'s Stored) -> W) -> O::Weights<W> {
        let mut made = self.weights.iter().map(make);
        self.operation.weights(&mut |_| made.next().expect("as many weights as were drawn"))
    }

    /// The case ready to be measured, after one call whose results were those of the reference.
    ///
    /// # Errors
    /// They were not; a backend's error.
    pub fn checked(&self) -> Result<Checked<'_, O>> {
        let mut weight_bytes = 0;
        let weights = self.weights(|stored| {
            let weight = stored.packed();
            weight_bytes += weight.bytes();
            weight
        });
        let copies = match weight_bytes + size_of_val(self.state.as_slice()) {
            0 => 1,
            bytes => NOT_CACHED.div_ceil(bytes),
        };
        let others = (1..copies).map(|_| self.weights(Stored::packed));
        let mut checked = Checked {
            case: self,
            cpu: Cpu::new(Isa::best()).products_in(gemm::Stored::Bf16),
            weights: core::iter::once(weights).chain(others).collect(),
            weight_bytes,
            states: self.state.repeat(copies).into_iter().collect(),
            out: self.before.iter().copied().collect(),
            copy: 0,
        };
        checked.call()?;
        self.compare(&checked.out, &checked.states[..self.state.len()])?;
        Ok(checked)
    }

    /// Compares with the reference, within the bounds of `docs/numerics.md`.
    fn compare(&self, out: &[f32], state: &[f32]) -> Result<()> {
        let operation = self.operation;
        let mut work = vec![f64::NAN; WORK];
        let (weights, x) = (self.weights(Stored::tensor), widen(&self.x));
        let mut expected = widen(&self.before);
        let mut expected_state = widen(&operation.as_reference(&self.state));
        let data = (&x[..], (&mut expected_state[..], 0), &mut expected[..]);
        self.call(&mut Reference::new(&mut work), &weights, data)?;
        let bound = if operation.products(self.tokens.len()) > 0.0 { 1e-2 } else { 1e-5 };
        let state = operation.as_reference(state);
        let pairs = [("results", out, &expected), ("states", &state, &expected_state)];
        for (what, found, expected) in pairs {
            let error = relative_rms(found, expected);
            // NaN is not near either.
            let near = error <= bound;
            if !near {
                let (name, tokens) = (operation.name(), self.tokens.len());
                let error =
                    format!("{name}/{tokens}: the {what} are {error:.1e} off the reference");
                return Err(Error::new(error).help(format!("at most {bound:.0e} is allowed")));
            }
        }
        Ok(())
    }

    /// Runs it with x, a slab of states and where in it the state is, and the output.
    fn call<R: Real, B>(
        &self,
        backend: &mut B,
        weights: &O::Weights<B::Weight>,
        (x, (states, offset), out): (&[R], (&mut [R], usize), &mut [R]),
    ) -> Result<()>
    where
        B: Backend<Buffer = [R], Error: Display, Weight: Held>,
    {
        let (operation, tokens) = (self.operation, self.tokens.len());
        let elements = operation.state();
        let region = Region { offset, stride: elements, elements };
        let (ends, slots, positions) = ([0, tokens], [0], [operation.position(tokens)]);
        let batch = Batch::new(&self.tokens, &ends, &slots, &[]).map_err(failed)?;
        let data = Data { x, state: StateMut { buffer: states, region }, out };
        operation.run(backend, &batch.sequences(&positions), weights, data).map_err(failed)
    }
}

/// A case whose results are right.
pub struct Checked<'c, O: Operation> {
    case: &'c Case<'c, O>,
    cpu: Cpu,
    /// Copies of the weights.
    weights: Vec<O::Weights<Weight>>,
    /// Bytes of one of them.
    weight_bytes: usize,
    /// A state for each.
    states: Floats,
    out: Floats,
    /// The copy that is used next.
    copy: usize,
}

impl<O: Operation> Checked<'_, O> {
    /// How long so many calls take together. What they work on in place is put there between them.
    ///
    /// # Errors
    /// A backend's.
    pub fn time(&mut self, calls: u64) -> Result<Duration> {
        let mut elapsed = Duration::ZERO;
        for _ in 0..calls {
            if self.case.operation.in_place() {
                self.out.copy_from_slice(&self.case.before);
            }
            let start = Instant::now();
            self.call()?;
            elapsed += start.elapsed();
        }
        Ok(elapsed)
    }

    /// Bytes that a call reads and writes.
    pub fn bytes(&self) -> usize {
        let elements = self.case.operation.moved(self.case.tokens.len());
        self.weight_bytes + elements * size_of::<f32>()
    }

    fn call(&mut self) -> Result<()> {
        let Self { case, cpu, weights, states, out, copy, .. } = self;
        let state = (&mut states[..], *copy * case.operation.state());
        case.call(cpu, &weights[*copy], (&case.x, state, out))?;
        *copy = (*copy + 1) % weights.len();
        Ok(())
    }
}

fn failed(source: impl Display) -> Error {
    Error::new(source.to_string())
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

/// Root mean square of the difference, relative to that of the expected values.
fn relative_rms(found: &[f32], expected: &[f64]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let pairs = found.iter().zip(expected);
    let difference = squares(&mut pairs.map(|(&x, y)| f64::from(x) - y));
    if difference == 0.0 {
        return 0.0;
    }
    (difference / squares(&mut expected.iter().copied())).sqrt()
}
