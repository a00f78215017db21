//! The five trained models are what their card says: evenly sized checkpoints with one tokenizer, trained
//! without the words that are held out and with seeds that no evaluation uses.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use longseq::checkpoint::Checkpoint;

const NAMES: [&str; 5] = ["mamba2", "mamba2attn", "transformerpp", "rwkv6", "recurrentgemma"];

fn host_cli(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-cli").join(path)
}

fn lines(path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(host_cli(path)).expect("a list of words");
    text.lines().map(str::to_owned).collect()
}

/// FNV-1a, 32 bits.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[test]
fn the_list_of_held_out_words_is_what_the_rule_gives() {
    let lists = ["nounlist.txt", "adjectivelist.txt", "verblist.txt"];
    let words = lists.iter().flat_map(|list| lines(&format!("corpora/{list}")));
    let held_out: BTreeSet<_> = words.filter(|word| fnv1a(word).is_multiple_of(10)).collect();
    assert!(held_out.len() > 500);
    assert_eq!(held_out, lines("models/train/held-out-words.txt"));
}

#[test]
fn sizes_are_even_and_files_small() {
    let counts = NAMES.map(|name| {
        let folder = host_cli("models/mini").join(name);
        for file in fs::read_dir(&folder).expect("a model's folder") {
            let file = file.expect("a file");
            let bytes = file.metadata().expect("its size").len();
            assert!(bytes <= 4 << 20, "{} has {bytes} bytes", file.path().display());
        }
        let checkpoint = Checkpoint::open(&folder).expect("a checkpoint");
        checkpoint.weights().expect("every tensor of the family");
        checkpoint.parameters()
    });
    let (least, most) = (counts.iter().min().expect("five"), counts.iter().max().expect("five"));
    // 5 % either way of the middle.
    assert!((most - least) * 10 <= (most + least) / 2, "{counts:?}");
}

#[test]
fn the_tokenizer_is_one() {
    let tokenizers: BTreeSet<_> = NAMES
        .iter()
        .map(|name| host_cli("models/mini").join(name).join("tokenizer.json"))
        .map(|path| fs::read(path).expect("a tokenizer"))
        .collect();
    assert_eq!(tokenizers.len(), 1);
}
