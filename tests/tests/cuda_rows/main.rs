//! The CUDA backend's operations on rows: the shipped kernels, run by the emulator.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod argmax;
mod embedding;
mod faults;
mod linear;
mod reference;
mod refusals;
mod rounding;
mod state;

use longseq_cuda::{Cuda, Version};
use longseq_cuda_emulator::{Emulator, Options};

/// Both versions of the kernels, in every order that a GPU may run them in.
fn emulated(seed: u64) -> impl Iterator<Item = (String, Cuda<Emulator>)> {
    Options::orders(seed).flat_map(|options| {
        [Version::Plain, Version::Fast].map(|version| {
            let name = format!("{version:?} kernels, {options:?}");
            (name, Cuda::new(Emulator::new(options)).version(version))
        })
    })
}
