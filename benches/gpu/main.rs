//! What the GPU can do, as lines of JSON: copies in its memory, and products of the shapes that the models have.

use clap::Parser;
use longseq::error::Result;
use longseq_benches::gpu::{
    self,
    ceilings::{self, Product, SQUARE},
};
use serde_json::json;

/// Measures what the GPU can do; prints lines of JSON
#[derive(Parser)]
struct Args {}

/// Inputs and outputs of the projections at 2.7B parameters: Mamba-2's, an MLP's, attention's, RWKV-6's,
/// RecurrentGemma's, and a head's.
const PROJECTIONS: [(usize, usize); 11] = [
    (2560, 10576),
    (5120, 2560),
    (2560, 13824),
    (6912, 2560),
    (2560, 7680),
    (2560, 2560),
    (2560, 8960),
    (8960, 2560),
    (2560, 15360),
    (7680, 2560),
    (2560, 50288),
];

/// Rows: a full forward pass, and writing.
const ROWS: [usize; 4] = [8192, 64, 16, 1];

fn main() {
    longseq_benches::main(run);
}

fn run(_: &Args) -> Result<()> {
    let (found, mut gpu) = gpu::open()?;
    let (device, backend) = (found.name(), found.backend());
    println!("{}", json!({"device": device, "backend": backend, "free_bytes": found.free}));
    println!("{}", json!({"ceiling": "copy", "gigabytes": ceilings::copying(&mut gpu)?}));
    let shapes = ROWS.iter().flat_map(|&rows| {
        PROJECTIONS.iter().map(move |&(inputs, outputs)| Product { rows, inputs, outputs })
    });
    for product in std::iter::once(SQUARE).chain(shapes) {
        let seconds = ceilings::product(&mut gpu, &product)?;
        let Product { rows, inputs, outputs } = product;
        let line = json!({"ceiling": "product", "rows": rows, "inputs": inputs, "outputs": outputs,
            "microseconds": seconds * 1e6, "gflops": product.flops() / seconds / 1e9,
            "weight_gigabytes": product.weight_bytes() / seconds / 1e9});
        println!("{line}");
    }
    Ok(())
}
