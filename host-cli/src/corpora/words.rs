//! Word lists.

use std::path::Path;

use longseq_core::ruler::is_space;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::source::{Opened, Source, read_text};
use crate::error::{Error, Result};

const FILES: [&str; 3] = ["nounlist.txt", "adjectivelist.txt", "verblist.txt"];
const BUILT_IN: [&str; 3] = [
    include_str!("../../corpora/nounlist.txt"),
    include_str!("../../corpora/adjectivelist.txt"),
    include_str!("../../corpora/verblist.txt"),
];

/// Nouns, adjectives and verbs, in file order.
#[derive(Debug)]
pub struct Words {
    texts: [String; 3],
    source: Source,
}

impl Words {
    /// Reads wonderwords' three files, one word a line, from a folder.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self> {
        let texts = match folder {
            None => BUILT_IN.map(str::to_owned),
            Some(folder) => read_folder(folder)?,
        };
        let origin = folder.map_or("built in".to_owned(), |folder| folder.display().to_string());
        for (text, file) in texts.iter().zip(FILES) {
            if text.trim().is_empty() {
                return Err(Error::new(format!("{file} in {origin} holds no word"))
                    .help("--words expects one word a line"));
            }
        }
        let source = Source::new("words", &origin, &texts.each_ref().map(String::as_str));
        Ok(Self { texts, source })
    }

    /// Where they came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The nouns.
    pub fn nouns(&self) -> Vec<&str> {
        lines(&self.texts[0])
    }

    /// The adjectives.
    pub fn adjectives(&self) -> Vec<&str> {
        lines(&self.texts[1])
    }

    /// The verbs.
    pub fn verbs(&self) -> Vec<&str> {
        lines(&self.texts[2])
    }
}

fn read_folder(folder: &Path) -> Result<[String; 3]> {
    let [nouns, adjectives, verbs] = FILES.map(|file| read_text(&folder.join(file), "words"));
    Ok([nouns?, adjectives?, verbs?])
}

/// Lines as Python reads them, without trailing white space.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.trim_end_matches(is_space)).collect()
}

/// The long second list, used where a prompt needs more words than the three lists hold.
#[derive(Debug)]
pub struct EnglishWords {
    words: Vec<String>,
    source: Source,
}

impl EnglishWords {
    /// Reads RULER's `english_words.json`: an object whose values, in file order, are words.
    pub(super) fn load(file: Option<&Path>) -> Result<Self> {
        let Some(path) = file else {
            let words: Vec<String> = (0..GENERATED).map(generated_word).collect();
            let source = Source::new("english-words", "built in", &[&words.join("\n")]);
            return Ok(Self { words, source });
        };
        let opened = Opened::file("english-words", path)?;
        let expected = "JSON like {\"0\": \"a\", \"1\": \"aa\", …}";
        let mut json = serde_json::Deserializer::from_str(&opened.text);
        let words = json
            .deserialize_map(Values)
            .and_then(|words| json.end().map(|()| words))
            .map_err(|source| opened.corrupt(source, expected))?;
        if words.is_empty() {
            return Err(opened.corrupt("there are no words in it", expected));
        }
        Ok(Self { words, source: opened.source })
    }

    /// Where they came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The words.
    pub fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

/// The values of a JSON object in file order. As in Python, a key that comes again keeps its
/// first place and takes its last value.
struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object whose values are words")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut words = indexmap::IndexMap::new();
        while let Some((key, word)) = map.next_entry::<String, String>()? {
            words.insert(key, word);
        }
        Ok(words.into_values().collect())
    }
}

const ONSETS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 5] = b"aeiou";
/// Number of built-in words: every word of three syllables.
const GENERATED: usize = 80 * 80 * 80;

/// Word `index` of the built-in list: three syllables of a consonant and a vowel, read off the
/// number `index · 314,159 mod 512,000`, lowest digit of base 80 first. The factor has no divisor
/// in common with 512,000, so every word comes once.
fn generated_word(index: usize) -> String {
    let mut number = index * 314_159 % GENERATED;
    let mut word = String::with_capacity(6);
    for _ in 0..3 {
        let syllable = number % 80;
        number /= 80;
        word.push(char::from(ONSETS[syllable / 5]));
        word.push(char::from(VOWELS[syllable % 5]));
    }
    word
}
