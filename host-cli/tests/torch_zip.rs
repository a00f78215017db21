//! `.bin` files: every storage feature, and damage of every kind.

use longseq::checkpoint::{stored::Elements, torch_zip};
use longseq_core::numeric::tensor::Dtype;
use proptest::prelude::*;
use safetensors::SafeTensors;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/loader").join(name)
}

fn elements<'a>(file: &'a [u8], elements: &'a Elements) -> &'a [u8] {
    match elements {
        Elements::Mapped(range) => &file[range.clone()],
        Elements::Owned(bytes) => bytes,
    }
}

#[test]
fn reads_every_storage_feature_as_torch_does() {
    let expected = fs::read(fixture("quirks_expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&expected).unwrap();
    let mut compared = 0;
    for (name, prefix) in [("quirks.bin", ""), ("quirks_nested.bin", "nested.state_dict.")] {
        let path = fixture(name);
        let file = fs::read(&path).unwrap();
        for (tensor, stored) in torch_zip::tensors(&path, &file).unwrap() {
            let expected = expected.tensor(&format!("{prefix}{tensor}")).unwrap();
            assert_eq!(stored.shape, expected.shape(), "{tensor}");
            assert_eq!(elements(&file, &stored.elements), expected.data(), "{tensor}");
            if tensor == "plain.bf16" {
                assert_eq!(stored.dtype, Ok(Dtype::Bf16));
            }
            if tensor == "plain.i64" {
                assert_eq!(stored.dtype, Err("i64"));
            }
            compared += 1;
        }
    }
    assert_eq!(compared, expected.len());
}

proptest! {
    #[test]
    fn damage_is_an_error_or_harmless(
        position in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>(),
    ) {
        let path = fixture("quirks.bin");
        let mut file = fs::read(&path).unwrap();
        let position = position.index(file.len());
        if cut {
            file.truncate(position);
        } else {
            file[position] ^= 1 << bit;
        }
        if let Ok(tensors) = torch_zip::tensors(&path, &file) {
            for (_, stored) in tensors {
                elements(&file, &stored.elements);
            }
        }
    }
}
