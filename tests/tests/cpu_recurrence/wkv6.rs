//! The scan of RWKV-6.

use longseq_core::backend::{Columns, Wkv6Inputs, Wkv6Scan};
use longseq_core::batch::{Batch, Sequences};
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::{Cpu, CpuError, isa::Isa};
use proptest::prelude::*;

use super::{
    Bytes, Inputs, Operation, is_near, is_the_same_anyhow, lengths, noise, threads_do_not_matter,
    weight,
};

/// Rows of r, k, v and d side by side.
#[derive(Clone, Debug)]
struct Scan {
    dims: Wkv6Dims,
    bonus: Vec<f32>,
    bytes: Bytes,
}

impl Scan {
    fn new(dims: Wkv6Dims, bonus: Vec<f32>) -> Self {
        let bytes = Bytes::new(&bonus);
        Self { dims, bonus, bytes }
    }

    fn random(dims: Wkv6Dims, seed: u64) -> Self {
        Self::new(dims, noise(seed, dims.width()))
    }

    fn columns<'b, R>(&self, rows: &'b [R]) -> Wkv6Inputs<'b, [R]> {
        let of = |place: usize| Columns::from(rows, self.inputs(), place * self.dims.width());
        Wkv6Inputs { receptance: of(0), key: of(1), value: of(2), decay: of(3) }
    }
}

impl Operation for Scan {
    fn inputs(&self) -> usize {
        4 * self.dims.width()
    }

    fn outputs(&self) -> usize {
        self.dims.width()
    }

    fn state(&self) -> usize {
        self.dims.state_elements()
    }

    fn work(&self) -> usize {
        self.dims.width()
    }

    fn cpu(
        &self,
        cpu: &mut Cpu,
        sequences: &Sequences<'_>,
        rows: &[f32],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result<(), CpuError> {
        let bonus = weight(&self.bonus);
        cpu.wkv6_scan(&self.dims, sequences, self.columns(rows), &bonus, state, out)
    }

    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    ) {
        let (bonus, inputs) = (self.bytes.tensor(), self.columns(rows));
        reference.wkv6_scan(&self.dims, sequences, inputs, &bonus, state, out).unwrap();
    }

    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>) {
        let bonus = self.bonus.iter().map(|u| u.abs()).collect();
        let (width, stride) = (3 * self.dims.width(), self.inputs());
        let sign = |(i, x): (usize, &f64)| if i % stride < width { x.abs() } else { *x };
        let rows = rows.iter().enumerate().map(sign).collect();
        (Self::new(self.dims, bonus), rows)
    }
}

fn dims() -> impl Strategy<Value = Wkv6Dims> {
    let head_dim = prop_oneof![1..10_usize, prop::sample::select(vec![16, 31, 32, 40, 64])];
    (1..5_usize, head_dim).prop_map(|(heads, head_dim)| Wkv6Dims { heads, head_dim })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn is_the_recurrence(dims in dims(), lengths in lengths(), seed in any::<u32>()) {
        let scan = Scan::random(dims, u64::from(seed));
        is_near(&scan, &Inputs::new(&scan, &lengths, u64::from(seed) + 9), 1e-6)?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let scan = Scan::random(dims, u64::from(seed));
        is_the_same_anyhow(&scan, &Inputs::new(&scan, &lengths, u64::from(seed)))?;
    }
}

#[test]
fn threads_change_nothing() {
    let scan = Scan::random(Wkv6Dims { heads: 7, head_dim: 40 }, 3);
    for lengths in [vec![150], vec![70, 1, 40], vec![1; 20]] {
        threads_do_not_matter(&scan, &Inputs::new(&scan, &lengths, 5));
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
