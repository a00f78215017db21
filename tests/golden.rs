//! Stored results of the models' own equations, as safetensors.

use std::path::Path;

use longseq::checkpoint::Checkpoint;
use safetensors::{Dtype, SafeTensors};

/// A safetensors file of expected values.
#[derive(Debug)]
pub struct Golden(Vec<u8>);

impl Golden {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        Self(std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The names of all tensors.
    pub fn names(&self) -> Vec<String> {
        self.open().names().into_iter().map(str::to_owned).collect()
    }

    /// A tensor of f32 or f64, flattened.
    pub fn reals(&self, name: &str) -> Vec<f64> {
        let tensors = self.open();
        let view = tensors.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        match view.dtype() {
            Dtype::F32 => chunks(view.data()).map(|b| f32::from_le_bytes(b).into()).collect(),
            Dtype::F64 => chunks(view.data()).map(f64::from_le_bytes).collect(),
            dtype => panic!("{name} is {dtype:?}"),
        }
    }

    /// A tensor of token ids.
    pub fn tokens(&self, name: &str) -> Vec<u32> {
        let tensors = self.open();
        let view = tensors.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(view.dtype(), Dtype::I64, "{name}");
        let ids = chunks(view.data()).map(i64::from_le_bytes);
        ids.map(|id| id.try_into().expect("a token id")).collect()
    }

    fn open(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).expect("safetensors")
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// max |a − b|, infinite if lengths differ or anything is no number.
pub fn max_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    a.iter().zip(b).fold(0.0, |most, (a, b)| {
        let difference = (a - b).abs();
        if difference.is_nan() { f64::INFINITY } else { most.max(difference) }
    })
}

/// Every kind of model that can be run.
pub const NAMES: [&str; 11] = [
    "mamba2",
    "mamba2-fp32",
    "mamba2-bf16",
    "mamba2attn",
    "transformerpp",
    "sheared-llama",
    "sheared-llama-sharegpt",
    "recurrentgemma",
    "recurrentgemma-it",
    "rwkv6",
    "rwkv6-st",
];

/// A checkpoint and what its equations give.
#[derive(Debug)]
pub struct Case {
    /// Its folder.
    pub name: String,
    /// The model.
    pub checkpoint: Checkpoint,
    /// Results.
    pub golden: Golden,
}

fn open(folder: &Path) -> Case {
    let checkpoint = Checkpoint::open(folder).unwrap_or_else(|error| panic!("{error}"));
    let golden = Golden::read(&folder.join("golden.safetensors"));
    Case { name: folder.display().to_string(), checkpoint, golden }
}

/// The fixtures of these names, and whatever `LONGSEQ_ORACLES` adds of the same names.
pub fn cases(names: &[&str]) -> Vec<Case> {
    let own = crate::fixtures().join("models");
    let more = crate::oracles().map(|folder| folder.join("models/dev"));
    let roots = [Some(own), more];
    let folders = roots.iter().flatten().flat_map(|root| names.iter().map(|name| root.join(name)));
    folders.map(|folder| open(&folder)).collect()
}

/// Fails where the golden of that name is further away than the bound.
pub fn check(case: &Case, what: &str, found: &[f64], bound: f64) {
    let difference = max_difference(found, &case.golden.reals(what));
    assert!(difference <= bound, "{}: {what} differs by {difference:e}", case.name);
}
