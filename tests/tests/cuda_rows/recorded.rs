//! Recorded passes: the order in which things take place, what makes a pass another one, and passes that fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use longseq_core::backend::{Columns, GatherRows as _, LinearMap as _, SoftCap as _, StateMemory};
use longseq_core::hybrid::map::MapWeights as _;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::CudaError;
use longseq_cuda::buffer::Buffer;
use longseq_cuda::weight::{Load, Weight};
use longseq_cuda_emulator::{Emulator, EmulatorError, Memory, Options, faults};
use longseq_tests::rows::{bits, bytes, tensor};
use longseq_tests::transfer::Transfer;

type Cuda = longseq_cuda::Cuda<Emulator>;
type Result<T = ()> = core::result::Result<T, CudaError<EmulatorError>>;

const ROWS: usize = 3;
const WIDTH: usize = 8;
const MANY_ROWS: usize = 40;

/// What passes read and write.
struct Operands {
    map: Linear<Weight<Memory>>,
    x: Buffer<Memory>,
    y: Buffer<Memory>,
    z: Buffer<Memory>,
}

impl Operands {
    fn new(cuda: &mut Cuda) -> Self {
        let values: Vec<f32> = (0..WIDTH * WIDTH).map(|i| (i * i % 7) as f32 - 3.0).collect();
        let weight = bytes(&values);
        let linear = Linear { weight: tensor(&weight, WIDTH), bias: None };
        let map = Load::new(cuda, Compute::Bf16).linear(&[&linear]).unwrap();
        let mut buffer = || cuda.buffer(MANY_ROWS * WIDTH, Dtype::F32).unwrap();
        let [x, y, z] = [buffer(), buffer(), buffer()];
        let mut operands = Self { map, x, y, z };
        operands.begin(cuda);
        operands
    }

    /// Puts what passes begin with.
    fn begin(&mut self, cuda: &mut Cuda) {
        let x: Vec<f32> = (0..MANY_ROWS * WIDTH).map(|i| (i * 5 % 11) as f32 - 4.0).collect();
        cuda.upload(&x, &mut self.x).unwrap();
        for buffer in [&mut self.y, &mut self.z] {
            cuda.upload(&[f32::NAN; MANY_ROWS * WIDTH], buffer).unwrap();
        }
    }

    fn bits(&self, cuda: &mut Cuda) -> [Vec<u32>; 3] {
        [&self.x, &self.y, &self.z].map(|buffer| bits(&cuda.get(buffer)))
    }

    /// y = x Wᵀ in so many rows.
    fn product(&mut self, cuda: &mut Cuda, rows: usize) -> Result {
        let dims = LinearDims { rows, inputs: WIDTH, outputs: WIDTH, accumulate: false };
        let (x, y) = (Columns::all(&self.x, WIDTH), Columns::all(&mut self.y, WIDTH));
        cuda.linear(&dims, x, &self.map, y)
    }
}

/// What a pass does.
type Pass = fn(&mut Cuda, &mut Operands) -> Result;

fn record(cuda: &mut Cuda, operands: &mut Operands, pass: Pass) -> Result {
    // SAFETY: the passes here free no operand.
    unsafe { cuda.recorded(|cuda| pass(cuda, operands), |error| error) }
}

fn emulator() -> Cuda {
    Cuda::new(Emulator::new(Options::default()))
}

/// What the operands hold after a pass that is not recorded.
fn direct(pass: Pass) -> [Vec<u32>; 3] {
    let mut cuda = emulator();
    let mut operands = Operands::new(&mut cuda);
    pass(&mut cuda, &mut operands).unwrap();
    operands.bits(&mut cuda)
}

/// Records a pass four times, each of which leaves what it leaves when it is not recorded; how many were graphs.
fn graphs_of_four(pass: Pass) -> u64 {
    let expected = direct(pass);
    let mut cuda = emulator();
    let mut operands = Operands::new(&mut cuda);
    for _ in 0..4 {
        operands.begin(&mut cuda);
        record(&mut cuda, &mut operands, pass).unwrap();
        assert!(operands.bits(&mut cuda) == expected);
    }
    cuda.graphs().replayed
}

#[test]
fn what_cannot_wait_takes_place_in_its_order() {
    let whole: Pass = |cuda, of| {
        of.product(cuda, ROWS)?;
        cuda.soft_cap(ROWS * WIDTH, 3.0, &mut of.y)
    };
    assert_eq!(graphs_of_four(whole), 3);
    let cut: [Pass; 6] = [
        |cuda, of| {
            of.product(cuda, ROWS)?;
            cuda.upload(&[1.0; WIDTH], &mut of.x)?;
            cuda.soft_cap(ROWS * WIDTH, 3.0, &mut of.y)
        },
        |cuda, of| {
            of.product(cuda, ROWS)?;
            let mut read = [0.0; WIDTH];
            cuda.download(&of.y, &mut read)?;
            cuda.upload(&read, &mut of.z)
        },
        |cuda, of| {
            of.product(cuda, ROWS)?;
            cuda.clear(&mut of.x, 0..WIDTH)?;
            cuda.soft_cap(ROWS * WIDTH, 3.0, &mut of.y)
        },
        |cuda, of| {
            of.product(cuda, ROWS)?;
            cuda.copy_within(&mut of.y, 0..WIDTH, 2 * WIDTH)?;
            cuda.soft_cap(ROWS * WIDTH, 3.0, &mut of.y)
        },
        |cuda, of| {
            of.product(cuda, ROWS)?;
            let best = cuda.argmax((ROWS, WIDTH), &of.y)?;
            let best: Vec<f32> = best.into_iter().map(|best| best.unwrap() as f32).collect();
            cuda.upload(&best, &mut of.z)
        },
        // The list of rows is replaced while the first still waits.
        |cuda, of| {
            cuda.gather_rows(WIDTH, &[2, 5], &of.x, &mut of.y)?;
            let many: Vec<usize> = (0..300).map(|i| i % 7).collect();
            cuda.gather_rows(1, &many, &of.x, &mut of.z)
        },
    ];
    for (number, pass) in cut.into_iter().enumerate() {
        assert_eq!(graphs_of_four(pass), 0, "{number}");
    }
}

