//! How long a study takes: from what a model needs for one prompt of each length and for a step of writing.

use std::time::{Duration, Instant};

use crate::{
    args::run::BackendArg,
    checkpoint::Checkpoint,
    engine::{Continuation, Engine, computing::Computing},
    error::Result,
    run::cell::Schedule,
};

use super::{Extent, Part};

/// Tokens of an answer, about: right ones end earlier, wrong ones have those that their task allows.
const ANSWER: usize = 24;

/// What both parts of a model take, about.
///
/// # Errors
/// A checkpoint that cannot be computed with.
pub fn seconds(checkpoint: &Checkpoint, extent: &Extent) -> Result<f64> {
    let computing = Computing::new(BackendArg::Auto, None, None)?;
    let longest = Part::ALL.into_iter().flat_map(|part| part.lengths(extent).0).max();
    let longest = longest.copied().unwrap_or(1);
    let mut engine = computing.engine(checkpoint, Schedule::PAYS, longest)?;
    let mut total = 0.0;
    for part in Part::ALL {
        let (lengths, cells) = part.lengths(extent);
        for &length in lengths {
            let [prompt, step] = times(&mut *engine, length)?.map(|time| time.as_secs_f64());
            let answer = step * ANSWER as f64 / Schedule::PAYS as f64;
            total += (cells * extent.samples) as f64 * (prompt + answer);
        }
    }
    Ok(total)
}

/// A prompt of so many tokens, and a step in which as many samples as pay write one token each.
fn times(engine: &mut dyn Engine, length: usize) -> Result<[Duration; 2]> {
    // Any ids: every vocabulary has so many.
    let tokens: Vec<u32> =
        (0..length.saturating_sub(ANSWER).max(1)).map(|i| i as u32 % 64).collect();
    engine.reset(0);
    let start = Instant::now();
    engine.forward(&[Continuation { slot: 0, tokens: &tokens }], &mut [0])?;
    let prompt = start.elapsed();
    (1..engine.slots()).for_each(|slot| engine.fork(0, slot));
    let batch: Vec<_> =
        (0..engine.slots()).map(|slot| Continuation { slot, tokens: &tokens[..1] }).collect();
    let mut next = vec![0; batch.len()];
    let start = Instant::now();
    engine.forward(&batch, &mut next)?;
    Ok([prompt, start.elapsed()])
}
