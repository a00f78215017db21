//! The CUDA backend's operations with a carried state: the shipped kernels, run by the emulator.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod causal_conv1d;
mod faults;
mod rg_lru;
mod rounding;
mod ssd;
mod token_shift;
mod wkv6;

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

/// Both versions, in one order.
fn either(seed: u64) -> impl Iterator<Item = (String, Cuda<Emulator>)> {
    emulated(seed).skip(4)
}
