//! The proof that `longseq-core` needs no `std` and no allocator: this program has neither, links
//! against the C start-up code alone, and fails to link as soon as the core asks for more.
//!
//! Exit code 0 if the core computed what it should.
#![no_std]
#![no_main]

mod model;
mod prompt;

use core::ffi::c_int;

use longseq_core::{
    ruler::score::{Metric, Prediction, round_percent},
    statistics::mean_score,
};

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
    c_int::from(!(model::splits_agree() && prompt::fits() && answer_scored()))
}

/// The lowering of `ΑΣ` needs the Unicode tables, rounding the formatter, the interval libm.
fn answer_scored() -> bool {
    let score = Metric::StringMatchAll.score(Prediction::new(" ΑΣ, red\n"), ["ας", "blue", "RED"]);
    let Some(estimate) = score.and_then(|score| mean_score(&[score])) else {
        return false;
    };
    let percent = round_percent(estimate.mean * 100.0);
    percent.to_bits() == 66.67_f64.to_bits() && estimate.low < estimate.high
}
