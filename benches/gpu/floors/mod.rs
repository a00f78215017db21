//! What each kernel and product of a forward pass has to do at least: the bytes it moves, the operations that run on tensor
//! cores. Arithmetic from a model's sizes, written beside the launches of `longseq_cuda` and in their order.
//!
//! Every operand is read or written once a call: activations, weights, the state there and back, keys and values that are seen.
//! Of the table of embeddings one row is counted, as all tokens may be one; the lists of sequences are not.

mod count;
mod mixers;

use std::collections::BTreeMap;

use longseq::engine::cuda::{buffers, rounded_to};
use longseq_core::{
    hybrid::config::ModelConfig,
    numeric::{compute::Compute, tensor::Dtype},
};

use self::count::Count;
use crate::roof::Roof;

/// All calls of one kernel, or of products of one size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Floor {
    /// How many.
    pub calls: usize,
    /// Read and written.
    pub bytes: f64,
    /// Multiplications and additions on tensor cores, without those that causality masks; not those of other units.
    pub flops: f64,
}

impl Floor {
    /// Seconds that the roof allows: those of the bytes or those of the operations, whichever are more.
    pub fn seconds(&self, roof: &Roof) -> f64 {
        (self.bytes / roof.gigabytes).max(self.flops / roof.gflops) / 1e9
    }
}

/// One forward pass, in which all sequences are alike.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// How many.
    pub sequences: usize,
    /// Of each.
    pub tokens: usize,
    /// Tokens of each that were read before.
    pub context: usize,
    /// Rows whose logits are wanted.
    pub logits: usize,
}

/// The name of all products of one size.
pub fn product(dtype: Dtype, batch: usize, inputs: usize, outputs: usize) -> String {
    let several = if batch > 1 { format!("{batch} × ") } else { String::new() };
    format!("product {dtype} {several}{inputs} → {outputs}")
}

/// The floors of all kernels and products of some passes, by name. `factors` is the dtype of all matrices.
pub fn floors(
    config: &ModelConfig,
    (compute, factors): (Compute, Dtype),
    passes: &[Pass],
) -> BTreeMap<String, Floor> {
    let [_, (_, normed), _, _, (_, mixed)] = buffers(config, 1, factors);
    let mut all = BTreeMap::new();
    for &pass in passes {
        let (rows, cache) = (pass.sequences * pass.tokens, rounded_to(compute));
        Count { config, pass, rows, factors, cache, normed, mixed, all: &mut all }.pass();
    }
    all
}
