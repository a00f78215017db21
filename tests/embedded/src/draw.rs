//! Inputs that are the same on every machine: SplitMix64 (Steele, Lea, Flood 2014), turned into floats by exact
//! operations only.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A multiple of 2⁻²³ in [−1, 1); one in sixteen is an outlier, eight times as large.
    pub fn number(&mut self) -> f32 {
        let bits = self.bits();
        let number = ((bits >> 40) as i32 - (1 << 23)) as f32 / 8_388_608.0;
        if bits & 15 == 0 { number * 8.0 } else { number }
    }

    /// So many of them.
    pub fn numbers<const N: usize>(&mut self) -> [f32; N] {
        core::array::from_fn(|_| self.number())
    }

    /// Stored as bf16: the upper half of each; `BYTES` is twice their count.
    pub fn bf16<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        self.stored(|draw| (draw.number().to_bits() >> 16) as u16)
    }

    /// Stored as f16: normal numbers of magnitude 2⁻⁶ to 2; `BYTES` is twice their count.
    pub fn f16<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        self.stored(|draw| {
            let bits = draw.bits();
            let (sign, fraction) = ((bits & 1) << 15, bits >> 32 & 0x3FF);
            (sign | (9 + (bits >> 1) % 7) << 10 | fraction) as u16
        })
    }

    /// Stored as f32; `BYTES` is four times their count.
    pub fn f32<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        for chunk in bytes.as_chunks_mut::<4>().0 {
            *chunk = self.number().to_le_bytes();
        }
        bytes
    }

    fn stored<const BYTES: usize>(
        &mut self,
        mut next: impl FnMut(&mut Self) -> u16,
    ) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        for chunk in bytes.as_chunks_mut::<2>().0 {
            *chunk = next(self).to_le_bytes();
        }
        bytes
    }
}
