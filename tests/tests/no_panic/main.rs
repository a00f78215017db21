//! Nothing that a caller hands to `longseq-core` makes it panic: it computes, or it returns an error.
//!
//! A link check would not do. The core indexes slices behind checks of its own, which the compiler cannot follow,
//! so panics stay linked that nothing reaches. So the calls are made: with extents, lengths and places that mostly
//! fit and sometimes do not, as they are, off by one, 0, or near the largest integer, and with numbers that are none.
//! Release builds of this workspace check overflow.

mod choices;
mod forward;
mod functions;
mod rows;
mod ruler;

mod sequences;
