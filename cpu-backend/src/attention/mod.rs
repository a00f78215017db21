//! Attention.
//!
//! Keys are met in blocks of neighbouring positions whose bounds are multiples of [`panels::KEYS`], wherever a
//! call begins. Every block is weighed by itself and then merged into what the blocks before it gave, in rising
//! order: so a row's operations depend on its own position alone, and blocks can be shared out to threads.

mod block;
mod call;
mod decode;
mod grouped_query_attention;
mod panels;
mod prefill;
mod room;
mod rope;
mod softmax;
mod step;

pub use room::Room;

/// Working memory of attention, which is kept between calls.
#[derive(Debug, Default)]
pub struct Scratch {
    rotations: rope::Rotations,
    panels: panels::Panels,
    decode: decode::Decode,
}
