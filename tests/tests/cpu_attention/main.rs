//! Attention of the CPU backend against the reference, and its laws.

mod equivalence;
mod laws;
mod rounding;
mod shapes;

use longseq_cpu::Cpu;
use longseq_cpu::gemm::Stored;
use longseq_cpu::isa::Isa;
use longseq_tests::attention::{Case, Outcome};

fn cpu(case: &Case, isa: Isa, stored: Stored, calls: &[Vec<usize>]) -> Outcome<f32> {
    case.run(&mut Cpu::new(isa).products_in(stored), calls)
}
