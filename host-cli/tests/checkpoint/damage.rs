//! Flipped bits, cut files and bombs: an error, or nothing worse than other numbers.

use std::{fs, io::Write as _};

use longseq::checkpoint::Checkpoint;
use proptest::prelude::*;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{copy, refusal};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn damage_never_panics(
        model in prop::sample::select(vec!["mamba2-fp32", "sheared-llama-sharegpt"]),
        file in any::<prop::sample::Index>(),
        position in any::<prop::sample::Index>(),
        head in any::<bool>(),
        bit in 0u8..8,
        cut in prop::bool::weighted(0.3),
    ) {
        let folder = copy(model);
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let path = file.get(&files);
        let mut bytes = fs::read(path).unwrap();
        // Headers, directories and configurations are where damage matters.
        let end = if head { bytes.len().min(2000) } else { bytes.len() };
        let position = position.index(end);
        if cut {
            bytes.truncate(position);
        } else {
            bytes[position] ^= 1 << bit;
        }
        fs::write(path, bytes).unwrap();
        match Checkpoint::open(folder.path()) {
            Ok(checkpoint) => drop(checkpoint.weights().unwrap()),
            Err(error) => prop_assert!(error.to_string().starts_with("error: "), "{error}"),
        }
    }
}

/// A `.bin` file of one member each.
fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn bombs_and_foreign_pickles_are_refused_by_name() {
    let bomb = vec![0; 64 << 20];
    let system = b"\x80\x02cposix\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03.";
    let nested = [b"\x80\x02".as_slice(), &b"("[..].repeat(100_000), b"."].concat();
    let huge = b"\x80\x02X\xff\xff\xff\xffabc.";
    let stored = CompressionMethod::Stored;
    let cases = [
        (archive(&[("a/data.pkl", &bomb)], CompressionMethod::Deflated), "is compressed"),
        (archive(&[("a/data.pkl", &bomb)], stored), "its pickle is larger than"),
        (archive(&[("a/data.pkl", system)], stored), "posix.system, which no state dict needs"),
        (archive(&[("a/data.pkl", &nested)], stored), "the pickle is damaged"),
        (archive(&[("a/data.pkl", huge)], stored), "it ends early"),
        (archive(&[("a/data.pkl", b"\x80\x02\x93.")], stored), "pickle opcode 0x93 at byte 2"),
        (archive(&[("a/other", b"")], stored), "it holds no data.pkl"),
        (b"not a zip".to_vec(), "it is no zip archive"),
        (Vec::new(), "it is no zip archive"),
    ];
    let folder = copy("mamba2-fp32");
    for (bytes, words) in cases {
        fs::write(folder.path().join("pytorch_model.bin"), bytes).unwrap();
        let refusal = refusal(folder.path());
        assert!(refusal.contains(words) && refusal.contains("\nhelp: "), "{refusal}");
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    let folder = copy("sheared-llama-sharegpt");
    let path = folder.path().join("model-00001-of-00002.safetensors");
    let good = fs::read(&path).unwrap();
    let mut cases = vec![good[..good.len() - 1].to_vec(), [good.as_slice(), b"x"].concat()];
    for length in [0_u64, 7, u64::MAX, 1 << 40, good.len() as u64] {
        cases.push([&length.to_le_bytes(), &good[8..]].concat());
    }
    for bytes in cases {
        fs::write(&path, bytes).unwrap();
        let refusal = refusal(folder.path());
        assert!(refusal.contains("is no whole safetensors file"), "{refusal}");
    }
}
