//! `pytorch_model.bin`: a zip archive of a pickle and raw storages.
//!
//! Members are stored, not compressed: `<stem>/data.pkl` names the tensors, `<stem>/data/<key>` holds
//! their elements, little endian. Contiguous tensors are borrowed from the mapped file; strided
//! views are copied.

use std::{collections::HashMap, io::Cursor, ops::Range, path::Path};

use longseq_core::numeric::tensor::Dtype;
use zip::{CompressionMethod, ZipArchive};

use super::{
    pickle::{self, StorageDtype, View},
    stored::{Elements, Stored},
};
use crate::error::{Error, Result};

/// A strided view is copied only up to this size: weights are contiguous, and a view may repeat a
/// single element any number of times.
const LARGEST_COPY: u64 = 1 << 30;

/// A pickle of tens of thousands of tensors is shorter; reading one takes up to some hundred times
/// its size in memory.
const LARGEST_PICKLE: usize = 8 << 20;

/// The tensors of a mapped `.bin` file.
pub fn tensors(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Stored)>> {
    let members = members(path, bytes)?;
    let pickle = members.get("data.pkl").ok_or_else(|| damaged(path, "it holds no data.pkl"))?;
    if pickle.len() > LARGEST_PICKLE {
        return Err(damaged(path, format!("its pickle is larger than {LARGEST_PICKLE} bytes")));
    }
    let pickle = pickle::parse(&bytes[pickle.clone()]).map_err(|source| damaged(path, source))?;
    let state_dict = pickle.state_dict().map_err(|source| damaged(path, source))?;
    state_dict
        .into_iter()
        .map(|(name, view)| {
            let stored = read(bytes, &members, view)
                .map_err(|what| damaged(path, format!("tensor {name}: {what}")))?;
            Ok((name.to_owned(), stored))
        })
        .collect()
}

fn damaged(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(format!("{}: {what}", path.display())).help(
        "a file that torch.save wrote from a state dict is expected; download it again, or convert \
         it to safetensors",
    )
}

/// Where each stored member's bytes lie, by its path below the archive's one folder.
fn members(path: &Path, bytes: &[u8]) -> Result<HashMap<String, Range<usize>>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|source| damaged(path, format!("it is no zip archive: {source}")))?;
    let mut members = HashMap::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|source| damaged(path, source))?;
        let name = member.name().map_err(|source| damaged(path, source))?.into_owned();
        if member.compression() != CompressionMethod::Stored || member.encrypted() {
            return Err(damaged(path, format!("member {name} is compressed or encrypted")));
        }
        let start = member.data_start().and_then(|start| usize::try_from(start).ok());
        let end = usize::try_from(member.size())
            .ok()
            .and_then(|size| start?.checked_add(size))
            .filter(|&end| end <= bytes.len());
        let (Some(start), Some(end)) = (start, end) else {
            return Err(damaged(path, format!("member {name} reaches past the end of the file")));
        };
        if let Some((_stem, below)) = name.split_once('/') {
            members.insert(below.to_owned(), start..end);
        }
    }
    match members.get("byteorder") {
        Some(range) if &bytes[range.clone()] != b"little" => {
            Err(damaged(path, "its byte order is not little endian"))
        }
        _ => Ok(members),
    }
}

fn read(
    bytes: &[u8],
    members: &HashMap<String, Range<usize>>,
    view: &View,
) -> std::result::Result<Stored, String> {
    let key = &view.storage.key;
    let member = members
        .get(&format!("data/{key}"))
        .ok_or_else(|| format!("its storage data/{key} is missing"))?;
    let shape: Vec<usize> = view
        .shape
        .iter()
        .map(|&extent| usize::try_from(extent).map_err(|_| "an extent is too large".to_owned()))
        .collect::<std::result::Result<_, _>>()?;
    let size = view.storage.dtype.bytes();
    let needed = needed(view).and_then(|elements| elements.checked_mul(size));
    if needed.is_none_or(|needed| needed > member.len() as u64) {
        return Err(format!("it reaches past the end of its storage data/{key}"));
    }
    let dtype = match view.storage.dtype {
        StorageDtype::F32 => Ok(Dtype::F32),
        StorageDtype::F16 => Ok(Dtype::F16),
        StorageDtype::Bf16 => Ok(Dtype::Bf16),
        StorageDtype::Other(name, _) => Err(name),
    };
    let elements = match contiguous(view) {
        Some(count) => {
            let start = member.start + (view.offset * size) as usize;
            Elements::Mapped(start..start + (count * size) as usize)
        }
        None => Elements::Owned(gather(&bytes[member.clone()], view, size)?),
    };
    Ok(Stored { dtype, shape, elements })
}

/// Elements of the storage that the view reaches: one more than its last index.
fn needed(view: &View) -> Option<u64> {
    if view.shape.contains(&0) {
        return Some(0);
    }
    let last =
        view.shape.iter().zip(&view.strides).try_fold(view.offset, |last, (&n, &stride)| {
            last.checked_add((n - 1).checked_mul(stride)?)
        })?;
    last.checked_add(1)
}

/// The number of elements, if they lie side by side in row-major order.
fn contiguous(view: &View) -> Option<u64> {
    let mut expected: u64 = 1;
    for (&extent, &stride) in view.shape.iter().zip(&view.strides).rev() {
        if extent != 1 && stride != expected && !view.shape.contains(&0) {
            return None;
        }
        expected = expected.checked_mul(extent)?;
    }
    Some(expected)
}

/// Copies a strided view to row-major order.
fn gather(storage: &[u8], view: &View, size: u64) -> std::result::Result<Vec<u8>, String> {
    let bytes = view.shape.iter().try_fold(size, |product, &extent| product.checked_mul(extent));
    let bytes = bytes
        .filter(|&bytes| bytes <= LARGEST_COPY)
        .ok_or("it is a strided view too large to copy".to_owned())?;
    let mut out = Vec::with_capacity(bytes as usize);
    let mut index = vec![0; view.shape.len()];
    while (out.len() as u64) < bytes {
        let element: u64 = index.iter().zip(&view.strides).map(|(&i, &stride)| i * stride).sum();
        let start = ((view.offset + element) * size) as usize;
        out.extend_from_slice(&storage[start..start + size as usize]);
        for (i, &extent) in index.iter_mut().zip(&view.shape).rev() {
            *i += 1;
            if *i < extent {
                break;
            }
            *i = 0;
        }
    }
    Ok(out)
}
