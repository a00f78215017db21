//! Matrices in panels.

use rayon::prelude::*;

use super::{
    Line, NR,
    pages::{NoMemory, Pages},
};

/// A matrix B \[N, K\] in panels of [`NR`] rows, the last filled up with zeros.
#[derive(Debug)]
pub struct Packed {
    inputs: usize,
    outputs: usize,
    elements: Elements,
}

/// The panels one after the other: for each pair of k (pairs) or each k (singles) [`NR`] elements, two lines.
#[derive(Debug)]
enum Elements {
    /// Two neighbours in bf16, the first in the lower half; an odd K is filled up with a zero.
    Pairs(Pages<u32>),
    /// In f32.
    Singles(Pages<f32>),
}

/// One panel.
#[derive(Clone, Copy, Debug)]
pub enum Panel<'a> {
    /// In bf16.
    Pairs(&'a [Line<u32>]),
    /// In f32.
    Singles(&'a [Line<f32>]),
}

/// How elements are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Rounded to bf16, to nearest even.
    Bf16,
    /// As they are.
    F32,
}

impl Packed {
    /// Packs a matrix \[`outputs`, `inputs`\]; `read` writes row n of it.
    ///
    /// # Errors
    /// Not enough memory; whatever `read` returns.
    pub fn new<E: Send + From<NoMemory>>(
        (outputs, inputs): (usize, usize),
        stored: Stored,
        read: impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let size = (outputs, inputs);
        let elements = match stored {
            Stored::Bf16 => Elements::Pairs(panels(size, inputs.div_ceil(2), read, |row, q| {
                let [low, high] = [2 * q, 2 * q + 1].map(|k| row.get(k).copied());
                bf16_pair(low.unwrap_or(0.0), high.unwrap_or(0.0))
            })?),
            Stored::F32 => Elements::Singles(panels(size, inputs, read, |row, k| row[k])?),
        };
        Ok(Self { inputs, outputs, elements })
    }

    /// K.
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// N.
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        Self::bytes_of((self.outputs, self.inputs), self.stored())
    }

    /// Bytes of memory of a matrix \[`outputs`, `inputs`\].
    pub const fn bytes_of((outputs, inputs): (usize, usize), stored: Stored) -> usize {
        let depth = match stored {
            Stored::Bf16 => inputs.div_ceil(2),
            Stored::F32 => inputs,
        };
        outputs.div_ceil(NR).saturating_mul(depth).saturating_mul(2 * size_of::<Line<u32>>())
    }

    /// How its elements are stored.
    pub const fn stored(&self) -> Stored {
        if self.is_bf16() { Stored::Bf16 } else { Stored::F32 }
    }

    /// Whether it is in bf16.
    pub const fn is_bf16(&self) -> bool {
        matches!(self.elements, Elements::Pairs(_))
    }

    /// Number of panels.
    pub const fn panels(&self) -> usize {
        self.outputs.div_ceil(NR)
    }

    /// A panel, below [`Self::panels`].
    pub fn panel(&self, panel: usize) -> Panel<'_> {
        match &self.elements {
            Elements::Pairs(lines) => {
                let depth = 2 * self.inputs.div_ceil(2);
                Panel::Pairs(&lines[panel * depth..][..depth])
            }
            Elements::Singles(lines) => {
                let depth = 2 * self.inputs;
                Panel::Singles(&lines[panel * depth..][..depth])
            }
        }
    }

    /// Writes row n of B, below N.
    #[inline(always)]
    pub fn row(&self, n: usize, out: &mut [f32]) {
        let (line, lane) = (n % NR / 16, n % 16);
        match self.panel(n / NR) {
            Panel::Pairs(lines) => {
                for (out, lines) in out.chunks_mut(2).zip(lines.as_chunks::<2>().0) {
                    let pair = lines[line].0[lane];
                    let halves = [pair << 16, pair & 0xffff_0000];
                    out.iter_mut().zip(halves).for_each(|(out, bits)| *out = f32::from_bits(bits));
                }
            }
            Panel::Singles(lines) => {
                let lines = lines.as_chunks::<2>().0;
                out.iter_mut().zip(lines).for_each(|(out, lines)| *out = lines[line].0[lane]);
            }
        }
    }
}

/// Lines of all panels, `depth` times two each: `element` takes the one at that depth from a row.
fn panels<T: Copy + Send, E: Send + From<NoMemory>>(
    (outputs, inputs): (usize, usize),
    depth: usize,
    read: impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync,
    element: impl Fn(&[f32], usize) -> T + Sync,
) -> Result<Pages<T>, E>
where
    Line<T>: bytemuck::Pod,
{
    let mut lines = Pages::zeros(outputs.div_ceil(NR) * 2 * depth)?;
    let panels = lines.par_chunks_mut((2 * depth).max(1)).enumerate();
    panels.try_for_each_init(
        || vec![0.0; inputs],
        |row, (panel, lines)| -> Result<(), E> {
            for column in 0..NR.min(outputs - panel * NR) {
                read(panel * NR + column, row)?;
                for (at, lines) in lines.chunks_exact_mut(2).enumerate() {
                    lines[column / 16].0[column % 16] = element(row, at);
                }
            }
            Ok(())
        },
    )?;
    Ok(lines)
}

/// Two values rounded to bf16, to nearest even, the first in the lower half.
#[inline(always)]
pub fn bf16_pair(low: f32, high: f32) -> u32 {
    rounded(low) >> 16 | rounded(high) & 0xffff_0000
}

/// The bits of a value, of which the upper half are those of the nearest bf16.
#[inline(always)]
fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    // A NaN stays one whatever its lower half.
    if x.is_nan() { bits | 0x0040_0000 } else { nearest }
}
