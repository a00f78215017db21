//! A hash of numbers, bit by bit.

/// FNV-1a of 64 bits (Fowler, Noll, Vo) over the little-endian bytes of every number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    /// Of these numbers.
    pub fn of(numbers: &[f32]) -> Self {
        let mut hash = Self::default();
        hash.numbers(numbers);
        hash
    }

    /// Goes on with bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    /// Goes on with the bits of numbers.
    pub fn numbers(&mut self, numbers: &[f32]) {
        for number in numbers {
            self.bytes(&number.to_bits().to_le_bytes());
        }
    }

    /// The hash.
    pub const fn value(self) -> u64 {
        self.0
    }
}