#[test]
fn working_memory_grows_between_steps_that_use_it() {
    let pass: Pass = |cuda, of| {
        of.product(cuda, ROWS)?;
        cuda.soft_cap(ROWS * WIDTH, 3.0, &mut of.y)?;
        of.product(cuda, MANY_ROWS)
    };
    assert_eq!(graphs_of_four(pass), 2);
}

/// A graph is replayed only where exactly the same was asked for.
#[test]
fn whatever_differs_is_another_pass() {
    let passes: [Pass; 8] = [
        |cuda, of| cuda.soft_cap(20, 3.0, &mut of.x),
        |cuda, of| cuda.soft_cap(20, 3.5, &mut of.x),
        |cuda, of| cuda.soft_cap(21, 3.0, &mut of.x),
        |cuda, of| cuda.gather_rows(WIDTH, &[1, 2], &of.x, &mut of.y),
        |cuda, of| cuda.gather_rows(WIDTH, &[1, 2], &of.x, &mut of.z),
        |cuda, of| of.product(cuda, ROWS),
        |cuda, of| of.product(cuda, ROWS + 1),
        |cuda, of| {
            of.product(cuda, ROWS)?;
            of.product(cuda, ROWS)
        },
    ];
    let expected = passes.map(direct);
    let mut cuda = emulator();
    let mut operands = Operands::new(&mut cuda);
    for round in 0..4 {
        for (number, (pass, expected)) in passes.into_iter().zip(&expected).enumerate() {
            operands.begin(&mut cuda);
            record(&mut cuda, &mut operands, pass).unwrap();
            assert!(operands.bits(&mut cuda) == *expected, "pass {number}, round {round}");
        }
    }
    // The first product may have its factor elsewhere from the second round on.
    assert_eq!(cuda.graphs().made, 8);
    assert!((23..=24).contains(&cuda.graphs().replayed), "{:?}", cuda.graphs());
}

#[test]
fn of_many_passes_few_are_remembered() {
    let mut cuda = emulator();
    let mut operands = Operands::new(&mut cuda);
    let mut round = |passes: core::ops::Range<usize>| {
        for elements in passes {
            let cap = |cuda: &mut Cuda| cuda.soft_cap(elements, 3.0, &mut operands.x);
            // SAFETY: nothing is freed.
            unsafe { cuda.recorded(cap, |error| error) }.unwrap();
        }
        (cuda.graphs().made, cuda.graphs().replayed)
    };
    // Of one more than are remembered, each has been forgotten when it comes again.
    assert_eq!([round(1..18), round(1..18)], [(0, 0); 2]);
    assert_eq!([round(30..46), round(30..46), round(30..46)], [(0, 0), (16, 16), (16, 32)]);
    // What was used last is kept.
    assert_eq!([round(50..58), round(38..46), round(50..58)], [(16, 32), (16, 40), (24, 48)]);
}

#[test]
fn what_a_failed_pass_has_not_submitted_is_dropped() {
    let fails: Pass = |cuda, of| {
        of.product(cuda, ROWS)?;
        cuda.soft_cap(usize::MAX, 3.0, &mut of.y)
    };
    let panics: Pass = |cuda, of| {
        of.product(cuda, ROWS)?;
        panic!("in the middle")
    };
    let whole: Pass = |cuda, of| of.product(cuda, ROWS);
    let expected = direct(whole);
    let mut cuda = emulator();
    let mut operands = Operands::new(&mut cuda);
    let nothing = operands.bits(&mut cuda);
    for round in 0..4 {
        operands.begin(&mut cuda);
        let failed = record(&mut cuda, &mut operands, fails);
        assert!(matches!(failed, Err(CudaError::Shape(_))), "{failed:?}");
        assert!(operands.bits(&mut cuda) == nothing, "round {round}");
        let panicked = catch_unwind(AssertUnwindSafe(|| record(&mut cuda, &mut operands, panics)));
        assert!(panicked.is_err());
        // Launched at once, not recorded any more.
        cuda.soft_cap(WIDTH, 3.0, &mut operands.z).unwrap();
        assert!(operands.bits(&mut cuda)[1] == nothing[1], "round {round}");
        operands.begin(&mut cuda);
        record(&mut cuda, &mut operands, whole).unwrap();
        assert!(operands.bits(&mut cuda) == expected, "round {round}");
    }
    assert_eq!((cuda.graphs().made, cuda.graphs().replayed), (1, 3));
}

#[test]
fn a_launch_that_fails_later_is_named() {
    let planted = "a soft cap of four elements where there are fewer";
    let fault = faults().find(|fault| fault.name == planted).unwrap();
    let mut cuda = Cuda::new(Emulator::new(Options::default()).with_fault(fault));
    let mut x = cuda.put(&[1.0; 5]);
    // SAFETY: nothing is freed.
    let failed = unsafe { cuda.recorded(|cuda| cuda.soft_cap(5, 3.0, &mut x), |error| error) };
    let message = failed.unwrap_err().to_string();
    assert!(message.starts_with("soft_cap: "), "{message}");
}
