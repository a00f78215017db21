//! Rounding to bf16 against the crate `half`.

use half::bf16;
use longseq_cpu::gemm::bf16_pair;
use proptest::prelude::*;

fn expected(low: f32, high: f32) -> u32 {
    let [low, high] = [low, high].map(|x| u32::from(bf16::from_f32(x).to_bits()));
    low | high << 16
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn pairs_are_rounded_to_nearest_even(low: u32, high: u32) {
        let (low, high) = (f32::from_bits(low), f32::from_bits(high));
        prop_assert_eq!(bf16_pair(low, high), expected(low, high));
    }
}

#[test]
fn ties_infinities_and_numbers_that_are_none() {
    let upper = [0x0000, 0x0001, 0x3f80, 0x3f81, 0x7f7f, 0x7f80, 0x7f81, 0x7fc0, 0x7fff];
    let lower = [0x0000, 0x0001, 0x7fff, 0x8000, 0x8001, 0xffff];
    for (upper, lower) in upper.into_iter().flat_map(|upper| lower.map(|lower| (upper, lower))) {
        let x = f32::from_bits(upper << 16 | lower);
        assert_eq!(bf16_pair(x, -x), expected(x, -x), "{:08x}", x.to_bits());
    }
}
