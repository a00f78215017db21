//! Memory, and launches that are refused.

use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::kernels::Kernel;
use longseq_cuda::runtime::{Argument, Gemm, Launch, Matrix, Memory as _, Runtime};
use longseq_cuda_emulator::{Emulator, Options, probes::SCAN};

use super::{get, launch, put};

fn emulator() -> Emulator {
    Emulator::new(Options::default())
}

#[test]
fn memory_is_poisoned_copied_and_cleared() {
    let mut emulator = emulator();
    let (a, b) = (emulator.allocate(12).unwrap(), emulator.allocate(40).unwrap());
    assert!(get(&mut emulator, &a, f32::from_le_bytes).iter().all(|x| x.is_nan()));
    emulator.upload(&[1, 2, 3, 4], &a, 8).unwrap();
    emulator.copy((&a, 6..12), (&b, 30)).unwrap();
    emulator.clear(&b, 35..38).unwrap();
    let bytes = get(&mut emulator, &b, |[byte]: [u8; 1]| byte);
    assert_eq!(bytes[29..], [255, 255, 255, 1, 2, 3, 0, 0, 0, 255, 255]);
    assert!(emulator.copy((&b, 0..8), (&b, 4)).is_err());
    assert!(emulator.allocate(usize::MAX).is_err());
}

#[test]
fn what_reaches_beyond_a_buffer_is_reported() {
    let mut emulator = emulator();
    let x = put(&mut emulator, (0..100_i32).map(i32::to_le_bytes));
    let out = put(&mut emulator, (0..98).map(|_| [0; 4]));
    let [x, out] = [&x, &out].map(|of| Argument::Address(of.address()));
    let run = |emulator: &mut Emulator, x, out, count| {
        let result = launch(emulator, &SCAN, [1, 1, 1], &[x, out, Argument::I32(count)]);
        result.map_err(|error| error.to_string())
    };
    assert_eq!(run(&mut emulator, x, out, 98), Ok(()));
    let read = run(&mut emulator, x, out, 101).unwrap_err();
    assert!(read.contains("thread 100 reaches at byte 400 of a buffer of 400"), "{read}");
    // The buffer ends 8 bytes before its page does: reading there goes unnoticed, writing does not.
    let write = run(&mut emulator, x, out, 99).unwrap_err();
    assert!(write.contains("wrote beside a buffer of 392 bytes"), "{write}");
    let null = run(&mut emulator, Argument::Address(0), out, 98).unwrap_err();
    assert!(null.contains("far from any buffer"), "{null}");
    // And it works as before.
    let out = put(&mut emulator, (0..98).map(|_| [0; 4]));
    assert_eq!(run(&mut emulator, x, Argument::Address(out.address()), 98).unwrap_err(), write);
}

#[test]
fn launches_that_no_gpu_would_take_are_refused() {
    let mut emulator = emulator();
    let out = Argument::Address(0);
    let refused =
        |emulator: &mut Emulator, kernel: &Kernel, blocks, threads, arguments: &[Argument]| {
            let launch = Launch { kernel, blocks, threads, dynamic_shared: 0, arguments };
            // SAFETY: none of these runs.
            unsafe { emulator.launch(&launch) }.unwrap_err().to_string()
        };
    let right = [out, out, Argument::I32(0)];
    for (blocks, threads, arguments) in [
        ([1, 1, 1], 48, &right[..]),
        ([1, 1, 1], 512, &right[..]),
        ([1, 1, 1], 0, &right[..]),
        ([1, 0, 1], 32, &right[..]),
        ([1, 1, 1], 32, &right[..2]),
        ([1, 1, 1], 32, &[out, out, Argument::I64(0)]),
    ] {
        let message = refused(&mut emulator, &SCAN, blocks, threads, arguments);
        assert!(message.starts_with("scan: "), "{message}");
    }
    let unknown = Kernel { name: "nothing", ..SCAN };
    let message = refused(&mut emulator, &unknown, [1, 1, 1], 32, &right);
    assert_eq!(message, "nothing: no such kernel was built");
    let frugal = Kernel { static_shared: 64, ..SCAN };
    let x = put(&mut emulator, [[0; 4]; 2]);
    let address = Argument::Address(x.address());
    let arguments = [address, address, Argument::I32(0)];
    let message = refused(&mut emulator, &frugal, [1, 1, 1], 32, &arguments);
    assert_eq!(message, "scan: 128 bytes of static shared memory are above its budget");
}

#[test]
fn products_stay_within_their_memory() {
    let mut emulator = emulator();
    let floats =
        |emulator: &mut Emulator, n: usize| put(emulator, (0..n).map(|i| (i as f32).to_le_bytes()));
    let [x, weight, out] = [12, 8, 12].map(|n| floats(&mut emulator, n));
    let of = |memory: &longseq_cuda_emulator::Memory, row_stride, batch_stride| Matrix {
        address: memory.address(),
        row_stride,
        batch_stride,
    };
    // Two products of 2 × 2 matrices, x and out with rows of three.
    let gemm = Gemm {
        batch: 2,
        rows: 2,
        inputs: 2,
        outputs: 2,
        dtype: Dtype::F32,
        x: of(&x, 3, 6),
        weight: of(&weight, 2, 4),
        out: of(&out, 3, 6),
        accumulate: true,
    };
    // SAFETY: the first lies within the buffers; what lies beyond is noticed.
    unsafe { emulator.gemm(&gemm) }.unwrap();
    let found = get(&mut emulator, &out, f32::from_le_bytes);
    let sums = [1.0, 4.0, 2.0, 7.0, 22.0, 5.0, 65.0, 92.0, 8.0, 95.0, 134.0, 11.0];
    assert_eq!(found, sums);
    // SAFETY: as above.
    assert!(unsafe { emulator.gemm(&Gemm { rows: 3, ..gemm }) }.is_err());
}
