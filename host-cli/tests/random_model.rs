//! The checkpoint in `models/random-mamba2` is what its program makes.

#[expect(dead_code, reason = "the example's main")]
#[path = "../examples/random_mamba2.rs"]
mod random_mamba2;

use std::{fs, path::Path};

use longseq::{checkpoint::Checkpoint, tokenizer::Tokenizer};

#[test]
fn the_program_makes_the_committed_bytes() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/random-mamba2");
    let made = tempfile::tempdir().unwrap();
    random_mamba2::write(made.path(), random_mamba2::COMMITTED).unwrap();
    let mut bytes = 0;
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        let expected = fs::read(committed.join(name)).unwrap();
        assert!(fs::read(made.path().join(name)).unwrap() == expected, "{name} differs");
        bytes += expected.len();
    }
    assert!(bytes < 1_000_000, "{bytes} bytes");
    let checkpoint = Checkpoint::open(&committed).unwrap();
    let tokenizer = Tokenizer::load(&committed).unwrap();
    assert_eq!(tokenizer.vocabulary(), checkpoint.config().vocabulary);
    let text = "Walking to work, naïve as ever: 7 × 6 = 42.\n";
    let ids = tokenizer.encode(text).unwrap();
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
}
