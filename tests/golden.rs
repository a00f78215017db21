//! Stored results of the models' own equations, as safetensors.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

/// A safetensors file of expected values.
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
