//! The CPU backend's operations with a carried state, against the reference and against themselves: other threads,
//! other batches, other splits.

mod causal_conv1d;
mod rg_lru;
mod ssd;
mod token_shift;
mod wkv6;

use longseq_core::numeric::compute::Compute;
use longseq_cpu::gemm::{Packed, Stored};
use longseq_cpu::{Cpu, CpuError, isa::Isa, weight::Weight};
use longseq_tests::recurrence::{Inputs, Operation};
use rayon::ThreadPoolBuilder;

/// Backends on every instruction set.
fn all() -> impl Iterator<Item = (String, Cpu)> {
    all_in(Stored::F32)
}

/// The same with products in this precision.
fn all_in(products: Stored) -> impl Iterator<Item = (String, Cpu)> {
    let backend = move |isa: Isa| (isa.to_string(), Cpu::new(isa).products_in(products));
    Isa::all().into_iter().map(backend)
}

/// Compares to the bit on 1, 2 and 3 threads.
fn threads_do_not_matter(
    op: &(impl Operation + Sync),
    inputs: &Inputs,
    compute: Compute,
    products: Stored,
) {
    for isa in Isa::all() {
        let found = [1, 2, 3].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut cpu = Cpu::new(isa).products_in(products);
                let weights = op.taken(&mut cpu, compute);
                inputs.run((op, &weights), &mut cpu, &inputs.whole(op)).bits()
            })
        });
        assert!(found[0] == found[1] && found[0] == found[2], "{isa}");
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
