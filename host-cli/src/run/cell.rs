//! The prompts of one cell, and what to do when the engine fails.

use std::sync::atomic::AtomicBool;

use super::{
    answer::Rules,
    together::{Ending, Event, Note, Prompt, answer_together},
    trunk::Trunk,
};
use crate::{engine::Engine, error::Result};

/// How prompts are run, beside what the plan says; the answers do not depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Prompts answered at the same time, at least 1.
    pub batch: usize,
    /// Whether a prefix that prompts share is read once.
    pub shared_prefixes: bool,
    /// Prompts are read in pieces that end at multiples of this many tokens: where the engine may be
    /// called without that changing a bit.
    pub grid: usize,
}

impl Schedule {
    /// Samples of a batch that pay: a step reads the weights once for all of them; beyond so many little is gained.
    pub const PAYS: usize = 8;

    /// The same on a GPU, which reads weights far faster than it is asked to.
    #[cfg(feature = "cuda")]
    pub const PAYS_ON_A_GPU: usize = 64;

    /// One prompt after another, each from its start.
    fn alone(self) -> Self {
        Self { batch: 1, shared_prefixes: false, ..self }
    }

    /// Slots that an engine needs for it.
    pub fn slots(&self) -> usize {
        self.batch + usize::from(self.shared_prefixes)
    }

    /// Tokens of a piece, at most `tokens` if the grid allows it.
    pub fn on_grid(&self, tokens: usize) -> usize {
        (tokens / self.grid).max(1).saturating_mul(self.grid)
    }

    /// How the prompts numbered `these` are read.
    pub fn trunk(&self, prompts: &[&[u32]], these: &[usize]) -> Trunk {
        if self.shared_prefixes {
            Trunk::find(prompts, these, self.grid)
        } else {
            Trunk::none(these)
        }
    }
}

/// Answers every prompt. Returns whether it came to the end: `false` when `stop` was raised.
///
/// Where a call of the engine fails, each prompt that had a part in it is tried again alone, from
/// its start, and fails if the engine fails again; the others go on.
pub fn answer_all(
    engine: &mut dyn Engine,
    prompts: &[Prompt<'_>],
    mut schedule: Schedule,
    rules: &Rules<'_>,
    stop: &AtomicBool,
    note: Note<'_>,
) -> Result<bool> {
    let ids: Vec<&[u32]> = prompts.iter().map(|prompt| prompt.ids).collect();
    let mut waiting: Vec<usize> = (0..prompts.len()).collect();
    let mut answer = |these: &[usize], schedule: Schedule, note: Note<'_>| {
        let trunk = schedule.trunk(&ids, these);
        answer_together(engine, prompts, &trunk, schedule, rules, stop, note)
    };
    loop {
        let failed = match answer(&waiting, schedule, note)? {
            Ending::Finished => return Ok(true),
            Ending::Interrupted => return Ok(false),
            Ending::Failed { in_flight, waiting: rest, .. } => {
                waiting = rest;
                in_flight
            }
        };
        for prompt in failed {
            match answer(&[prompt], schedule.alone(), note)? {
                Ending::Finished => {}
                Ending::Interrupted => return Ok(false),
                Ending::Failed { error, .. } => note(Event::Answered(prompt, Err(error)))?,
            }
        }
        // The trunk may have been at fault: without it every failure has a prompt in it.
        schedule.shared_prefixes = false;
    }
}
