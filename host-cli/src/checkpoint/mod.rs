//! A checkpoint folder: `config.json` and weights in any of the published layouts, memory-mapped.

pub mod pickle;
pub mod safetensors;
pub mod stored;
pub mod torch_zip;
