//! The scan of Mamba-2.

use longseq_core::backend::{Columns, SsdScan};
use longseq_core::batch::Batch;
use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::ssd::{SsdDims, SsdHeads};
use longseq_core::state::{Region, StateMut};
use longseq_cpu::{Cpu, GRID, gemm::Stored, isa::Isa, weight::Weight};
use longseq_tests::recurrence::ssd::{Scan, chunked, dims};
use longseq_tests::recurrence::{Inputs, is_near, is_the_same_anyhow, lengths};
use proptest::prelude::*;

use super::{all, all_in, threads_do_not_matter};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn is_the_recurrence(dims in dims(), lengths in lengths(), seed in any::<u32>()) {
        let scan = Scan::random(dims, u64::from(seed));
        let inputs = Inputs::new(&scan, &lengths, u64::from(seed) + 9);
        is_near(&scan, &inputs, all(), Compute::F32, 1e-6)?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let scan = Scan::random(dims, u64::from(seed));
        let inputs = Inputs::new(&scan, &lengths, u64::from(seed));
        is_the_same_anyhow(&scan, &inputs, all(), Compute::F32, 1)?;
    }
}

/// Sizes of which chunks are made.
const CHUNKED: [(usize, usize); 4] = [(32, 32), (32, 128), (64, 32), (64, 64)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_are_near_the_recurrence((dims, lengths) in chunked(&CHUNKED), seed in any::<u32>()) {
        let scan = Scan::random(dims, u64::from(seed));
        let inputs = Inputs::new(&scan, &lengths, u64::from(seed) + 9);
        is_near(&scan, &inputs, all_in(Stored::Bf16), Compute::F32, 5e-3)?;
    }

    #[test]
    fn batches_and_cuts_between_chunks_do_not_matter(
        (dims, lengths) in chunked(&CHUNKED),
        seed in any::<u32>(),
    ) {
        let scan = Scan::random(dims, u64::from(seed));
        let inputs = Inputs::new(&scan, &lengths, u64::from(seed));
        is_the_same_anyhow(&scan, &inputs, all_in(Stored::Bf16), Compute::F32, GRID)?;
    }
}

#[test]
fn threads_change_nothing() {
    // Enough that threads are woken, within a sequence and for several.
    for (state, products) in [(40, Stored::F32), (64, Stored::Bf16)] {
        let dims = SsdDims { heads: 6, head_dim: 32, state, groups: 2 };
        let scan = Scan::random(dims, 3);
        for lengths in [vec![150], vec![70, 1, 40], vec![1; 20], vec![130, 200]] {
            let inputs = Inputs::new(&scan, &lengths, 5);
            threads_do_not_matter(&scan, &inputs, Compute::F32, products);
        }
    }
}

#[test]
fn shapes_are_checked() {
    let dims = SsdDims { heads: 2, head_dim: 3, state: 5, groups: 1 };
    let call = |dims: &SsdDims, of: [usize; 5], columns: (usize, usize), region: Region| {
        let [xbc, dt, heads, state, y] = of.map(|n| vec![0.0; n]);
        let (mut state, mut y) = (state, y);
        let batch = Batch::new(&[0, 0], &[0, 1, 2], &[0, 1], &[]).unwrap();
        let own = || Weight::Values(heads.clone());
        let heads = SsdHeads { dt_bias: own(), a_log: own(), d: own() };
        let inputs = (&xbc[..], Columns::from(&dt[..], columns.0, columns.1));
        let state = StateMut { buffer: &mut state[..], region };
        let mut cpu = Cpu::new(Isa::best());
        cpu.ssd_scan(dims, &batch.sequences(&[0, 0]), inputs, &heads, state, &mut y)
    };
    let region = Region { offset: 0, stride: 30, elements: 30 };
    assert_eq!(call(&dims, [32, 4, 2, 60, 12], (2, 0), region), Ok(()));
    for of in [
        [31, 4, 2, 60, 12],
        [32, 3, 2, 60, 12],
        [32, 4, 1, 60, 12],
        [32, 4, 2, 59, 12],
        [32, 4, 2, 60, 11],
    ] {
        assert!(call(&dims, of, (2, 0), region).is_err(), "{of:?}");
    }
    let of = [32, 4, 2, 60, 12];
    assert!(call(&dims, of, (2, 1), region).is_err());
    assert!(call(&dims, of, (2, 0), Region { elements: 29, ..region }).is_err());
    assert!(call(&dims, of, (2, 0), Region { stride: 29, ..region }).is_err());
    assert!(call(&SsdDims { groups: 0, ..dims }, of, (2, 0), region).is_err());
    assert!(call(&SsdDims { state: usize::MAX, ..dims }, of, (2, 0), region).is_err());
}
