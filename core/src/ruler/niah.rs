//! Needles in a haystack (`niah_*`).
//!
//! Drawn for a prompt, in this order: for each key the key, then its values; the lines of a
//! `Needles` haystack (key, value, key, value, …); the depths or line numbers; the keys asked for.
//! The order of the needles comes from a private generator with the run's seed, so it is the same
//! in every prompt. Source: RULER `niah.py`; docs/ruler.md §3.

use core::fmt::{self, Formatter};

use super::budget::{Counted, DrawError, Draws, Family, Fit, Request, Target};
use super::corpus::{Essays, PastEnd, Sentences};
use super::depth;
use super::haystack::{write_essay, write_lines, write_noise};
use super::needle::{Needle, Shown, Value, write_needle};
use super::options::{Corpora, Options, Workspace};
use super::profile::Profile;
use super::prompt::{Prompt, Text};
use super::sizes::Noise;
use super::task::{Haystack, NeedleTask};
use super::template::{self, ModelTemplate};
use super::words::PairIndex;
use crate::error::CapacityError;

/// Most needles in one prompt.
pub const MAX_NEEDLES: usize = 8;

/// The generator.
pub(crate) struct Niah<'a> {
    task: NeedleTask,
    model: ModelTemplate<'a>,
    pairs: PairIndex<'a>,
    essays: Option<&'a mut dyn Essays>,
    profile: Profile,
    /// Lines of a `Needles` haystack.
    lines: &'a mut [Needle],
    scratch: &'a mut [u32],
    drawn: Drawn,
}

/// What was drawn for a prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    /// Needles by key, then by value.
    needles: [Needle; MAX_NEEDLES],
    /// Which needle goes to which of `positions`.
    order: [u8; MAX_NEEDLES],
    /// Sentences or lines before which needles go, ascending.
    positions: [u32; MAX_NEEDLES],
    /// Keys asked for.
    queries: [u32; MAX_NEEDLES],
    /// Words or lines of the haystack.
    size: usize,
}

impl<'a> Niah<'a> {
    pub(crate) fn new(
        task: NeedleTask,
        options: &Options<'a>,
        corpora: Corpora<'a>,
        workspace: Workspace<'a>,
    ) -> Result<Self, CapacityError> {
        let needed = task.needles().max(task.queries);
        if needed > MAX_NEEDLES {
            return Err(CapacityError { what: "needles", needed, given: MAX_NEEDLES });
        }
        let drawn = Drawn {
            needles: [Needle::default(); MAX_NEEDLES],
            order: [0; MAX_NEEDLES],
            positions: [0; MAX_NEEDLES],
            queries: [0; MAX_NEEDLES],
            size: 0,
        };
        let Corpora { pairs, essays, .. } = corpora;
        let Workspace { needles: lines, scratch, .. } = workspace;
        let (profile, model) = (options.profile, options.model_template);
        Ok(Self { task, model, pairs, essays, profile, lines, scratch, drawn })
    }

    fn draw_needle(&self, draws: &mut Draws) -> Needle {
        let key = self.task.key.draw(&mut draws.random, &self.pairs);
        let value = self.task.value.draw(&mut draws.random, &self.pairs);
        Needle { key, value }
    }
}

/// Sentences of the first `size` words.
fn sentences<'d>(
    essays: &'d mut Option<&mut dyn Essays>,
    size: usize,
    profile: Profile,
) -> Sentences<'d> {
    let past_end = match profile {
        Profile::Ruler | Profile::Mini => PastEnd::Repeat,
        Profile::Huang2025 => PastEnd::Stop,
    };
    match essays {
        Some(essays) => essays.sentences(size, past_end),
        None => Sentences { text: "", spans: &[] },
    }
}

