//! Where needles go: positions in a haystack of so many sentences or lines.
//!
//! RULER draws depths for essays and line numbers for the other haystacks. The paper's depth
//! ablation, and this project's own `--depth` for any needle task, put all needles at one fixed
//! fraction instead. The depths are drawn all the same, so that one prompt's draws do not depend on
//! them (how often it is drawn may: a needle before the first sentence costs a space). Source: RULER `niah.py`; docs/ruler.md §3.

use super::rng::Random;
use crate::error::CapacityError;

/// Number of depths that essay needles are drawn from.
const DEPTHS: usize = 40;

/// Depth `i` of the 40 equally spaced ones, rounded to a whole percent.
fn percent(i: u32) -> u32 {
    (2 * 100 * i + 39) / (2 * 39)
}

/// `floor(sentences · fraction)`, in the floating-point steps of the scripts.
pub(crate) fn position(sentences: usize, fraction: f64) -> usize {
    (sentences as f64 * fraction) as usize
}

/// Positions of essay needles, ascending: each goes before that sentence.
/// Draws `sample(DEPTHS, positions.len())`.
///
/// # Errors
/// More positions than there are depths.
pub(crate) fn among_sentences(
    positions: &mut [u32],
    sentences: usize,
    fixed: Option<f64>,
    random: &mut Random,
) -> Result<(), CapacityError> {
    if positions.len() > DEPTHS {
        let needed = positions.len();
        return Err(CapacityError { what: "depths of needles", needed, given: DEPTHS });
    }
    random.sample(DEPTHS, positions, &mut [0; DEPTHS])?;
    for at in positions.iter_mut() {
        let fraction = fixed.unwrap_or(f64::from(percent(*at)) / 100.0);
        *at = position(sentences, fraction) as u32;
    }
    positions.sort_unstable();
    Ok(())
}

/// Positions of needles among lines, ascending: each goes before that line of the haystack.
/// Draws `sample(range(lines), positions.len())`.
///
/// # Errors
/// `scratch` is too small ([`super::rng::sample_scratch`]).
pub(crate) fn among_lines(
    positions: &mut [u32],
    lines: usize,
    fixed: Option<f64>,
    random: &mut Random,
    scratch: &mut [u32],
) -> Result<(), CapacityError> {
    random.sample(lines, positions, scratch)?;
    if let Some(fraction) = fixed {
        positions.fill(position(lines, fraction) as u32);
    }
    positions.sort_unstable();
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn depths_are_numpys_rounded_linspace() {
        let expected = [0, 3, 5, 8, 10, 13, 15, 18, 21, 23, 26, 28, 31, 33, 36, 38, 41, 44, 46, 49];
        for (i, &depth) in expected.iter().enumerate() {
            assert_eq!(super::percent(i as u32), depth);
            assert_eq!(super::percent(39 - i as u32), 100 - depth);
        }
    }
}
