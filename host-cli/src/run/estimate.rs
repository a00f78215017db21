//! What a run will do, and how much of it, in a few lines.

use std::fmt;

use indicatif::{HumanBytes, HumanCount};

use super::{cell::Schedule, check::Check};
use crate::{engine::memory::Memory, plan::Plan, tokenizer::Tokenizer};

/// A plan and what is left to do of it. Displays as lines for a reader.
#[derive(Clone, Copy, Debug)]
pub struct Estimate<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is left to do.
    pub check: &'a Check,
    /// The tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// How it is done.
    pub schedule: Schedule,
    /// Memory of the model.
    pub memory: Memory,
}

impl fmt::Display for Estimate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, check, memory, .. } = self;
        let checkpoint = &plan.checkpoint;
        let count = |number: usize| HumanCount(number as u64);
        let parameters = HumanCount(checkpoint.parameters);
        let (backend, precision) = (&plan.backend, &plan.precision);
        let family = &checkpoint.family;
        writeln!(
            f,
            "model      {family}, {parameters} parameters; {backend} backend, {precision}"
        )?;
        if !plan.quirks.is_empty() {
            writeln!(f, "quirks     {}", plan.quirks.join(", "))?;
        }
        self.tokenizer(f)?;
        let (tasks, lengths) = (plan.tasks.len(), plan.lengths.len());
        let all = count(tasks * lengths * plan.samples);
        let each = plan.samples;
        write!(f, "samples    {all}: tasks {tasks} × lengths {lengths} × {each}")?;
        match check.finished {
            0 => writeln!(f)?,
            finished => writeln!(f, "; {} are there already", count(finished))?,
        }
        let read = count(check.prompt_tokens() - check.saved());
        write!(f, "tokens     {read} to read")?;
        match check.saved() {
            0 => {}
            saved => write!(f, " ({} more are in shared prefixes)", count(saved))?,
        }
        writeln!(f, ", at most {} to write", count(check.answer_tokens()))?;
        let slots = self.schedule.slots();
        let (longest, slot) = (count(check.longest()), HumanBytes(memory.slot()));
        let Memory { program, weights, buffers, .. } = *memory;
        let [total, weights, buffers, program] =
            [memory.total(slots), weights, buffers, program].map(HumanBytes);
        writeln!(
            f,
            "memory     {total} at most: weights {weights}, {slots} × {slot} for {longest} tokens,"
        )?;
        writeln!(f, "           {buffers} to work in, {program} for the program itself")?;
        check.first.as_ref().map_or(Ok(()), |first| first.fmt(f))
    }
}

impl Estimate<'_> {
    fn tokenizer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = HumanCount(self.plan.tokenizer.vocabulary as u64);
        let template = &self.plan.template.name;
        write!(f, "tokenizer  {ids} ids; template {template}; ")?;
        match self.tokenizer.bos() {
            None => write!(f, "no BOS")?,
            Some(bos) => write!(f, "BOS {} ({}), says {}", bos.token, bos.id, bos.source)?,
        }
        match self.plan.end_of_text.as_slice() {
            [] => writeln!(f, "; no token ends a text"),
            ids => writeln!(f, "; ids that end a text: {ids:?}"),
        }
    }
}
