//! What the machine can do: products in bf16, and reading memory.

use std::{fmt, hint::black_box, time::Instant};

use longseq_core::backend::Columns;
use longseq_cpu::{
    CpuError,
    floats::Floats,
    gemm::{Lhs, Output, Packed, Stored, product},
    isa::Isa,
};
use rayon::prelude::*;

/// The limits of the machine on rayon's threads, as far as this program reaches them.
#[derive(Clone, Copy, Debug)]
pub struct Roof {
    /// 10⁹ operations a second in a product of two 2,048 × 2,048 matrices, the right one packed in bf16.
    pub gflops: f64,
    /// 10⁹ bytes a second read from a buffer that no cache holds, at four places side by side on each thread: with one
    /// the limit is not reached.
    pub gigabytes: f64,
}

impl fmt::Display for Roof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} GFLOP/s in bf16, {:.0} GB/s read", self.gflops, self.gigabytes)
    }
}

const SIDE: usize = 2048;

/// Elements of the buffer that is read, and those that a thread takes at once.
const BUFFER: usize = 1 << 25;
const SHARE: usize = 1 << 20;

/// The best of several tries.
pub fn measure() -> Roof {
    Roof { gflops: products(), gigabytes: reading() }
}

fn products() -> f64 {
    let value = |i: usize| (i % 1009) as f32 / 1009.0 - 0.5;
    let read = |row: usize, out: &mut [f32]| -> Result<(), CpuError> {
        out.iter_mut().enumerate().for_each(|(i, out)| *out = value(row * SIDE + i));
        Ok(())
    };
    let Ok(b) = Packed::new((SIDE, SIDE), Stored::Bf16, read) else { return f64::NAN };
    let a: Floats = (0..SIDE * SIDE).map(value).collect();
    let mut c: Floats = core::iter::repeat_n(0.0, SIDE * SIDE).collect();
    let (mut lhs, mut work) = (Lhs::default(), Floats::default());
    let seconds = best(7, || {
        let output = Output { bias: None, accumulate: false };
        let (a, c) = (Columns::all(&a[..], SIDE), Columns::all(&mut c[..], SIDE));
        product(Isa::best(), SIDE, &a, &b, output, c, (&mut lhs, &mut work));
    });
    2.0 * (SIDE as f64).powi(3) / seconds / 1e9
}

fn reading() -> f64 {
    let buffer: Vec<u64> = (0..BUFFER as u64).collect();
    let seconds = best(7, || {
        let sum = buffer.par_chunks(SHARE).map(four_streams);
        black_box(sum.reduce(|| 0, |a, b| a ^ b));
    });
    size_of_val(buffer.as_slice()) as f64 / seconds / 1e9
}

/// Reads four quarters side by side, a cache line of each after the other.
fn four_streams(values: &[u64]) -> u64 {
    let quarter = values.len() / 4;
    let lines = |number: usize| values[number * quarter..][..quarter].as_chunks::<8>().0;
    let mut sums = [0; 8];
    for (((a, b), c), d) in lines(0).iter().zip(lines(1)).zip(lines(2)).zip(lines(3)) {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum ^= a[i] ^ b[i] ^ c[i] ^ d[i];
        }
    }
    sums.into_iter().fold(0, |a, b| a ^ b)
}

fn best(tries: usize, mut what: impl FnMut()) -> f64 {
    let seconds = (0..tries).map(|_| {
        let start = Instant::now();
        what();
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}
