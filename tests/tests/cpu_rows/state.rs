//! Clearing and copying within a slab.

use longseq_core::backend::StateMemory;
use longseq_cpu::{Cpu, isa::Isa};

#[test]
fn ranges_are_cleared_and_copied() {
    let mut cpu = Cpu::new(Isa::best());
    let mut slab = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    cpu.copy_within(&mut slab, 0..3, 2).unwrap();
    assert_eq!(slab, [1.0, 2.0, 1.0, 2.0, 3.0, 6.0]);
    cpu.clear(&mut slab, 1..3).unwrap();
    assert_eq!(slab, [1.0, 0.0, 0.0, 2.0, 3.0, 6.0]);
    cpu.clear(&mut slab, 6..6).unwrap();
    cpu.copy_within(&mut slab, 6..6, 6).unwrap();
    assert_eq!(slab, [1.0, 0.0, 0.0, 2.0, 3.0, 6.0]);
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "refused")]
fn ranges_beyond_the_slab_are_refused() {
    let mut cpu = Cpu::new(Isa::best());
    let mut slab = [1.0, 2.0, 3.0, 4.0];
    for range in [0..5, 5..5, 3..usize::MAX, 3..2, usize::MAX..0] {
        assert!(cpu.clear(&mut slab, range.clone()).is_err(), "{range:?}");
        assert!(cpu.copy_within(&mut slab, range.clone(), 0).is_err(), "{range:?}");
    }
    for to in [3, 4, usize::MAX] {
        assert!(cpu.copy_within(&mut slab, 0..2, to).is_err(), "{to}");
    }
    assert_eq!(slab, [1.0, 2.0, 3.0, 4.0]);
}
