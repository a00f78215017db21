//! The program of `longseq-embedded`: against the host's own tokenizer, generator and engine, and, where
//! `LONGSEQ_FIRMWARE` names a folder that `tests/embedded/build` filled, on an emulated Cortex-M4 against the host.

mod firmware;
mod host;
