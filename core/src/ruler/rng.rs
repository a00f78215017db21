//! The random draws of CPython's `random` and of NumPy's legacy generator, bit for bit.
//!
//! Both run the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998, 32-bit outputs) and
//! differ in how they seed it and how they turn its words into numbers.

use crate::error::CapacityError;

const WORDS: usize = 624;
const SHIFT: usize = 397;

/// The Mersenne Twister MT19937.
#[derive(Clone, Debug)]
struct Mt19937 {
    state: [u32; WORDS],
    next: usize,
}

impl Mt19937 {
    /// Seeds with one word.
    fn from_word(seed: u32) -> Self {
        let mut state = [0; WORDS];
        state[0] = seed;
        for i in 1..WORDS {
            let before = state[i - 1] ^ (state[i - 1] >> 30);
            state[i] = before.wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { state, next: WORDS }
    }

    /// Seeds with the words of `key`, which holds at least one.
    fn from_words(key: &[u32]) -> Self {
        let mut mt = Self::from_word(19_650_218);
        let rounds = WORDS.max(key.len());
        let mut i = 1;
        for j in (0..key.len()).cycle().take(rounds) {
            mt.state[i] = mt.mixed(i, 1_664_525).wrapping_add(key[j]).wrapping_add(j as u32);
            i = mt.after(i);
        }
        for _ in 1..WORDS {
            mt.state[i] = mt.mixed(i, 1_566_083_941).wrapping_sub(i as u32);
            i = mt.after(i);
        }
        mt.state[0] = 0x8000_0000;
        mt
    }

    fn mixed(&self, i: usize, factor: u32) -> u32 {
        let before = self.state[i - 1];
        self.state[i] ^ (before ^ (before >> 30)).wrapping_mul(factor)
    }

    /// The word to change after word `i`; passing the end carries the last word to the front.
    fn after(&mut self, i: usize) -> usize {
        if i + 1 < WORDS {
            return i + 1;
        }
        self.state[0] = self.state[WORDS - 1];
        1
    }

    fn refill(&mut self) {
        for i in 0..WORDS {
            let upper = self.state[i] & 0x8000_0000;
            let lower = self.state[(i + 1) % WORDS] & 0x7fff_ffff;
            let word = upper | lower;
            let twist = if word & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % WORDS] ^ (word >> 1) ^ twist;
        }
        self.next = 0;
    }

    fn next_word(&mut self) -> u32 {
        if self.next == WORDS {
            self.refill();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }
}

/// CPython's `random.Random`, seeded by an integer.
#[derive(Clone, Debug)]
pub struct Random(Mt19937);

impl Random {
    /// `random.seed(seed)`.
    pub fn new(seed: u64) -> Self {
        let words = [seed as u32, (seed >> 32) as u32];
        Self(Mt19937::from_words(if words[1] == 0 { &words[..1] } else { &words }))
    }

    /// `random()`: a float in [0, 1) with 53 random bits.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.0.next_word() >> 5);
        let low = f64::from(self.0.next_word() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `getrandbits(bits)` for `bits` up to 128. No bits draw nothing.
    pub fn bits(&mut self, bits: u32) -> u128 {
        let mut value = 0;
        let mut filled = 0;
        while filled < bits {
            let take = (bits - filled).min(32);
            value |= u128::from(self.0.next_word() >> (32 - take)) << filled;
            filled += take;
        }
        value
    }

    /// `_randbelow(end)`: uniform in `0..end`, by rejection. Zero draws nothing and gives zero.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        let bits = u64::BITS - end.leading_zeros();
        loop {
            let value = self.bits(bits) as u64;
            if value < end {
                return value;
            }
        }
    }

    /// An index of a sequence of `len` elements, as `choice` draws it.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// `randint(first, last)`: both ends included.
    pub fn integer(&mut self, first: u32, last: u32) -> u32 {
        first + self.below(u64::from(last - first) + 1) as u32
    }

