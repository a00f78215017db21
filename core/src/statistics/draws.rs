//! Random draws for resampling: SplitMix64.

use crate::ruler::rng::{SPLITMIX64_STEP, splitmix64};

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
        let bits = splitmix64(self.0);
        self.0 = self.0.wrapping_add(SPLITMIX64_STEP);
        bits
    }

    /// An index below `end` (0 where `end` is 0): the high half of `bits · end`. Uniform up to
    /// `end / 2⁶⁴`, far below what resampling could show.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }
}
