//! The scan of RWKV-6.

use longseq_core::backend::{Columns, Wkv6Inputs, Wkv6Scan};
use longseq_core::batch::Batch;
use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::{Cpu, gemm::Stored, isa::Isa};
use longseq_tests::recurrence::wkv6::{Scan, dims};
use longseq_tests::recurrence::{Inputs, is_near, is_the_same_anyhow, lengths};
use proptest::prelude::*;

use super::{all, threads_do_not_matter, weight};

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

#[test]
fn threads_change_nothing() {
    let scan = Scan::random(Wkv6Dims { heads: 7, head_dim: 40 }, 3);
    for lengths in [vec![150], vec![70, 1, 40], vec![1; 20]] {
        let inputs = Inputs::new(&scan, &lengths, 5);
        threads_do_not_matter(&scan, &inputs, Compute::F32, Stored::F32);
    }
}

#[test]
fn shapes_are_checked() {
    let dims = Wkv6Dims { heads: 2, head_dim: 3 };
    let call = |dims: &Wkv6Dims, of: [usize; 7], offset: usize, elements: usize| {
        let [r, k, v, d, u, state, out] = of.map(|n| vec![0.0; n]);
        let (mut state, mut out) = (state, out);
        let batch = Batch::new(&[0, 0], &[0, 1, 2], &[0, 1], &[]).unwrap();
        let [receptance, key, value, decay] =
            [&r, &k, &v, &d].map(|buffer| Columns::from(&buffer[..], 7, offset));
        let inputs = Wkv6Inputs { receptance, key, value, decay };
        let region = Region { offset: 0, stride: elements, elements };
        let state = StateMut { buffer: &mut state[..], region };
        let mut cpu = Cpu::new(Isa::best());
        cpu.wkv6_scan(dims, &batch.sequences(&[0, 0]), inputs, &weight(&u), state, &mut out)
    };
    let good = [14, 14, 14, 14, 6, 36, 12];
    assert_eq!(call(&dims, good, 1, 18), Ok(()));
    for place in 0..good.len() {
        let mut of = good;
        of[place] -= 1;
        assert!(call(&dims, of, 1, 18).is_err(), "{of:?}");
    }
    assert!(call(&dims, good, 2, 18).is_err());
    assert!(call(&dims, good, 1, 17).is_err());
    assert!(call(&Wkv6Dims { heads: 0, ..dims }, good, 1, 18).is_err());
    assert!(call(&Wkv6Dims { heads: usize::MAX, ..dims }, good, 1, 18).is_err());
}
