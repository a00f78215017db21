//! The scan of Mamba-2.

use longseq_core::backend::{Columns, SsdScan};
use longseq_core::batch::{Batch, Sequences};
use longseq_core::recurrence::ssd::{SsdDims, SsdHeads};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::{Cpu, CpuError, GRID, gemm::Stored, isa::Isa, weight::Weight};
use proptest::prelude::*;

use super::{
    Bytes, Inputs, Operation, is_near, is_the_same_anyhow, lengths, noise, threads_do_not_matter,
    turn, weight,
};

/// Rows of xBC and dt side by side.
#[derive(Clone, Debug)]
struct Scan {
    dims: SsdDims,
    /// In which precision whole chunks are multiplied.
    products: Stored,
    weights: [Vec<f32>; 3],
    bytes: [Bytes; 3],
}

impl Scan {
    fn new(dims: SsdDims, products: Stored, [bias, a_log, d]: [Vec<f32>; 3]) -> Self {
        let bytes = [&bias, &a_log, &d].map(|values| Bytes::new(values));
        Self { dims, products, weights: [bias, a_log, d], bytes }
    }

    fn random(dims: SsdDims, products: Stored, seed: u64) -> Self {
        // Steps from negligible to forgetting everything at once.
        let bias = noise(seed, dims.heads).iter().map(|x| 3.0 * x - 2.0).collect();
        Self::new(dims, products, [bias, noise(seed + 1, dims.heads), noise(seed + 2, dims.heads)])
    }
}

impl Operation for Scan {
    fn inputs(&self) -> usize {
        self.dims.xbc_width() + self.dims.heads
    }

    fn outputs(&self) -> usize {
        self.dims.inner()
    }

    fn state(&self) -> usize {
        self.dims.state_elements()
    }

    fn work(&self) -> usize {
        4 * self.dims.heads
    }

    fn backend(&self, isa: Isa) -> Cpu {
        Cpu::new(isa).products_in(self.products)
    }

    fn grid(&self) -> usize {
        match self.products {
            Stored::F32 => 1,
            Stored::Bf16 => GRID,
        }
    }

    fn cpu(
        &self,
        cpu: &mut Cpu,
        sequences: &Sequences<'_>,
        rows: &[f32],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result<(), CpuError> {
        let [dt_bias, a_log, d] = self.weights.each_ref().map(|values| weight(values));
        let (width, stride) = (self.dims.xbc_width(), self.inputs());
        let xbc: Vec<f32> = rows.chunks(stride).flat_map(|row| &row[..width]).copied().collect();
        let inputs = (&xbc[..], Columns::from(rows, stride, width));
        let heads = SsdHeads { dt_bias, a_log, d };
        let (mut state, SsdDims { head_dim: p, state: n, .. }) = (state, self.dims);
        turn(sequences, &mut state, p, n);
        let StateMut { buffer, region } = state;
        let state = StateMut { buffer: &mut *buffer, region };
        cpu.ssd_scan(&self.dims, sequences, inputs, &heads, state, out)?;
        turn(sequences, &mut StateMut { buffer, region }, n, p);
        Ok(())
    }

    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    ) {
        let [dt_bias, a_log, d] = self.bytes.each_ref().map(Bytes::tensor);
        let (width, stride) = (self.dims.xbc_width(), self.inputs());
        let xbc: Vec<f64> = rows.chunks(stride).flat_map(|row| &row[..width]).copied().collect();
        let inputs = (&xbc[..], Columns::from(rows, stride, width));
        let heads = SsdHeads { dt_bias, a_log, d };
        reference.ssd_scan(&self.dims, sequences, inputs, &heads, state, out).unwrap();
    }

    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>) {
        let [bias, a_log, d] = self.weights.clone();
        let d = d.iter().map(|d| d.abs()).collect();
        let (width, stride) = (self.dims.xbc_width(), self.inputs());
        let sign = |(i, x): (usize, &f64)| if i % stride < width { x.abs() } else { *x };
        let rows = rows.iter().enumerate().map(sign).collect();
        (Self::new(self.dims, self.products, [bias, a_log, d]), rows)
    }
}

fn dims() -> impl Strategy<Value = SsdDims> {
    let head_dim = prop_oneof![1..10_usize, prop::sample::select(vec![16, 31, 32, 40, 64])];
    let state = prop_oneof![1..10_usize, prop::sample::select(vec![16, 33, 64])];
    (1..4_usize, 1..3_usize, head_dim, state).prop_map(|(per_group, groups, head_dim, state)| {
        SsdDims { heads: per_group * groups, head_dim, state, groups }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn is_the_recurrence(dims in dims(), lengths in lengths(), seed in any::<u32>()) {
        let scan = Scan::random(dims, Stored::F32, u64::from(seed));
        is_near(&scan, &Inputs::new(&scan, &lengths, u64::from(seed) + 9), 1e-6)?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let scan = Scan::random(dims, Stored::F32, u64::from(seed));
        is_the_same_anyhow(&scan, &Inputs::new(&scan, &lengths, u64::from(seed)))?;
    }
}

/// Sizes of which chunks are made, and lengths that have some.
fn chunked() -> impl Strategy<Value = (SsdDims, Vec<usize>)> {
    let sizes = prop::sample::select(vec![(32, 32), (32, 128), (64, 32), (64, 64)]);
    let dims =
        (1..4_usize, 1..3_usize, sizes).prop_map(|(per_group, groups, (head_dim, state))| {
            SsdDims { heads: per_group * groups, head_dim, state, groups }
        });
    let length = prop_oneof![1..70_usize, prop::sample::select(vec![64, 128, 129, 200])];
    (dims, prop::collection::vec(length, 1..4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_are_near_the_recurrence((dims, lengths) in chunked(), seed in any::<u32>()) {
        let scan = Scan::random(dims, Stored::Bf16, u64::from(seed));
        is_near(&scan, &Inputs::new(&scan, &lengths, u64::from(seed) + 9), 5e-3)?;
    }

    #[test]
    fn batches_and_cuts_between_chunks_do_not_matter(
        (dims, lengths) in chunked(),
        seed in any::<u32>(),
    ) {
        let scan = Scan::random(dims, Stored::Bf16, u64::from(seed));
        is_the_same_anyhow(&scan, &Inputs::new(&scan, &lengths, u64::from(seed)))?;
    }
}

#[test]
fn threads_change_nothing() {
    // Enough that threads are woken, within a sequence and for several.
    for (state, products) in [(40, Stored::F32), (64, Stored::Bf16)] {
        let dims = SsdDims { heads: 6, head_dim: 32, state, groups: 2 };
        let scan = Scan::random(dims, products, 3);
        for lengths in [vec![150], vec![70, 1, 40], vec![1; 20], vec![130, 200]] {
            threads_do_not_matter(&scan, &Inputs::new(&scan, &lengths, 5));
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
