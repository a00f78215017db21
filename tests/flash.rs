//! Flash images: a checkpoint as `longseq-embedded` has it in flash.

use std::{error::Error, fs, path::Path};

use longseq::{checkpoint::Checkpoint, corpora::Corpora, tokenizer::Tokenizer};
use longseq_embedded::image::{Entry, Image};
use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// The image of the checkpoint in `folder`. It stays in memory until the program ends, as flash does.
///
/// # Errors
/// A checkpoint that cannot be read; a tokenizer that is not the byte-level BPE of `models/mini`.
pub fn image(folder: &Path) -> Fallible<Image<'static>> {
    let checkpoint = Checkpoint::open(folder)?;
    let (weights, tensors) = tensors(&checkpoint);
    let vocabulary = Vocabulary::read(&folder.join("tokenizer.json"))?;
    let corpora = Corpora::default();
    let words = corpora.words()?;
    Ok(Image {
        config: *checkpoint.config(),
        weights: weights.leak(),
        tensors: tensors.leak(),
        end_of_text: checkpoint.end_of_text().to_vec().leak(),
        bos: Tokenizer::load(folder)?.bos().map(|bos| bos.id),
        pieces: vocabulary.pieces.leak(),
        merges: vocabulary.merges.leak(),
        adjectives: leaked(words.adjectives()),
        nouns: leaked(words.nouns()),
    })
}

fn leaked(words: Vec<&str>) -> &'static [&'static str] {
    words.into_iter().map(|word| &*word.to_owned().leak()).collect::<Vec<_>>().leak()
}

/// The bytes of all tensors and their places. What is the same (a tied head, stored twice) is there once.
fn tensors(checkpoint: &Checkpoint) -> (Vec<u8>, Vec<Entry<'static>>) {
    let mut weights = Vec::new();
    let mut placed: Vec<(&[u8], usize)> = Vec::new();
    let mut entries = Vec::new();
    for (name, tensor) in checkpoint.tensors() {
        let data = tensor.data();
        let same = placed.iter().find(|(bytes, _)| *bytes == data).map(|&(_, offset)| offset);
        let offset = same.unwrap_or(weights.len());
        if same.is_none() {
            weights.extend_from_slice(data);
            placed.push((data, offset));
        }
        let (name, shape) = (name.to_owned().leak(), tensor.shape().to_vec().leak());
        entries.push(Entry { name, dtype: tensor.dtype(), shape, offset });
    }
    (weights, entries)
}

struct Vocabulary {
    pieces: Vec<&'static [u8]>,
    merges: Vec<[u16; 4]>,
}

/// What the tokenizer of `longseq-embedded` does before it merges.
fn pre_tokenizer() -> Value {
    json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": r" ?[\p{L}\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+"},
         "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
    ]})
}

impl Vocabulary {
    fn read(path: &Path) -> Fallible<Self> {
        let json: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        let model = &json["model"];
        if model["type"] != "BPE" || json["pre_tokenizer"] != pre_tokenizer() {
            let path = path.display();
            return Err(format!("{path} is not a byte-level BPE like that of models/mini").into());
        }
        let ids = model["vocab"].as_object().ok_or("no vocabulary")?;
        let id = |token: &str| -> Fallible<u16> {
            let id = ids.get(token).and_then(Value::as_u64).ok_or("an id that is no number")?;
            Ok(u16::try_from(id)?)
        };
        let special = |token: &str| {
            let mut added = json["added_tokens"].as_array().into_iter().flatten();
            added.any(|added| added["content"] == token)
        };
        let mut pieces: Vec<&[u8]> = vec![&[]; ids.len()];
        for token in ids.keys().filter(|token| !special(token)) {
            let bytes = token.chars().map(byte).collect::<Option<Vec<_>>>();
            *pieces.get_mut(usize::from(id(token)?)).ok_or("ids with gaps")? =
                bytes.ok_or("a token that is not byte-level")?.leak();
        }
        let mut merges = Vec::new();
        for (rank, merge) in (0..).zip(model["merges"].as_array().ok_or("no merges")?) {
            let pair = merge.as_str().and_then(|pair| pair.split_once(' '));
            let pair = pair.or_else(|| Some((merge[0].as_str()?, merge[1].as_str()?)));
            let (left, right) = pair.ok_or("a merge that is no pair")?;
            merges.push([id(left)?, id(right)?, rank, id(&format!("{left}{right}"))?]);
        }
        merges.sort_unstable();
        Ok(Self { pieces, merges })
    }
}

/// The byte that a character of a byte-level vocabulary stands for: a printable one for itself, the others, in
/// order, for U+0100 and on (GPT-2).
fn byte(character: char) -> Option<u8> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    match u32::from(character) {
        code @ 0..=0xFF => u8::try_from(code).ok().filter(printable),
        code => (0..=u8::MAX).filter(|byte| !printable(byte)).nth(code as usize - 0x100),
    }
}
