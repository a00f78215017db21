//! Operands that do not fit are refused before anything is written.

use longseq_cpu::{Cpu, isa::Isa};
use longseq_tests::rows::refusals;

#[test]
fn what_does_not_fit_is_refused() {
    let cpu = &mut Cpu::new(Isa::best());
    refusals::norms(cpu);
    refusals::gated_norms(cpu);
    refusals::activations(cpu);
    refusals::tables(cpu);
    refusals::maps(cpu);
}
