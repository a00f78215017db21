//! Which file holds the tokenizer, and what is in it.

use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Kind, Tokenizer, additive::Counting, bos, json::Json, rwkv_world::World};
use crate::{
    error::{Error, Result},
    files,
};

/// What is looked for in a folder, in this order.
const FILES: [&str; 2] = ["tokenizer.json", "rwkv_vocab_v20230424.txt"];

const SENTENCE_PIECE: &str = "tokenizer.model";

/// Python that makes a `tokenizer.json` of the SentencePiece model in a folder.
const TO_JSON: &str = "import sys, transformers as t; d = sys.argv[1]; t.AutoTokenizer.from_pretrained(d).backend_tokenizer.save(d + '/tokenizer.json')";

impl Tokenizer {
    /// Whether a folder holds a file that [`Self::load`] looks for.
    pub fn is_in(folder: &Path) -> bool {
        in_folder(folder).is_some()
    }

    /// Loads a `tokenizer.json` or an RWKV World vocabulary (`.txt`), or the one in a folder. A
    /// `tokenizer_config.json` beside it is asked about BOS.
    pub fn load(path: &Path) -> Result<Self> {
        let folder = path.is_dir();
        let path = match folder.then(|| in_folder(path)) {
            None => path.to_owned(),
            Some(Some(found)) => found,
            Some(None) if path.join(SENTENCE_PIECE).exists() => path.join(SENTENCE_PIECE),
            Some(None) => path.join(FILES[0]),
        };
        if path.extension().is_some_and(|extension| extension == "model") {
            return Err(no_sentence_piece(&path));
        }
        if path.extension().is_some_and(|extension| extension == "txt") {
            return load_world(path);
        }
        load_json(path)
    }
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    FILES.map(|name| folder.join(name)).into_iter().find(|path| path.exists())
}

fn load_world(path: PathBuf) -> Result<Tokenizer> {
    let bytes = World::read(&path).map_err(|source| cannot_read(&path, &source))?;
    let world = World::parse(&bytes, &path)?;
    let (vocabulary, bos) = (world.vocabulary(), bos::find_for_world(&path)?);
    let kind = Kind::World(world);
    Ok(Tokenizer::new(kind, path, &bytes, vocabulary, bos, Counting::Whole))
}

fn load_json(path: PathBuf) -> Result<Tokenizer> {
    let bytes = files::read(&path).map_err(|source| cannot_read(&path, &source))?;
    let corrupt = |source: &dyn Display| {
        Error::new(format!("{} is no tokenizer.json: {source}", path.display()))
            .help("save the model's tokenizer again in the format of the tokenizers library")
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|source| corrupt(&source))?;
    let json = Json::new(&bytes, &value).map_err(|source| corrupt(&source))?;
    let (vocabulary, bos) = (json.vocabulary(), bos::find(&json.inner, &path)?);
    let kind = Kind::Json(Box::new(json));
    Ok(Tokenizer::new(kind, path, &bytes, vocabulary, bos, Counting::of(&value)))
}

fn cannot_read(path: &Path, source: &io::Error) -> Error {
    Error::io("read the tokenizer", path, source).help(
        "name a tokenizer.json or a rwkv_vocab_v20230424.txt, or a folder that holds one, with --tokenizer",
    )
}

/// The command is the one that `tests/fixtures/tokenizers/make.py` runs. Later versions of
/// transformers write a file whose ids differ from SentencePiece's where a text starts with a space.
fn no_sentence_piece(path: &Path) -> Error {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).display().to_string().replace('\'', r"'\''");
    Error::new(format!("{} is a SentencePiece model, which is not read", path.display())).help(
        format!(
            "make a tokenizer.json beside it: \
            python3 -m pip install 'transformers<5' sentencepiece protobuf && \
            python3 -c \"{TO_JSON}\" '{folder}'"
        ),
    )
}
