//! The program on a machine: `firmware` where there is no operating system, `native` where there is one.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod firmware;
#[cfg(target_os = "none")]
mod machine;
#[cfg(not(target_os = "none"))]
mod native;

use longseq_core::scratch::{StaticScratch, static_scratch};
use longseq_core::state::{StaticState, static_state};
use longseq_embedded::memory::{CALL, Memory, TOKENS};

/// What `flash_image` wrote.
#[allow(unused_imports, reason = "not every family has every part")]
mod image {
    include!(concat!(
        env!("LONGSEQ_IMAGE", "the folder that flash_image wrote (docs/embedded.md)"),
        "/image.rs"
    ));
}

/// Keys and values of so many tokens have room; a recurrent model has no such limit.
const CAPACITY: usize = 512;
const STATE: usize = static_state(&image::CONFIG, 1, CAPACITY);
const SCRATCH: usize = static_scratch(&image::CONFIG, CALL, TOKENS);

const _: () = assert!(StaticState::<STATE>::fits(&image::CONFIG, CAPACITY).is_ok());
const _: () = assert!(StaticScratch::<SCRATCH>::fits(&image::CONFIG, CALL, TOKENS).is_ok());

type Room = Memory<STATE, SCRATCH>;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    native::main()
}
