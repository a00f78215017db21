//! What a GPU can do: products in bf16 through cuBLASLt, and copies in its memory.

use longseq::error::{Error, Result};
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::{
    driver::gpu::{DeviceMemory, Gpu},
    error::GpuError,
    runtime::{Gemm, Matrix, Memory as _, Runtime as _},
};

use crate::roof::Roof;

/// A product x Wᵀ.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Rows of x.
    pub rows: usize,
    /// Columns of x and W.
    pub inputs: usize,
    /// Rows of W.
    pub outputs: usize,
}

impl Product {
    /// Multiplications and additions.
    pub const fn flops(&self) -> f64 {
        2.0 * self.rows as f64 * self.inputs as f64 * self.outputs as f64
    }

    /// Of a weight in bf16, which is most of what a product of few rows reads.
    pub const fn weight_bytes(&self) -> f64 {
        2.0 * self.inputs as f64 * self.outputs as f64
    }
}

/// The product that is the ceiling: large enough for nothing but the tensor cores to matter.
pub const SQUARE: Product = Product { rows: 8192, inputs: 8192, outputs: 8192 };

/// Bytes that are copied at once: many times what the caches hold.
const COPIED: usize = 2 << 30;

/// Bytes of random numbers, again and again in larger matrices.
const PERIOD: usize = (1 << 22) + 34;

/// Tries, each of several calls one after the other; the best counts.
const TRIES: usize = 5;

/// Both ceilings.
///
/// # Errors
/// The GPU's.
pub fn measure(gpu: &mut Gpu) -> Result<Roof> {
    let seconds = product(gpu, &SQUARE)?;
    Ok(Roof { gflops: SQUARE.flops() / seconds / 1e9, gigabytes: copying(gpu)? })
}

/// 10⁹ bytes a second, those read and those written, of a copy in the GPU's memory.
///
/// # Errors
/// The GPU's.
pub fn copying(gpu: &mut Gpu) -> Result<f64> {
    let mut measured = || {
        let (from, to) = (gpu.allocate(COPIED)?, gpu.allocate(COPIED)?);
        gpu.clear(&from, 0..COPIED)?;
        best(gpu, 10, |gpu| gpu.copy((&from, 0..COPIED), (&to, 0)))
    };
    let seconds: Result<f64, GpuError> = measured();
    seconds.map(|seconds| 2.0 * COPIED as f64 / seconds / 1e9).map_err(|source| Error::gpu(&source))
}

/// Seconds of a product of random numbers in bf16, summed in f32.
///
/// # Errors
/// The GPU's.
pub fn product(gpu: &mut Gpu, of: &Product) -> Result<f64> {
    seconds_of(gpu, of).map_err(|source| Error::gpu(&source))
}

fn seconds_of(
    gpu: &mut Gpu,
    &Product { rows, inputs, outputs }: &Product,
) -> Result<f64, GpuError> {
    let x = random(gpu, rows * inputs)?;
    let weight = random(gpu, outputs * inputs)?;
    let out = gpu.allocate(rows * outputs * size_of::<f32>())?;
    let matrix = |memory: &DeviceMemory, row_stride| Matrix {
        address: memory.address(),
        row_stride,
        batch_stride: 0,
    };
    let gemm = Gemm {
        batch: 1,
        rows,
        inputs,
        outputs,
        dtype: Dtype::Bf16,
        x: matrix(&x, inputs),
        weight: matrix(&weight, inputs),
        out: matrix(&out, outputs),
        accumulate: false,
    };
    // SAFETY: the matrices lie in memory that lives until the times have been taken, when all products are made.
    best(gpu, 10, |gpu| unsafe { gpu.gemm(&gemm) })
}

/// Memory full of numbers between −0.5 and 0.5: the clock of a GPU depends on what it multiplies.
fn random(gpu: &mut Gpu, elements: usize) -> Result<DeviceMemory, GpuError> {
    let bytes = elements * Dtype::Bf16.bytes();
    let memory = gpu.allocate(bytes)?;
    let mut state = 1_u32;
    let draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
        // The upper half of an f32 is that number in bf16.
        (value.to_bits() >> 16) as u16
    };
    let period: Vec<u8> =
        std::iter::repeat_with(draw).take(PERIOD / 2).flat_map(u16::to_le_bytes).collect();
    for offset in (0..bytes).step_by(PERIOD) {
        gpu.upload(&period[..PERIOD.min(bytes - offset)], &memory, offset)?;
    }
    Ok(memory)
}

/// Seconds of one of `calls` calls, by the GPU's own clock; the best of several tries after one that is not counted.
fn best(
    gpu: &mut Gpu,
    calls: u16,
    mut what: impl FnMut(&mut Gpu) -> Result<(), GpuError>,
) -> Result<f64, GpuError> {
    let mut least = f64::INFINITY;
    for attempt in 0..=TRIES {
        let start = gpu.mark()?;
        for _ in 0..calls {
            what(gpu)?;
        }
        let end = gpu.mark()?;
        gpu.wait()?;
        let seconds = f64::from(start.milliseconds_to(&end)?) / 1e3 / f64::from(calls);
        if attempt > 0 {
            least = least.min(seconds);
        }
    }
    Ok(least)
}
