//! Random weights, in bf16 as a checkpoint has them and packed as the CPU backend reads them.

use longseq_core::{
    hybrid::map::MapWeights,
    numeric::{
        linear::Linear,
        tensor::{Dtype, Tensor},
    },
    statistics::draws::Draws,
};
use longseq_cpu::weight::{Compute, Pack, Weight};

/// A weight to be drawn: what it is for, and how large it is.
#[derive(Clone, Copy)]
pub enum Drawn {
    /// So many values, at most `spread` from `mean`.
    Values { n: usize, mean: f32, spread: f32 },
    /// The taps of a convolution, \[C, 1, K\].
    Taps { channels: usize, width: usize },
    /// W \[out, in\] of a linear map.
    Linear { outputs: usize, inputs: usize },
    /// Matrices \[in, out\] one after the other.
    Matrices { blocks: usize, inputs: usize, outputs: usize },
}

/// Numbers from −1 to 1, the same from the same seed.
pub struct Noise(Draws);

impl Noise {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Draws::new(seed))
    }
}

impl Iterator for Noise {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        Some((self.0.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0)
    }
}

/// A weight in bf16.
pub struct Stored {
    drawn: Drawn,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    /// Draws it. What is multiplied by keeps a row's size.
    pub fn new(drawn: Drawn, noise: &mut Noise) -> Self {
        let (shape, mean, spread) = match drawn {
            Drawn::Values { n, mean, spread } => (vec![n], mean, spread),
            Drawn::Taps { channels, width } => (vec![channels, 1, width], 0.0, 1.0),
            Drawn::Linear { outputs, inputs } => {
                (vec![outputs, inputs], 0.0, (3.0 / inputs as f32).sqrt())
            }
            Drawn::Matrices { blocks, inputs, outputs } => {
                (vec![blocks, inputs, outputs], 0.0, (3.0 / inputs as f32).sqrt())
            }
        };
        // The upper half of an f32 is a bf16.
        let upper = |x: f32| (mean + spread * x).to_bits().to_le_bytes().into_iter().skip(2);
        let bytes = noise.take(shape.iter().product()).flat_map(upper).collect();
        Self { drawn, shape, bytes }
    }

    /// As it lies in a checkpoint.
    pub fn tensor(&self) -> Tensor<'_> {
        Tensor::new(Dtype::Bf16, &self.shape, &self.bytes).expect("bytes of that shape")
    }

    /// As the CPU backend reads it.
    pub fn packed(&self) -> Weight {
        let (tensor, mut pack) = (self.tensor(), Pack::new(Compute::Bf16));
        let packed = match self.drawn {
            Drawn::Values { .. } => pack.values(&tensor),
            Drawn::Taps { .. } => pack.taps(&tensor),
            Drawn::Linear { .. } => {
                let map = Linear { weight: tensor, bias: None };
                pack.linear(&[&map]).map(|map| map.weight)
            }
            Drawn::Matrices { blocks, .. } => pack.matrices(&tensor, blocks),
        };
        packed.expect("a weight of that kind")
    }
}