    /// `shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.index(i + 1);
            items.swap(i, j);
        }
    }

    /// `choices(alphabet, k=N)`: letters drawn with replacement.
    pub fn letters<const N: usize>(&mut self, alphabet: &[u8; 26]) -> [u8; N] {
        core::array::from_fn(|_| alphabet[(self.random() * 26.0) as usize])
    }

    /// `sample(range(end), out.len())`: distinct indices in the order drawn.
    ///
    /// `scratch` holds CPython's pool or, where CPython keeps a set, one bit for each of `end`
    /// indices: [`sample_scratch`] says how much.
    ///
    /// # Errors
    /// `scratch` is too small. More indices than `end` is the caller's to rule out
    /// (CPython raises `ValueError`).
    pub fn sample(
        &mut self,
        end: usize,
        out: &mut [u32],
        scratch: &mut [u32],
    ) -> Result<(), CapacityError> {
        debug_assert!(out.len() <= end, "sample larger than population");
        let (needed, given) = (sample_scratch(end, out.len()), scratch.len());
        let Some(scratch) = scratch.get_mut(..needed) else {
            return Err(CapacityError { what: "sampling scratch", needed, given });
        };
        if end <= set_size(out.len()) {
            self.sample_by_pool(out, scratch);
        } else {
            self.sample_by_set(end, out, scratch);
        }
        Ok(())
    }

    fn sample_by_pool(&mut self, out: &mut [u32], pool: &mut [u32]) {
        for (i, item) in pool.iter_mut().enumerate() {
            *item = i as u32;
        }
        for (i, picked) in out.iter_mut().enumerate() {
            let left = pool.len() - i;
            let j = self.index(left);
            *picked = pool[j];
            pool[j] = pool[left - 1];
        }
    }

    fn sample_by_set(&mut self, end: usize, out: &mut [u32], seen: &mut [u32]) {
        seen.fill(0);
        for picked in out {
            let mut j = self.index(end);
            while seen[j / 32] >> (j % 32) & 1 == 1 {
                j = self.index(end);
            }
            seen[j / 32] |= 1 << (j % 32);
            *picked = j as u32;
        }
    }
}

/// Words of scratch that [`Random::sample`] needs for `count` of `end` indices.
pub fn sample_scratch(end: usize, count: usize) -> usize {
    if end <= set_size(count) { end } else { end.div_ceil(32) }
}

/// The population up to which CPython's `sample` copies it rather than keep a set:
/// `21 + 4 ** ceil(log(3 * count, 4))`, the power only from six on.
fn set_size(count: usize) -> usize {
    let mut power = if count > 5 { 1 } else { 0 };
    while power != 0 && power < 3 * count {
        power *= 4;
    }
    21 + power
}

/// NumPy's legacy `np.random`, seeded by one word.
#[derive(Clone, Debug)]
pub struct NumpyRandom(Mt19937);

impl NumpyRandom {
    /// `np.random.seed(seed)`.
    pub fn new(seed: u32) -> Self {
        Self(Mt19937::from_word(seed))
    }

    /// `np.random.randint(first, end)`: `end` excluded, by masked rejection.
    pub fn integer(&mut self, first: u32, end: u32) -> u32 {
        let largest = end - 1 - first;
        let mask = u32::MAX.checked_shr(largest.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.0.next_word() & mask;
            if value <= largest {
                return first + value;
            }
        }
    }
}

/// The seed of one sample when every sample has its own: FNV-1a (64 bits) over the plan's seed,
/// the task's name, the length and the sample's number (integers as eight little-endian bytes),
/// finished with SplitMix64's mixer so that neighbouring numbers share no bits.
pub fn sample_seed(seed: u64, task: &str, max_seq_length: usize, index: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    add(&seed.to_le_bytes());
    add(task.as_bytes());
    add(&(max_seq_length as u64).to_le_bytes());
    add(&index.to_le_bytes());
    splitmix64(hash)
}

/// γ, by which the state of SplitMix64 steps.
pub(crate) const SPLITMIX64_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What SplitMix64 draws in a state: the bits of the next state, mixed (Steele, Lea and Flood, *Fast
/// splittable pseudorandom number generators*, OOPSLA 2014).
pub(crate) fn splitmix64(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(SPLITMIX64_STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
