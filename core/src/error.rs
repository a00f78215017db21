//! Small `Copy` errors, one for each way a call can be wrong.

use core::fmt;
use core::ops::Range;

/// An operand has the wrong extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The operation that refused, e.g. `"rms_norm"`.
    pub operation: &'static str,
    /// The operand or axis, e.g. `"weight"`.
    pub operand: &'static str,
    /// The extent that the other operands imply, in elements.
    pub expected: usize,
    /// The extent that was given, in elements.
    pub found: usize,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, operand, expected, found } = self;
        write!(f, "{operation}: {operand} has {found} elements, expected {expected}")
    }
}

impl core::error::Error for ShapeError {}

/// Refuses an operand that has not exactly the expected number of elements.
pub fn same(
    operation: &'static str,
    operand: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), ShapeError> {
    if found == expected { Ok(()) } else { Err(ShapeError { operation, operand, expected, found }) }
}

/// Refuses an operand that has fewer than the expected number of elements.
pub fn enough(
    operation: &'static str,
    operand: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), ShapeError> {
    if found >= expected { Ok(()) } else { Err(ShapeError { operation, operand, expected, found }) }
}

/// Refuses a range that does not lie within so many elements of the operand, or that ends before it begins.
pub fn within(
    operation: &'static str,
    operand: &'static str,
    range: &Range<usize>,
    elements: usize,
) -> Result<(), ShapeError> {
    enough(operation, operand, range.end, elements)?;
    enough(operation, "end of the range", range.start, range.end)
}

/// A buffer of the caller is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityError {
    /// What the buffer holds, e.g. `"haystack needles"`.
    pub what: &'static str,
    /// How many elements are needed.
    pub needed: usize,
    /// How many were given.
    pub given: usize,
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, needed, given } = self;
        write!(f, "{what}: room for {needed} needed, {given} given")
    }
}

impl core::error::Error for CapacityError {}
