//! Python's `repr` of a list of strings, which the fork counts tokens of.

use core::fmt::{self, Display, Formatter, Write};

/// Writes `['a', 'b']`.
pub(crate) fn write_list<T: Display>(
    f: &mut Formatter<'_>,
    items: impl Iterator<Item = T>,
) -> fmt::Result {
    f.write_str("[")?;
    for (i, item) in items.enumerate() {
        f.write_str(if i > 0 { ", " } else { "" })?;
        let mut quotes = Quotes::default();
        write!(quotes, "{item}")?;
        let quote = if quotes.single && !quotes.double { '"' } else { '\'' };
        f.write_char(quote)?;
        write!(Escaped { out: f, quote }, "{item}")?;
        f.write_char(quote)?;
    }
    f.write_str("]")
}

/// Which quotes a text holds.
#[derive(Default)]
struct Quotes {
    single: bool,
    double: bool,
}

impl Write for Quotes {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.single |= text.contains('\'');
        self.double |= text.contains('"');
        Ok(())
    }
}

/// Writes a text as it stands between quotes.
struct Escaped<'w, 'f> {
    out: &'w mut Formatter<'f>,
    quote: char,
}

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '\n' => self.out.write_str("\\n"),
            '\r' => self.out.write_str("\\r"),
            '\t' => self.out.write_str("\\t"),
            '\\' => self.out.write_str("\\\\"),
            c if c == self.quote => write!(self.out, "\\{c}"),
            c if is_printable(c) => self.out.write_char(c),
            c => match u32::from(c) {
                code @ ..0x100 => write!(self.out, "\\x{code:02x}"),
                code @ ..0x1_0000 => write!(self.out, "\\u{code:04x}"),
                code => write!(self.out, "\\U{code:08x}"),
            },
        })
    }
}

/// Neither a control, format, private or unassigned character nor a separator other than the
/// space. Rust's debug format escapes the same; only at the start of a text does it escape marks
/// too, hence the letter before.
fn is_printable(c: char) -> bool {
    if matches!(c, '"' | '\'') {
        return true;
    }
    let mut bytes = [b'a'; 5];
    let len = 1 + c.encode_utf8(&mut bytes[1..]).len();
    core::str::from_utf8(&bytes[..len]).is_ok_and(|text| text.escape_debug().count() == 2)
}

#[cfg(test)]
mod tests {
    use core::fmt;
    use heapless::String;

    struct List<'t>(&'t [&'t str]);

    impl fmt::Display for List<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            super::write_list(f, self.0.iter())
        }
    }

    fn repr(items: &[&str]) -> String<128> {
        let mut out = String::new();
        fmt::write(&mut out, format_args!("{}", List(items))).unwrap();
        out
    }

    /// What CPython 3.11 printed.
    #[test]
    fn texts_are_quoted_as_python_does() {
        assert_eq!(repr(&[]), "[]");
        assert_eq!(repr(&["ABC", "DEF"]), "['ABC', 'DEF']");
        assert_eq!(repr(&["it's", "\"so\"", "'\""]), r#"["it's", '"so"', '\'"']"#);
        assert_eq!(repr(&["a\tb\n\\\u{7f}"]), r"['a\tb\n\\\x7f']");
        assert_eq!(repr(&["\u{a0}é\u{200b}\u{301}\u{ad}"]), "['\\xa0é\\u200b\u{301}\\xad']");
        assert_eq!(repr(&["\u{e0001}🎈"]), "['\\U000e0001🎈']");
    }
}
