//! JSON as Python's `json.dump` writes it: RULER's files are compared byte for byte.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// `", "` and `": "` between items, and ASCII only: other characters are written as the UTF-16
/// code units `\uXXXX` in lower-case digits.
struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !c.is_ascii()) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut chars = rest[at..].chars();
            for unit in chars.next().into_iter().collect::<String>().encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// One line of JSON Lines, with its line feed.
pub fn write_line<T: Serialize>(writer: &mut impl io::Write, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *writer, Python))?;
    writer.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_json_dump() {
        let value = serde_json::json!({
            "text": "a\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{80}\u{e9}\u{2028}\u{1f600}",
            "list": [1, -2, [], {}, null, true],
        });
        let mut line = Vec::new();
        write_line(&mut line, &value).expect("a vector takes all");
        // CPython 3.11: json.dumps of the same object.
        let expected = concat!(
            r#"{"text": "a\"\\/\b\f\n\r\t\u0000\u001f"#,
            "\u{7f}",
            r#"\u0080\u00e9\u2028\ud83d\ude00", "list": [1, -2, [], {}, null, true]}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(line).expect("ASCII"), expected);
    }
}
