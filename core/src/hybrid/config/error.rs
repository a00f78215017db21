//! What makes a configuration impossible.

use core::fmt;

/// Why a [`ModelConfig`](super::ModelConfig) describes no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A size is zero.
    Zero {
        /// Which size.
        what: &'static str,
    },
    /// A size, or a product of sizes, is out of range.
    TooLarge {
        /// Which size.
        what: &'static str,
    },
    /// A constant is negative, infinite or NaN.
    NotANumber {
        /// Which constant.
        what: &'static str,
    },
    /// A size must be a multiple of another.
    NotAMultiple {
        /// Which size.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be a multiple of.
        of: &'static str,
        /// The value of that.
        divisor: usize,
    },
    /// A layer has no mixer.
    NoMixer {
        /// The layer's number, from 0.
        layer: usize,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero { what } => write!(f, "{what} is 0"),
            Self::TooLarge { what } => write!(f, "{what} is out of range"),
            Self::NotANumber { what } => write!(f, "{what} is not a usable number"),
            Self::NotAMultiple { what, value, of, divisor } => {
                write!(f, "{what} is {value}, not a multiple of {of} ({divisor})")
            }
            Self::NoMixer { layer } => write!(f, "layer {layer} has no mixer"),
        }
    }
}

impl core::error::Error for ConfigError {}

pub(super) fn positive(what: &'static str, value: usize) -> Result<(), ConfigError> {
    if value == 0 { Err(ConfigError::Zero { what }) } else { Ok(()) }
}

pub(super) fn multiple(
    what: &'static str,
    value: usize,
    of: &'static str,
    divisor: usize,
) -> Result<(), ConfigError> {
    if value.is_multiple_of(divisor) {
        Ok(())
    } else {
        Err(ConfigError::NotAMultiple { what, value, of, divisor })
    }
}

/// Products are formed with saturation; the maximum means that one overflowed.
pub(super) fn representable(what: &'static str, elements: usize) -> Result<(), ConfigError> {
    if elements == usize::MAX { Err(ConfigError::TooLarge { what }) } else { Ok(()) }
}

pub(super) fn number(what: &'static str, value: f64) -> Result<(), ConfigError> {
    if value >= 0.0 && value.is_finite() { Ok(()) } else { Err(ConfigError::NotANumber { what }) }
}
