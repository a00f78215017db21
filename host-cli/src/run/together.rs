//! Reads prompts and writes their answers, several at a time.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    answer::{Answer, Rules},
    cell::Schedule,
    trunk::{Branch, Trunk},
};
use crate::{
    engine::{Continuation, Engine},
    error::{Error, Result},
};

/// A prompt to answer.
#[derive(Clone, Copy, Debug)]
pub struct Prompt<'a> {
    /// Its token ids, at least one.
    pub ids: &'a [u32],
    /// The references of its sample.
    pub references: &'a [String],
}

/// What happens on the way.
#[derive(Debug)]
pub enum Event {
    /// So many tokens were read or written.
    Tokens(usize),
    /// So many tokens of an answer need not be written.
    Spared(usize),
    /// A prompt has its answer, or will get none.
    Answered(usize, Result<Answer>),
}

/// Takes note of events; its error ends the run.
pub type Note<'a> = &'a mut dyn FnMut(Event) -> Result<()>;

/// How [`answer_together`] ended.
#[derive(Debug)]
pub enum Ending {
    /// Every prompt was answered.
    Finished,
    /// The stop flag was raised.
    Interrupted,
    /// The engine failed.
    Failed {
        /// Prompts that were being read or answered.
        in_flight: Vec<usize>,
        /// Prompts that had not been begun.
        waiting: Vec<usize>,
        /// What it said.
        error: Error,
    },
}

/// A prompt that has a slot.
struct Walk {
    prompt: usize,
    /// Tokens of the prompt that the slot has read.
    read: usize,
    written: Vec<u32>,
}

impl Walk {
    /// The tokens to go on with, at most `most`.
    fn next<'a>(&'a self, prompts: &[Prompt<'a>], most: usize) -> &'a [u32] {
        match &prompts[self.prompt].ids[self.read..] {
            [] => &self.written[self.written.len().saturating_sub(1)..],
            rest => &rest[..rest.len().min(most)],
        }
    }
}

/// Answers the prompts that `trunk` lists, in its order, a batch of them at a time, in the engine's first slots, and
/// one more where there is a trunk.
///
/// The answers depend neither on the batch nor on the trunk: a slot's result does not depend on
/// other slots, nor on where on the schedule's grid its sequence is cut.
pub fn answer_together(
    engine: &mut dyn Engine,
    prompts: &[Prompt<'_>],
    trunk: &Trunk,
    schedule: Schedule,
    rules: &Rules<'_>,
    stop: &AtomicBool,
    note: Note<'_>,
) -> Result<Ending> {
    let mut waiting: VecDeque<Branch> = trunk.branches.iter().copied().collect();
    let mut walks: Vec<Option<Walk>> = (0..schedule.batch.max(1)).map(|_| None).collect();
    let ids = trunk.prompt.map(|prompt| prompts[prompt].ids).unwrap_or_default();
    let mut trunk = TrunkSlot { slot: walks.len(), ids, read: None };
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(Ending::Interrupted);
        }
        begin(engine, &mut walks, &mut waiting, &trunk);
        if walks.iter().all(Option::is_none) && waiting.is_empty() {
            return Ok(Ending::Finished);
        }
        let walking = walks.iter().flatten().count() + 1;
        let most = schedule.on_grid(engine.tokens_per_call() / walking);
        let called = step(engine, prompts, (&mut walks, &mut trunk), (waiting.front(), most), note);
        let answered = match called? {
            Ok(answered) => answered,
            Err(error) => {
                let in_flight = walks.iter().flatten().map(|walk| walk.prompt).collect();
                let waiting = waiting.iter().map(|branch| branch.prompt).collect();
                return Ok(Ending::Failed { in_flight, waiting, error });
            }
        };
        for slot in answered {
            let Some(walk) = &walks[slot] else { continue };
            let references = prompts[walk.prompt].references;
            if let Some(outcome) = rules.judge(&walk.written, references).transpose() {
                let unused = rules.tokens_to_generate.saturating_sub(walk.written.len());
                note(Event::Spared(unused))?;
                note(Event::Answered(walk.prompt, outcome))?;
                walks[slot] = None;
            }
        }
    }
}

