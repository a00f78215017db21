//! The mathematics of long-sequence models and the RULER benchmark, at reference precision.
//!
//! No `std`, no heap, no `unsafe`: every buffer is the caller's. A model in flash, read in memory of fixed size
//! (what `tests/embedded` does on a Cortex-M4, docs/embedded.md):
//!
//! ```
//! # use longseq_core::{batch::Batch, hybrid::{bind::*, config::*, forward, weights::Model}};
//! # use longseq_core::{numeric::{softmax::argmax, tensor::*}, reference::Reference, scratch::*, state::*};
//! # use longseq_core::recurrence::ssd::SsdDims;
//! # const SSD: SsdConfig = SsdConfig { dims: SsdDims { heads: 2, head_dim: 4, state: 3, groups: 1 },
//! #     conv_width: 4, conv_bias: true, projection_bias: false };
//! # const CONFIG: ModelConfig = ModelConfig { family: Family::Mamba2, width: 4, layers: 2, vocabulary: 5,
//! #     embedding_scale: 1.0, tied_head: true, logits_soft_cap: None, norm_epsilon: 1e-5,
//! #     attention_layers: LayerSet::EMPTY, recurrence: Some(Recurrence::Ssd(SSD)), attention: None,
//! #     feed_forward: None };
//! # struct Flash;
//! # impl WeightSource<'static> for Flash {
//! #     fn tensor(&self, name: &str) -> Option<Tensor<'static>> {
//! #         let shape: &[usize] = match name.rsplit_once("mixer.").map_or(name, |(_, name)| name) {
//! #             "backbone.embedding.weight" => &[5, 4], "in_proj.weight" => &[24, 4],
//! #             "conv1d.weight" => &[14, 1, 4], "conv1d.bias" => &[14], "norm.weight" => &[8],
//! #             "dt_bias" | "A_log" | "D" => &[2], "out_proj.weight" => &[4, 8],
//! #             name if name.contains("norm") => &[4], _ => return None };
//! #         Tensor::new(Dtype::Bf16, shape, &[0x3F; 256][..2 * shape.iter().product::<usize>()]).ok()
//! #     }
//! # }
//! const CALL: usize = 16; // tokens of a call, at most
//! static STATE: Mutex<StaticState<{ static_state(&CONFIG, 1, 512) }>> = Mutex::new(StaticState::new());
//! static SCRATCH: Mutex<StaticScratch<{ static_scratch(&CONFIG, CALL, 512) }>> = Mutex::new(StaticScratch::new());
//! # use std::sync::Mutex;
//! # let (mut state, mut scratch) = (STATE.lock()?, SCRATCH.lock()?);
//! # let prompt = [1, 2, 3, 4];
//!
//! let ends = bind_ends(&CONFIG, &Flash)?; // borrowed from flash, nothing is copied
//! let layers = [bind_layer(&CONFIG, &Flash, 0)?, bind_layer(&CONFIG, &Flash, 1)?];
//! let model = Model { config: &CONFIG, ends: &ends, layers: &layers };
//! let mut state = state.state(StateLayout::new(&CONFIG, 1, 512)?)?;
//! let Buffers { mut scratch, work, logits } = scratch.buffers(&CONFIG, CALL, 512)?;
//! let mut backend = Reference::new(work);
//! state.reset(&mut backend, 0)?;
//! for tokens in prompt.chunks(CALL) {
//!     let (ends, last) = ([0, tokens.len()], [tokens.len() - 1]);
//!     let batch = Batch::new(tokens, &ends, &[0], &last)?;
//!     forward(&mut backend, &model, &batch, &mut state, &mut scratch, logits)?;
//! }
//! let next = argmax(logits); // and so on, a token a call
//! # assert!(next.is_some());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! The layers, in reading order:
//!
//! - [`numeric`]: the scalar types, storage dtypes, norms and activations;
//! - [`recurrence`] and [`attention`]: what mixes the tokens of a sequence;
//! - [`hybrid`]: whole models made of both, and the one forward pass, written over [`backend`]'s operations
//!   ([`mod@reference`] implements them), [`batch`], [`state`] and [`scratch`];
//! - [`ruler`]: RULER's task generators and scorer, byte for byte;
//! - [`statistics`]: means with intervals.
#![no_std]
#![forbid(unsafe_code)]

pub mod attention;
pub mod backend;
pub mod batch;
pub mod error;
pub mod hybrid;
pub mod numeric;
pub mod recurrence;
pub mod reference;
pub mod ruler;
pub mod scratch;
pub mod state;
pub mod statistics;
