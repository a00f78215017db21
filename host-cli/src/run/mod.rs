//! Runs a plan: samples become tokens, tokens answers, answers lines of the journal.
//!
//! [`check`] does everything that can be done before the first token; [`run`] goes on from there,
//! cell after cell: [`mod@encode`] → [`cell`] (what if the engine fails) → [`together`] (the loop over
//! the engine's slots) with [`trunk`] (shared prefixes) and [`answer`] (when to stop).

pub mod answer;
pub mod cell;
pub mod check;
pub mod encode;
pub mod estimate;
pub mod interrupt;
pub mod ruler;
pub mod together;
pub mod trunk;

use std::{sync::atomic::AtomicBool, time::Instant};

use crate::{
    engine::Engine,
    error::Result,
    journal::{Journal, Timing},
    plan::{Cell, Plan},
    progress::Progress,
    tokenizer::Tokenizer,
};

use answer::Rules;
use cell::{Schedule, answer_all};
use check::{CellCheck, Check};
use encode::{Source, encode};
use together::{Event, Prompt};

/// What a run is made of.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// What is computed.
    pub plan: &'a Plan,
    /// Makes the samples.
    pub source: &'a dyn Source,
    /// Makes tokens of text and text of tokens.
    pub tokenizer: &'a Tokenizer,
    /// How.
    pub schedule: Schedule,
    /// Raised from outside to end early.
    pub stop: &'a AtomicBool,
}

/// Runs every sample that `check` found without a prediction. Returns whether it came to the end:
/// `false` when the stop flag was raised.
///
/// A sample whose prompt cannot be encoded, read or answered is recorded as failed, and the others
/// go on.
pub fn run(
    parts: Parts<'_>,
    check: &Check,
    engine: &mut dyn Engine,
    journal: &mut Journal,
    progress: &mut Progress,
) -> Result<bool> {
    for cell in &check.cells {
        progress.begin(&cell.cell, cell.pending.len());
        if !run_cell(parts, cell, engine, journal, progress)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn run_cell(
    parts: Parts<'_>,
    CellCheck { cell, pending, .. }: &CellCheck,
    engine: &mut dyn Engine,
    journal: &mut Journal,
    progress: &mut Progress,
) -> Result<bool> {
    let protocol = parts.source.protocol(cell)?;
    let rules = Rules {
        tokenizer: parts.tokenizer,
        tokens_to_generate: protocol.tokens_to_generate,
        end_of_text: &parts.plan.end_of_text,
        metric: protocol.metric,
        decided_stop: parts.plan.decided_stop,
    };
    let encoded = encode(parts.source, parts.tokenizer, cell, pending)?;
    let mut cell_journal = journal.cell(cell)?;
    let (mut prompts, mut samples) = (Vec::new(), Vec::new());
    for sample in &encoded {
        match &sample.prompt {
            Ok(prompt) => {
                prompts.push(Prompt { ids: &prompt.ids, references: &sample.sample.outputs });
                samples.push(sample);
            }
            Err(error) => {
                cell_journal.fail(sample.number, error)?;
                progress.failed();
            }
        }
    }
    let (started, mut passed) = (Instant::now(), 0);
    let mut note = |event| match event {
        Event::Tokens(tokens) => {
            passed += tokens;
            progress.tokens(tokens);
            Ok(())
        }
        Event::Spared(tokens) => {
            progress.tokens(tokens);
            Ok(())
        }
        Event::Answered(prompt, Ok(answer)) => {
            progress.answered();
            let completion = samples[prompt].completion(answer, cell, parts.tokenizer)?;
            cell_journal.complete(&completion)
        }
        Event::Answered(prompt, Err(error)) => {
            progress.failed();
            cell_journal.fail(samples[prompt].number, &error)
        }
    };
    let ended = answer_all(engine, &prompts, parts.schedule, &rules, parts.stop, &mut note)?;
    let seconds = started.elapsed().as_secs_f64();
    let Cell { length, task } = cell.clone();
    journal.took(&Timing { length, task, tokens: passed, seconds })?;
    Ok(ended)
}
