//! Random draws for resampling: SplitMix64.

/// SplitMix64: state `s` steps by the odd constant γ, and a draw mixes its bits (Steele, Lea and
/// Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014). Draw `i` of a seed is a
/// function of `seed + i γ` alone.
#[derive(Clone, Debug)]
pub struct Draws(u64);

impl Draws {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An index below `end` (0 where `end` is 0): the high half of `bits · end`. Uniform up to
    /// `end / 2⁶⁴`, far below what resampling could show.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }
}
