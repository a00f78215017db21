//! Graphs: captured without being done, launched as often as wanted, never in the way.

use longseq_core::{
    backend::{Columns, LinearMap as _, RmsNorm as _},
    hybrid::map::MapWeights as _,
    numeric::{
        compute::Compute,
        linear::{Linear, LinearDims},
        norm::NormDims,
        tensor::{Dtype, Tensor},
    },
};
use longseq_cuda::{
    Cuda,
    buffer::Buffer,
    driver::gpu::{DeviceMemory, Gpu},
    weight::{Load, Weight},
};

use super::{number, with_number};

/// Steps of making and launching a graph, each of which may fail: begin of the capture, a launch in it, its end, making
/// launches of it, making them ready, launching.
const STEPS: i32 = 6;

/// Rows of the passes.
const ROWS: usize = 4;

pub fn all(mut open: impl FnMut() -> Gpu) {
    for refuses in 0..=STEPS {
        passes(open(), refuses);
        assert_eq!(number("stand_in_alive"), 0, "{refuses}");
    }
}

/// A product and a launch, into buffers of theirs.
struct Pass {
    weight: Linear<Weight<DeviceMemory>>,
    norm: Weight<DeviceMemory>,
    x: Buffer<DeviceMemory>,
    out: Buffer<DeviceMemory>,
    launched: Buffer<DeviceMemory>,
    normed: Buffer<DeviceMemory>,
}

impl Pass {
    fn new(cuda: &mut Cuda<Gpu>) -> Self {
        let bytes: Vec<u8> = (1..=4).flat_map(|i| (i as f32).to_ne_bytes()).collect();
        let matrix = Tensor::new(Dtype::F32, &[2, 2], &bytes).unwrap();
        let row = Tensor::new(Dtype::F32, &[4], &bytes).unwrap();
        let mut load = Load::new(cuda, Compute::F32);
        let weight = load.linear(&[&Linear { weight: matrix, bias: None }]).unwrap();
        let norm = load.values(&row).unwrap();
        let mut buffer = |elements| cuda.buffer(elements, Dtype::F32).unwrap();
        let [x, out, launched, normed] = [2, 2, 4, 4].map(|width| buffer(width * ROWS));
        Self { weight, norm, x, out, launched, normed }
    }

    /// Records the pass with these values of x, and returns out and the blocks that were launched.
    fn run(&mut self, cuda: &mut Cuda<Gpu>, rows: usize, x: f32) -> (Vec<f32>, u32) {
        let Self { weight, norm, x: values, out, launched, normed } = self;
        let linear = LinearDims { rows, inputs: 2, outputs: 2, accumulate: false };
        let dims = NormDims { rows, width: 4, epsilon: 1e-5 };
        cuda.upload(&[x; 2 * ROWS], values).unwrap();
        cuda.upload(&[f32::NAN; 2 * ROWS], out).unwrap();
        cuda.upload(&[f32::NAN; 4 * ROWS], launched).unwrap();
        let pass = |cuda: &mut Cuda<Gpu>| {
            let (x, y) = (Columns::all(&*values, 2), Columns::all(&mut *out, 2));
            cuda.linear(&linear, x, weight, y)?;
            // A kernel writes what it was launched with to its first argument.
            cuda.rms_norm(&dims, launched, norm, false, normed)
        };
        // SAFETY: the pass only borrows its buffers and weights.
        unsafe { cuda.recorded(pass, |error| error) }.unwrap();
        let (mut found, mut launch) = ([0.0; 2 * ROWS], [0.0]);
        cuda.download(out, &mut found).unwrap();
        cuda.download(launched, &mut launch).unwrap();
        (found[..2 * rows].to_vec(), launch[0].to_bits())
    }
}

/// The same passes in any case; as graphs, where nothing is refused.
fn passes(gpu: Gpu, refuses: i32) {
    let mut cuda = Cuda::new(gpu);
    let mut pass = Pass::new(&mut cuda);
    with_number("stand_in_refuses", |number| *number = refuses);
    let names = ["stand_in_launches", "stand_in_captures", "stand_in_replays"];
    let before = names.map(number);
    let mut counts = Vec::new();
    for (rows, x) in [(4, 1.0), (4, 2.0), (4, 3.0), (3, 4.0), (3, 5.0), (4, 6.0), (3, 7.0)] {
        let found = pass.run(&mut cuda, rows, x);
        let expected = [3.0 * x, 7.0 * x].repeat(rows);
        assert_eq!(found, (expected, rows as u32), "{refuses}");
        let now = names.map(number);
        counts.push([0, 1, 2].map(|i| now[i] - before[i]));
    }
    with_number("stand_in_refuses", |number| *number = 0);
    let graphs = cuda.graphs();
    assert_eq!(graphs.steps, 2);
    if refuses == 0 {
        // Launched the first time, captured the second time, then no more.
        let expected =
            [[1, 0, 0], [2, 1, 1], [2, 1, 2], [3, 1, 2], [4, 2, 3], [4, 2, 4], [4, 2, 5]];
        assert_eq!((counts, graphs.made, graphs.replayed), (expected.to_vec(), 2, 5));
        assert_eq!(graphs.refused, None);
    } else {
        let [_, captures, replays] = counts[counts.len() - 1];
        assert!(graphs.refused.is_some() && graphs.replayed == 0);
        assert_eq!((captures, replays), (i32::from(refuses > 1), 0), "tried once");
    }
}
