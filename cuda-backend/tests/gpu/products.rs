//! Products: their layouts, strides and alignments, and how often cuBLASLt is asked how to make them.

use half::bf16;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::{
    driver::gpu::{DeviceMemory, Gpu},
    runtime::{Gemm, Matrix, Memory as _, Runtime as _},
};
use proptest::prelude::*;

use super::number;

/// Sizes of a product, what its strides have beyond its sizes, where its matrices begin (in elements), and how it is made.
#[derive(Clone, Copy, Debug)]
struct Case {
    batch: usize,
    rows: usize,
    inputs: usize,
    outputs: usize,
    beyond: [usize; 3],
    first: [usize; 3],
    bf16: bool,
    accumulate: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let (sizes, three) = ((1..4usize, 1..9usize, 1..9usize, 1..9usize), || [0..5usize, 0..5, 0..5]);
    (sizes, three(), three(), any::<bool>(), any::<bool>()).prop_map(
        |((batch, rows, inputs, outputs), beyond, first, bf16, accumulate)| Case {
            batch,
            rows,
            inputs,
            outputs,
            beyond,
            first,
            bf16,
            accumulate,
        },
    )
}

/// A matrix of a product: width, rows, and where its elements are.
struct Placed {
    memory: DeviceMemory,
    matrix: Matrix,
    values: Vec<f32>,
    first: usize,
    bf16: bool,
}

impl Placed {
    fn new(
        gpu: &mut Gpu,
        case: &Case,
        place: usize,
        (rows, width): (usize, usize),
        bf16: bool,
    ) -> Self {
        let first = case.first[place];
        let row_stride = width + case.beyond[place];
        let batch_stride = rows * row_stride + case.beyond[2 - place];
        // Small integers are exact in bf16, and so are the sums.
        let value = |i: usize| ((i * 7 + place * 3 + i / 5) % 9) as f32 - 4.0;
        let values: Vec<f32> = (0..first + case.batch * batch_stride).map(value).collect();
        let bytes: Vec<u8> = match bf16 {
            true => values.iter().flat_map(|x| bf16::from_f32(*x).to_ne_bytes()).collect(),
            false => values.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        };
        let memory = gpu.allocate(bytes.len()).unwrap();
        gpu.upload(&bytes, &memory, 0).unwrap();
        let element = if bf16 { 2 } else { 4 };
        let address = memory.address() + (first * element) as u64;
        let matrix = Matrix { address, row_stride, batch_stride };
        Self { memory, matrix, values, first, bf16 }
    }

    fn place(&self, batch: usize, row: usize, column: usize) -> usize {
        self.first + batch * self.matrix.batch_stride + row * self.matrix.row_stride + column
    }
}

fn product(gpu: &mut Gpu, case: &Case) -> (Vec<f32>, Vec<f32>) {
    let Case { batch, rows, inputs, outputs, bf16, accumulate, .. } = *case;
    let x = Placed::new(gpu, case, 0, (rows, inputs), bf16);
    let weight = Placed::new(gpu, case, 1, (outputs, inputs), bf16);
    let out = Placed::new(gpu, case, 2, (rows, outputs), false);
    assert!(!out.bf16);
    let dtype = if bf16 { Dtype::Bf16 } else { Dtype::F32 };
    let (x_matrix, weight_matrix, out_matrix) = (x.matrix, weight.matrix, out.matrix);
    let gemm = Gemm {
        batch,
        rows,
        inputs,
        outputs,
        dtype,
        accumulate,
        x: x_matrix,
        weight: weight_matrix,
        out: out_matrix,
    };
    // SAFETY: the matrices lie in memory that is freed in the order of the stream.
    unsafe { gpu.gemm(&gemm) }.unwrap();
    let mut bytes = vec![0; 4 * out.values.len()];
    gpu.download(&out.memory, 0, &mut bytes).unwrap();
    let found = bytes.as_chunks().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect();
    let mut expected = out.values.clone();
    for b in 0..batch {
        for row in 0..rows {
            for column in 0..outputs {
                let products = (0..inputs).map(|k| {
                    x.values[x.place(b, row, k)] * weight.values[weight.place(b, column, k)]
                });
                let old = if accumulate { out.values[out.place(b, row, column)] } else { 0.0 };
                expected[out.place(b, row, column)] = old + products.sum::<f32>();
            }
        }
    }
    (found, expected)
}

pub fn products(gpu: &mut Gpu) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let gpu = std::cell::RefCell::new(gpu);
    let ran = runner.run(&cases(), |case| {
        let (found, expected) = product(&mut gpu.borrow_mut(), &case);
        prop_assert_eq!(found, expected);
        Ok(())
    });
    ran.unwrap();
}

pub fn kept_plans(gpu: &mut Gpu) {
    let case = Case {
        batch: 2,
        rows: 5,
        inputs: 300,
        outputs: 3,
        beyond: [1, 2, 3],
        first: [0; 3],
        bf16: true,
        accumulate: false,
    };
    let asked = number("stand_in_heuristics");
    for accumulate in [false, true, false] {
        product(gpu, &Case { accumulate, ..case });
    }
    assert_eq!(number("stand_in_heuristics"), asked + 1);
    for other in [
        Case { rows: 6, ..case },
        Case { bf16: false, ..case },
        Case { first: [1, 0, 0], ..case },
        Case { beyond: [1, 2, 4], ..case },
    ] {
        product(gpu, &other);
    }
    assert_eq!(number("stand_in_heuristics"), asked + 5);
    // Nothing to make.
    let nothing = Matrix { address: 0, row_stride: 0, batch_stride: 0 };
    let gemm = Gemm {
        batch: 1,
        rows: 0,
        inputs: 4,
        outputs: 4,
        dtype: Dtype::F32,
        accumulate: false,
        x: nothing,
        weight: nothing,
        out: nothing,
    };
    // SAFETY: no element is read or written.
    unsafe { gpu.gemm(&gemm) }.unwrap();
}
