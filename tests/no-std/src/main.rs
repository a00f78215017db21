//! The proof that `longseq-core` needs no `std` and no allocator: this program has neither, links
//! against the C start-up code alone, and fails to link as soon as the core asks for more.
//!
//! Exit code 0 if the core computed what it should.
#![no_std]
#![no_main]

use core::ffi::c_int;

use longseq_core::numeric::tensor::{Dtype, Tensor};

// `memcpy` and its kin, and the start-up code that calls `main`.
#[link(name = "c")]
unsafe extern "C" {
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    abort()
}

#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    let weights = [0u8; 8];
    match Tensor::new(Dtype::Bf16, &[2, 2], &weights) {
        Ok(tensor) if tensor.elements() == 4 => 0,
        _ => 1,
    }
}
