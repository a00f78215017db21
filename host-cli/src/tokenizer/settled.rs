//! The part of a text that further tokens cannot change.

use serde_json::Value;

use super::json::Json;

impl Json {
    /// The text of `ids` as far as it stands whatever ids follow; `None` where the decoder of the
    /// `tokenizer.json` is not known to keep any.
    ///
    /// Ids can end within a character: the last U+FFFD may become one, and while bytes go on, the
    /// byte-fallback decoder may turn a whole run of them into U+FFFD.
    pub fn decode_settled(
        &self,
        ids: &[u32],
        skip_specials: bool,
    ) -> tokenizers::Result<Option<String>> {
        if !self.keeps_text {
            return Ok(None);
        }
        let mut ids = ids;
        while let [before @ .., last] = ids
            && (self.is_byte(*last) || self.inner.decode(&[*last], skip_specials)?.is_empty())
        {
            ids = before;
        }
        let text = self.inner.decode(ids, skip_specials)?;
        let settled = text.trim_end_matches(char::REPLACEMENT_CHARACTER).len();
        Ok(text.get(..settled).map(str::to_owned))
    }

    /// Whether a token stands for one byte, as in `<0xE2>`.
    fn is_byte(&self, id: u32) -> bool {
        let token = self.inner.id_to_token(id);
        token.is_some_and(|token| token.len() == 6 && token.starts_with("<0x"))
    }
}

/// Whether a decoder only ever appends when ids are appended, but for incomplete characters.
pub fn keeps_text(decoder: &Value) -> bool {
    match decoder["type"].as_str() {
        None => decoder.is_null(),
        Some("ByteLevel" | "Metaspace" | "ByteFallback" | "Fuse") => true,
        // Character for character.
        Some("Replace") => decoder["pattern"]["String"].as_str().is_some_and(is_one_character),
        Some("Strip") => decoder["stop"] == 0,
        Some("Sequence") => {
            decoder["decoders"].as_array().is_some_and(|all| all.iter().all(keeps_text))
        }
        Some(_) => false,
    }
}

fn is_one_character(text: &str) -> bool {
    text.chars().count() == 1
}
