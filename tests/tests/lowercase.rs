//! `core::ruler::lowercase` against std's heap-allocating one and CPython's `str.lower()`.

use std::{collections::HashMap, fs};

use longseq_core::ruler::lowercase::{lowercase, settled};
use longseq_tests::fixtures;
use proptest::prelude::*;
use serde::Deserialize;

fn lower(text: &str) -> String {
    lowercase(text).collect()
}

/// What `fixtures/ruler/lowercase.py` writes; ranges are flat lists first, last, first, last, ….
#[derive(Deserialize)]
struct Python {
    unassigned: Vec<u32>,
    cased_and_not_ignorable: Vec<u32>,
    ignorable: Vec<u32>,
    lower: HashMap<char, String>,
    strings: Vec<(String, String)>,
}

fn python() -> Python {
    let file = fixtures().join("ruler/lowercase.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn within(ranges: &[u32], c: char) -> bool {
    ranges.chunks_exact(2).any(|range| (range[0]..=range[1]).contains(&u32::from(c)))
}

impl Python {
    /// The characters of its Unicode version; of later ones, std and our tables may know more or
    /// less than each other.
    fn characters(&self) -> impl Iterator<Item = char> {
        ('\0'..=char::MAX).filter(|&c| !within(&self.unassigned, c))
    }
}

#[test]
fn every_character_lowers_as_in_std_alone_and_around_a_sigma() {
    for c in python().characters() {
        for text in [format!("{c}"), format!("A{c}Σ"), format!("{c}Σ"), format!("AΣ{c}A")] {
            assert_eq!(lower(&text), text.to_lowercase(), "{text:?}");
        }
    }
}

#[test]
fn every_character_python_knows_lowers_as_in_python() {
    let python = python();
    let mut changed = Vec::new();
    for c in python.characters() {
        let expected = python.lower.get(&c).cloned().unwrap_or_else(|| c.to_string());
        assert_eq!(lower(&c.to_string()), expected, "{c:?}");
        let cased = within(&python.cased_and_not_ignorable, c);
        let ignorable = within(&python.ignorable, c);
        let same = lower(&format!("{c}Σ")).ends_with('ς') == cased
            && lower(&format!("A{c}Σ")).ends_with('ς') == (cased || ignorable);
        if !same {
            changed.push(c);
        }
    }
    // Later Unicode versions gave these two another general category.
    assert_eq!(changed, ['\u{295}', '\u{1171e}']);
}

#[test]
fn strings_lower_as_in_python() {
    let strings = python().strings;
    assert_eq!(strings.len(), 500);
    for (text, expected) in strings {
        assert_eq!(lower(&text), expected, "{text:?}");
    }
}

/// Texts with many of the characters that matter.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[aAΣσς.' İ\u{301}\u{ad}\u{2b0}ǅ1]{0,12}"]
}

proptest! {
    /// Random strings hold letters of every Unicode version; only around a `Σ` would one that is
    /// newer than std's tables matter.
    #[test]
    fn any_text_lowers_as_in_std(text in text()) {
        prop_assert_eq!(lower(&text), text.to_lowercase());
    }

    #[test]
    fn what_is_settled_stays_under_any_appended_text(text in text(), more in text()) {
        let end = settled(&text);
        let before: String = lowercase(&text).up_to(end).collect();
        let after: String = lowercase(&(text + &more)).up_to(end).collect();
        prop_assert_eq!(before, after);
    }
}
