//! Needles: a key and a value, each a number, an adjective-noun pair or a UUID.
//!
//! Values are kept as what was drawn and become text only when a prompt is written.
//! Source: RULER `niah.py`; `One of the special magic numbers for KEY is: VALUE.`

use core::fmt;

use super::rng::Random;
use super::words::PairIndex;

/// What a key or a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Seven decimal digits.
    Numbers,
    /// An adjective and a noun joined by a hyphen.
    Words,
    /// A random UUID, version 4.
    Uuids,
    /// The first two groups of one: twelve hexadecimal digits.
    ShortUuids,
}

impl Kind {
    /// The word that prompts use for several values of this kind.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Words => "words",
            Self::Uuids | Self::ShortUuids => "uuids",
        }
    }

    /// The word that prompts use for one value of this kind.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Numbers => "number",
            Self::Words => "word",
            Self::Uuids | Self::ShortUuids => "uuid",
        }
    }

    pub(crate) fn draw(self, random: &mut Random, pairs: &PairIndex<'_>) -> Value {
        match self {
            Self::Numbers => Value::Number(random.integer(1_000_000, 9_999_999)),
            Self::Words => Value::Pair(random.below(pairs.len())),
            Self::Uuids => Value::Uuid(version_4(random.bits(128))),
            Self::ShortUuids => Value::ShortUuid((version_4(random.bits(128)) >> 80) as u64),
        }
    }
}

/// Sets the variant and version bits of RFC 4122, version 4.
fn version_4(bits: u128) -> u128 {
    let variant = bits & !(0xc000 << 48) | 0x8000 << 48;
    variant & !(0xf000 << 64) | 4 << 76
}

/// A key or a value as drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number of seven digits.
    Number(u32),
    /// The rank of an adjective-noun pair in the sorted list of all.
    Pair(u64),
    /// A UUID, first byte highest.
    Uuid(u128),
    /// The first six bytes of one, first byte highest.
    ShortUuid(u64),
}

/// A key and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needle {
    /// What a question asks by.
    pub key: Value,
    /// What it asks for.
    pub value: Value,
}

impl Default for Needle {
    fn default() -> Self {
        Self { key: Value::Number(0), value: Value::Number(0) }
    }
}

/// A value as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'d> {
    pub(crate) value: Value,
    pub(crate) pairs: PairIndex<'d>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Number(number) => write!(f, "{number}"),
            Value::Pair(rank) => {
                let (adjective, noun) = self.pairs.get(rank);
                f.write_str(adjective)?;
                f.write_str("-")?;
                f.write_str(noun)
            }
            Value::ShortUuid(groups) => write!(f, "{:08x}-{:04x}", groups >> 16, groups & 0xffff),
            Value::Uuid(uuid) => {
                let part =
                    |shift: u32, digits: u32| (uuid >> shift) as u64 & ((1 << (4 * digits)) - 1);
                let (a, b, c) = (part(96, 8), part(80, 4), part(64, 4));
                write!(f, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", part(48, 4), part(0, 12))
            }
        }
    }
}

/// Writes a needle's sentence; the kind of value is named in the plural always.
pub(crate) fn write_needle(
    f: &mut fmt::Formatter<'_>,
    needle: Needle,
    kind: Kind,
    pairs: PairIndex<'_>,
) -> fmt::Result {
    let Needle { key, value } = needle;
    let (key, value) = (Shown { value: key, pairs }, Shown { value, pairs });
    write!(f, "One of the special magic {} for {key} is: {value}.", kind.plural())
}
