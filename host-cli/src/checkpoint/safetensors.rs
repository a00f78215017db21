//! `model.safetensors`: a JSON header and raw elements, read with the safetensors crate.

use std::path::Path;

use longseq_core::numeric::tensor::Dtype;
use safetensors::{Dtype as StoredDtype, SafeTensors};

use super::stored::{Elements, Stored};
use crate::error::{Error, Result};

/// The tensors of a mapped `.safetensors` file.
pub fn tensors(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Stored)>> {
    let damaged = |source| {
        Error::new(format!("{} is no whole safetensors file: {source}", path.display()))
            .help("download it again")
    };
    // Checks that the tensors cover the file exactly.
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let first = header + size_of::<u64>();
    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let stored = Stored {
            dtype: dtype(info.dtype),
            shape: info.shape.clone(),
            elements: Elements::Mapped(first + start..first + end),
        };
        (name, stored)
    });
    Ok(tensors.collect())
}

fn dtype(dtype: StoredDtype) -> std::result::Result<Dtype, &'static str> {
    match dtype {
        StoredDtype::F32 => Ok(Dtype::F32),
        StoredDtype::F16 => Ok(Dtype::F16),
        StoredDtype::BF16 => Ok(Dtype::Bf16),
        StoredDtype::F64 => Err("f64"),
        StoredDtype::I64 => Err("i64"),
        StoredDtype::I32 => Err("i32"),
        StoredDtype::I16 => Err("i16"),
        StoredDtype::I8 => Err("i8"),
        StoredDtype::U8 => Err("u8"),
        StoredDtype::BOOL => Err("bool"),
        _ => Err("another dtype"),
    }
}
