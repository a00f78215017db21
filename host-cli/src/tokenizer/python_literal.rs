//! Python's string and bytes literals, as `repr` writes them.

/// The bytes of a literal: those of `b'…'`, or the UTF-8 of `'…'`; else what is wrong with it.
///
/// Every escape of Python is read but `\N{…}`. What Python itself only warns of (an escape that
/// it does not know, an octal one above 377 in bytes) is refused.
pub fn parse(literal: &str) -> Result<Vec<u8>, String> {
    let (is_bytes, quoted) = match literal.strip_prefix(['b', 'B']) {
        Some(quoted) => (true, quoted),
        None => (false, literal),
    };
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    let quote = quote.ok_or("it does not start with a quotation mark")?;
    let mut rest = &quoted[1..];
    let mut bytes = Vec::new();
    loop {
        let mut chars = rest.chars();
        let code = match chars.next() {
            None => return Err("its quotation mark is never closed".to_owned()),
            Some(c) if c == quote && chars.as_str().is_empty() => return Ok(bytes),
            Some(c) if c == quote => return Err("text follows its closing quotation mark".into()),
            Some('\\') => {
                let escape = chars.as_str();
                let (code, length) = unescape(escape, is_bytes).ok_or_else(|| {
                    let start: String = escape.chars().take(10).collect();
                    format!("no escape that can be read starts with \\{start}")
                })?;
                chars = escape[length..].chars();
                code
            }
            Some(c) if is_bytes && !c.is_ascii() => {
                return Err(format!("{c:?} is not ASCII, as bytes must be"));
            }
            Some(c) => c.into(),
        };
        if is_bytes {
            bytes.push(u8::try_from(code).map_err(|_| format!("{code} is no byte"))?);
        } else {
            let c = char::from_u32(code).ok_or_else(|| format!("U+{code:04X} is no character"))?;
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
        rest = chars.as_str();
    }
}

/// The code point or byte of what follows a backslash, and how many bytes of it were read.
fn unescape(escape: &str, is_bytes: bool) -> Option<(u32, usize)> {
    let hexadecimal = |digits: usize| {
        let digits = escape.get(1..1 + digits).filter(|digits| all(digits, 16))?;
        Some((u32::from_str_radix(digits, 16).ok()?, 1 + digits.len()))
    };
    match escape.chars().next()? {
        c @ ('\\' | '\'' | '"') => Some((c.into(), 1)),
        'a' => Some((0x07, 1)),
        'b' => Some((0x08, 1)),
        't' => Some((0x09, 1)),
        'n' => Some((0x0A, 1)),
        'v' => Some((0x0B, 1)),
        'f' => Some((0x0C, 1)),
        'r' => Some((0x0D, 1)),
        'x' => hexadecimal(2),
        'u' if !is_bytes => hexadecimal(4),
        'U' if !is_bytes => hexadecimal(8),
        '0'..='7' => {
            let length = (1..=3).rev().find(|&n| escape.get(..n).is_some_and(|s| all(s, 8)))?;
            Some((u32::from_str_radix(&escape[..length], 8).ok()?, length))
        }
        _ => None,
    }
}

/// Whether all characters are digits to that base; `from_str_radix` takes a sign as well.
fn all(digits: &str, base: u32) -> bool {
    digits.chars().all(|c| c.is_digit(base))
}
