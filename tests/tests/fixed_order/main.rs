//! The precision and order that docs/numerics.md states, operation by operation.
//!
//! Each operation is written again, plainly, over an [`arithmetic::Arithmetic`]. As stated, it has the bits of
//! `longseq-core`, on any inputs. With one property flipped (a product contracted into the sum, another order, a wider
//! sum, narrower storage) the hash that firmware and host print is another one: it notices.

mod arithmetic;
mod attention;
mod recurrence;
mod rows;
mod sequences;

use arithmetic::{Arithmetic, Flip};
use longseq_embedded::draw::Draw;
use longseq_embedded::hash::Hash;
use longseq_embedded::ops::{Operation, Outputs};

/// The seeds that firmware and host are compared with.
const SEEDS: [u64; 3] = [1, 2, 12_345];

/// Bit for bit as the core, as stated; with any of `flips`, not.
fn check<O: Operation>(again: impl Fn(&O, Arithmetic) -> Vec<f32>, flips: &[Flip]) {
    let hash = |seed, how| Hash::of(&again(&O::draw(&mut Draw::new(seed)), Arithmetic(how)));
    let core = |seed| {
        let mut outputs = Outputs::new();
        O::draw(&mut Draw::new(seed)).run(&mut outputs).expect("outputs");
        outputs
    };
    for seed in (1..=50).chain(SEEDS) {
        let stated = again(&O::draw(&mut Draw::new(seed)), Arithmetic(None));
        let bits = |of: &[f32]| of.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&core(seed)), bits(&stated), "{} of seed {seed}", O::NAME);
    }
    for &flip in flips {
        let noticed = SEEDS.iter().any(|&seed| hash(seed, Some(flip)) != Hash::of(&core(seed)));
        assert!(noticed, "{}: {flip:?}", O::NAME);
    }
}
