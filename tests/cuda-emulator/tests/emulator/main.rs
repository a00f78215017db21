//! The emulator itself: what it computes, and that it reports what is wrong.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod faults;
mod memory;
mod probes;

use longseq_cuda::kernels::Kernel;
use longseq_cuda::runtime::{Argument, Launch, Memory as _, Runtime};
use longseq_cuda_emulator::{Emulator, EmulatorError, Memory};

/// Memory that holds these.
fn put<const N: usize>(
    emulator: &mut Emulator,
    values: impl IntoIterator<Item = [u8; N]>,
) -> Memory {
    let bytes: Vec<u8> = values.into_iter().flatten().collect();
    let memory = emulator.allocate(bytes.len().max(1)).expect("memory");
    emulator.upload(&bytes, &memory, 0).expect("an upload");
    memory
}

/// Everything that is in memory.
fn get<const N: usize, T>(
    emulator: &mut Emulator,
    memory: &Memory,
    value: fn([u8; N]) -> T,
) -> Vec<T> {
    let mut bytes = vec![0; memory.bytes()];
    emulator.download(memory, 0, &mut bytes).expect("a download");
    bytes.as_chunks().0.iter().map(|&bytes| value(bytes)).collect()
}

/// Launches with the kernel's most threads and dynamic shared memory.
fn launch(
    emulator: &mut Emulator,
    kernel: &Kernel,
    blocks: [u32; 3],
    arguments: &[Argument],
) -> Result<(), EmulatorError> {
    let Kernel { threads, dynamic_shared, .. } = *kernel;
    let launch = Launch { kernel, blocks, threads, dynamic_shared, arguments };
    // SAFETY: the tests give addresses of memory that outlives the launch, and what lies beyond is noticed.
    unsafe { emulator.launch(&launch) }
}