/// The slot that reads the trunk.
struct TrunkSlot<'a> {
    slot: usize,
    ids: &'a [u32],
    /// Tokens read; `None` before the first.
    read: Option<usize>,
}

impl<'a> TrunkSlot<'a> {
    /// The tokens up to the place where the next prompt leaves, at most `most`.
    fn next(&self, leaves: Option<&Branch>, most: usize) -> &'a [u32] {
        let read = self.read.unwrap_or(0);
        let end = leaves.map_or(0, |branch| branch.shared).min(read.saturating_add(most));
        self.ids.get(read..end).unwrap_or_default()
    }
}

/// Gives every free slot the next prompt, as long as the trunk is where that prompt leaves it.
fn begin(
    engine: &mut dyn Engine,
    walks: &mut [Option<Walk>],
    waiting: &mut VecDeque<Branch>,
    trunk: &TrunkSlot<'_>,
) {
    for (slot, walk) in walks.iter_mut().enumerate().filter(|(_, walk)| walk.is_none()) {
        match waiting.front() {
            Some(branch) if branch.shared == 0 => engine.reset(slot),
            Some(branch) if Some(branch.shared) == trunk.read => engine.fork(trunk.slot, slot),
            _ => return,
        }
        *walk = waiting.pop_front().map(|Branch { prompt, shared }| Walk {
            prompt,
            read: shared,
            written: Vec::new(),
        });
    }
}

/// One call of the engine: every slot goes on by at most `most` tokens, the trunk no further than where the next
/// prompt leaves it. Returns the slots that wrote a token; the inner error is the engine's.
fn step(
    engine: &mut dyn Engine,
    prompts: &[Prompt<'_>],
    (walks, trunk): (&mut [Option<Walk>], &mut TrunkSlot<'_>),
    (leaves, most): (Option<&Branch>, usize),
    note: Note<'_>,
) -> Result<Result<Vec<usize>>> {
    let walking = walks.iter().enumerate().filter_map(|(slot, walk)| Some((slot, walk.as_ref()?)));
    let mut batch = Vec::new();
    let tokens = trunk.next(leaves, most);
    if !tokens.is_empty() {
        if trunk.read.is_none() {
            engine.reset(trunk.slot);
        }
        batch.push(Continuation { slot: trunk.slot, tokens });
    }
    batch.extend(
        walking.map(|(slot, walk)| Continuation { slot, tokens: walk.next(prompts, most) }),
    );
    let mut next = vec![0; batch.len()];
    if let Err(error) = engine.forward(&batch, &mut next) {
        return Ok(Err(error));
    }
    let read: Vec<(usize, usize)> = batch.iter().map(|of| (of.slot, of.tokens.len())).collect();
    note(Event::Tokens(read.iter().map(|(_, tokens)| tokens).sum()))?;
    Ok(Ok(advance(prompts, walks, trunk, &read, &next)))
}

/// Takes over what a call read and wrote.
fn advance(
    prompts: &[Prompt<'_>],
    walks: &mut [Option<Walk>],
    trunk: &mut TrunkSlot<'_>,
    read: &[(usize, usize)],
    next: &[u32],
) -> Vec<usize> {
    let mut wrote = Vec::new();
    for (&(slot, tokens), &token) in read.iter().zip(next) {
        let Some(walk) = walks.get_mut(slot).and_then(Option::as_mut) else {
            trunk.read = Some(trunk.read.unwrap_or(0) + tokens);
            continue;
        };
        let length = prompts[walk.prompt].ids.len();
        walk.read = length.min(walk.read + tokens);
        if walk.read == length {
            walk.written.push(token);
            wrote.push(slot);
        }
    }
    wrote
}