impl Family for Niah<'_> {
    fn draw(&mut self, draws: &mut Draws, request: Request) -> Result<(), DrawError> {
        let size = request.size;
        let task = self.task;
        let count = task.needles();
        self.drawn.size = size;
        for key_index in 0..task.keys {
            let key = task.key.draw(&mut draws.random, &self.pairs);
            for value_index in 0..task.values {
                let value = task.value.draw(&mut draws.random, &self.pairs);
                let at = key_index * task.values + value_index;
                self.drawn.needles[at] = Needle { key, value };
                self.drawn.order[at] = at as u8;
            }
        }
        draws.private().shuffle(&mut self.drawn.order[..count]);
        if task.haystack == Haystack::Essay {
            let sentences = sentences(&mut self.essays, size, self.profile).spans.len();
            let positions = &mut self.drawn.positions[..count];
            depth::among_sentences(positions, sentences, task.depth, &mut draws.random)?;
        } else {
            if task.haystack == Haystack::Needles {
                let given = self.lines.len();
                if size > given {
                    let what = "needles of the haystack";
                    return Err(CapacityError { what, needed: size, given }.into());
                }
                for line in 0..size {
                    self.lines[line] = self.draw_needle(draws);
                }
            }
            if size < count {
                return Err(DrawError::TooSmall);
            }
            let positions = &mut self.drawn.positions[..count];
            depth::among_lines(positions, size, task.depth, &mut draws.random, self.scratch)?;
            // The scripts insert from the end, so that the first needle goes last.
            self.drawn.order[..count].reverse();
        }
        let mut scratch = [0; MAX_NEEDLES];
        let queries = &mut self.drawn.queries[..task.queries];
        draws.random.sample(task.keys, queries, &mut scratch)?;
        Ok(())
    }

    fn prompt(&mut self) -> Prompt<'_> {
        let drawn = &self.drawn;
        let hay = match self.task.haystack {
            Haystack::Noise => Hay::Noise(self.profile.sizes().noise),
            Haystack::Needles => Hay::Needles(&self.lines[..drawn.size]),
            Haystack::Essay => Hay::Essay(sentences(&mut self.essays, drawn.size, self.profile)),
        };
        let (task, model, pairs) = (self.task, self.model, self.pairs);
        Prompt::Niah(NiahPrompt { task, model, pairs, drawn, hay })
    }

    fn counted(&mut self, target: Target) -> Counted<'_> {
        let profile = self.profile;
        Counted { text: Text::counted(self.prompt(), profile, target), extra: 0 }
    }

    fn floor(&self, _: Target, _: Fit) -> usize {
        if self.task.haystack == Haystack::Essay { 1 } else { self.task.needles() }
    }
}

#[derive(Clone, Copy, Debug)]
enum Hay<'d> {
    Noise(Noise),
    Needles(&'d [Needle]),
    Essay(Sentences<'d>),
}

/// A drawn needle prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NiahPrompt<'d> {
    task: NeedleTask,
    model: ModelTemplate<'d>,
    pairs: PairIndex<'d>,
    drawn: &'d Drawn,
    hay: Hay<'d>,
}

impl<'d> NiahPrompt<'d> {
    fn shown(&self, value: Value) -> Shown<'d> {
        Shown { value, pairs: self.pairs }
    }

    /// Values of the keys asked for, in the order asked.
    pub(crate) fn reference(&self, index: usize) -> Option<Shown<'d>> {
        let (query, value) = (index / self.task.values, index % self.task.values);
        let key = *self.drawn.queries[..self.task.queries].get(query)?;
        let needle = self.drawn.needles[key as usize * self.task.values + value];
        Some(self.shown(needle.value))
    }

    /// Where needle `index` of the text went, as a fraction of the haystack.
    pub(crate) fn depth(&self, index: usize) -> Option<f64> {
        let at = *self.drawn.positions[..self.task.needles()].get(index)?;
        let whole = match self.hay {
            Hay::Essay(sentences) => sentences.spans.len(),
            Hay::Noise(_) | Hay::Needles(_) => self.drawn.size,
        };
        Some(f64::from(at) / whole.max(1) as f64)
    }

    fn write_context(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (kind, pairs) = (self.task.value, self.pairs);
        let positions = &self.drawn.positions[..self.task.needles()];
        let insert = &mut |f: &mut Formatter<'_>, i: usize| {
            let needle = self.drawn.needles[usize::from(self.drawn.order[i])];
            write_needle(f, needle, kind, pairs)
        };
        let size = self.drawn.size;
        match self.hay {
            Hay::Essay(sentences) => write_essay(f, sentences, positions, insert),
            Hay::Noise(noise) => {
                write_lines(f, size, positions, &mut |f, i| write_noise(f, noise, i), insert)
            }
            Hay::Needles(lines) => {
                let line =
                    &mut |f: &mut Formatter<'_>, i: usize| write_needle(f, lines[i], kind, pairs);
                write_lines(f, size, positions, line, insert)
            }
        }
    }

    /// `a`, or `a, b, c, and d`.
    fn write_queries(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = self.task.queries;
        for (i, &key) in self.drawn.queries[..count].iter().enumerate() {
            if i > 0 {
                f.write_str(if i + 1 == count { ", and " } else { ", " })?;
            }
            let needle = self.drawn.needles[key as usize * self.task.values];
            write!(f, "{}", self.shown(needle.key))?;
        }
        Ok(())
    }
}

impl fmt::Display for NiahPrompt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let singular = self.task.queries * self.task.values == 1;
        let kind = self.task.value;
        let fields = &mut |f: &mut Formatter<'_>, name: &str| match name {
            "context" => self.write_context(f),
            "query" => self.write_queries(f),
            _ => f.write_str(if singular { kind.singular() } else { kind.plural() }),
        };
        if singular {
            template::write_prompt_singular(f, self.model, template::NEEDLE, fields)
        } else {
            template::write_prompt(f, self.model, template::NEEDLE, fields)
        }
    }
}
