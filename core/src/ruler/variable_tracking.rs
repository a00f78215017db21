//! Variable tracking (`vt`): which variables are assigned a value, through a chain?
//!
//! A worked example is drawn and written once, if the profile's sizes have one; each prompt follows
//! a copy of it. Drawn for a prompt, in this order: as many names as statements (more while two are
//! equal, which the scripts then trip over); the value, from NumPy's generator; with essays, a
//! float for each statement; the positions of the statements; in profile `ruler` new names and a
//! new value for the example.
//! Source: RULER `variable_tracking.py`; docs/ruler.md §5.

use core::fmt::Write;

use super::budget::{Counted, DrawError, Draws, Family, Fit, Request, Target};
use super::corpus::{Essays, PastEnd};
use super::depth;
use super::haystack::NOISE_SENTENCES;
use super::options::{Corpora, Options, Workspace};
use super::profile::Profile;
use super::prompt::{Prompt, Text};
use super::task::Haystack;
use super::template::ModelTemplate;
use super::tracking_example::{Bytes, EXAMPLE_VALUE, Example};
use super::tracking_prompt::{MOST_STATEMENTS, Name, TrackingPrompt};
use crate::error::CapacityError;

/// First and, one past it, last value of a chain.
pub(crate) const VALUES: (u32, u32) = (10_000, 99_999);
/// Sentences of the noise line, and its line feed, which the fork takes apart.
const NOISE_PARTS: usize = NOISE_SENTENCES + 1;
pub(crate) const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The generator.
pub(crate) struct VariableTracking<'a> {
    profile: Profile,
    model: ModelTemplate<'a>,
    haystack: Haystack,
    essays: Option<&'a mut dyn Essays>,
    collapse: bool,
    scratch: &'a mut [u32],
    /// Statements of the chain, of which as many have names and positions.
    statements: usize,
    names: [Name; MOST_STATEMENTS],
    value: u32,
    positions: [u32; MOST_STATEMENTS],
    size: usize,
    example: Example<'a>,
    /// Whether the prompt drawn last is followed by the question of a sample.
    for_sample: bool,
}

impl<'a> VariableTracking<'a> {
    pub(crate) fn new(
        haystack: Haystack,
        options: &Options<'a>,
        corpora: Corpora<'a>,
        workspace: Workspace<'a>,
    ) -> Self {
        let Workspace { example, scratch, .. } = workspace;
        let sizes = options.profile.sizes().tracking;
        Self {
            profile: options.profile,
            model: options.model_template,
            haystack,
            essays: corpora.essays,
            collapse: options.remove_newline_tab,
            scratch,
            statements: sizes.statements.min(MOST_STATEMENTS),
            names: [Name::default(); MOST_STATEMENTS],
            value: 0,
            positions: [0; MOST_STATEMENTS],
            size: 0,
            example: Example::new(example, sizes.example.is_some()),
            for_sample: false,
        }
    }

    /// Whether what is drawn now is the worked example.
    fn is_example(&self) -> bool {
        self.example.due
    }

    /// Keeps the prompt drawn last, with its answer, as the worked example.
    ///
    /// # Errors
    /// The example's buffer is too small.
    pub(crate) fn keep_example(&mut self) -> Result<(), CapacityError> {
        let given = self.example.text.len();
        let text = core::mem::take(&mut self.example.text);
        let mut out = Bytes::new(text);
        let collapsed = self.collapse;
        let written = {
            let prompt = self.prompt();
            let text = Text { prompt, answered: false, collapsed };
            write!(out, "{text}")
                .and_then(|()| prompt.references().try_for_each(|name| write!(out, " {name}")))
        };
        let end = match self.profile {
            Profile::Ruler | Profile::Mini => "\n",
            Profile::Huang2025 => "\n\n",
        };
        let Bytes { buffer, len } = match written.and_then(|()| out.write_str(end)) {
            Ok(()) => out,
            Err(core::fmt::Error) => {
                return Err(CapacityError { what: "vt example", needed: 2 * given + 2, given });
            }
        };
        self.example.keep(buffer, len, self.names);
        Ok(())
    }

    /// The example as it stands in the prompt drawn last.
    pub(crate) fn example(&self) -> &str {
        self.example.renamed()
    }

    /// Its tokens, which the budget adds to those of a prompt without it.
    pub(crate) fn set_example_tokens(&mut self, tokens: usize) {
        self.example.tokens = tokens;
    }

    /// Draws names and value. With equal names the scripts go on to a sixth and fail in a second
    /// chain, after drawing its value too.
    fn draw_chain(&mut self, draws: &mut Draws) -> Result<(), DrawError> {
        let example = self.is_example();
        let mut name = || match example {
            true => Name::new(&draws.random.letters::<3>(LETTERS)),
            false => Name::new(&draws.random.letters::<5>(LETTERS)),
        };
        let statements = self.statements;
        self.names[..statements].fill_with(&mut name);
        let mut seen = [Name::default(); MOST_STATEMENTS];
        let mut distinct = 0;
        let mut total = statements;
        let mut add = |name: Name| {
            if !seen[..distinct].contains(&name) {
                seen[distinct] = name;
                distinct += 1;
            }
            distinct
        };
        let mut known = 0;
        for &name in &self.names[..statements] {
            known = add(name);
        }
        while known < statements {
            known = add(name());
            total += 1;
        }
        for chain in 0..total.div_ceil(statements) {
            let value = if example && self.profile != Profile::Huang2025 {
                EXAMPLE_VALUE
            } else {
                draws.numpy.integer(VALUES.0, VALUES.1)
            };
            if chain == 0 {
                self.value = value;
            }
        }
        if total > statements { Err(DrawError::Unlucky) } else { Ok(()) }
    }

    fn draw_positions(&mut self, draws: &mut Draws) -> Result<(), DrawError> {
        let statements = self.statements;
        if self.haystack == Haystack::Essay {
            // A float orders each statement of several chains; one chain keeps its order.
            for _ in 0..statements {
                draws.random.random();
            }
            let sentences = match &mut self.essays {
                Some(essays) => essays.sentences(self.size, PastEnd::Stop).spans.len(),
                None => 0,
            };
            let positions = &mut self.positions[..statements];
            return Ok(depth::among_sentences(positions, sentences, None, &mut draws.random)?);
        }
        let lines = lines(self.profile, self.size);
        if lines < statements {
            return Err(DrawError::TooSmall);
        }
        let positions = &mut self.positions[..statements];
        Ok(depth::among_lines(positions, lines, None, &mut draws.random, self.scratch)?)
    }
}

/// Lines that statements go between: the fork takes lines apart into sentences where there are
/// not more lines than statements.
pub(crate) fn lines(profile: Profile, size: usize) -> usize {
    if profile == Profile::Huang2025 && size <= MOST_STATEMENTS { size * NOISE_PARTS } else { size }
}

impl Family for VariableTracking<'_> {
    fn draw(&mut self, draws: &mut Draws, request: Request) -> Result<(), DrawError> {
        self.size = request.size;
        self.for_sample = request.target != Target::Search;
        self.draw_chain(draws)?;
        self.draw_positions(draws)?;
        if self.for_sample && self.profile != Profile::Huang2025 && self.example.is_written() {
            self.example.rename(self.statements, draws);
        }
        Ok(())
    }

    fn prompt(&mut self) -> Prompt<'_> {
        let essay = self.haystack == Haystack::Essay;
        let shown = self.example.is_written() && self.for_sample;
        let haystack = match &mut self.essays {
            Some(essays) if essay => Some(essays.sentences(self.size, PastEnd::Stop)),
            _ => None,
        };
        Prompt::VariableTracking(TrackingPrompt {
            profile: self.profile,
            model: self.model,
            statements: self.statements,
            names: self.names,
            value: self.value,
            positions: self.positions,
            size: self.size,
            essay: haystack,
            example: shown.then(|| self.example.renamed()),
            is_example: self.example.due,
        })
    }

    fn counted(&mut self, target: Target) -> Counted<'_> {
        let (profile, collapse, example) = (self.profile, self.collapse, self.is_example());
        let tokens = if example { 0 } else { self.example.tokens };
        let search = target == Target::Search;
        let mut text = Text::counted(self.prompt(), profile, target);
        if profile == Profile::Huang2025 {
            text.prompt = text.prompt.without_example();
            return Counted { text, extra: tokens };
        }
        text.collapsed = collapse && !search;
        Counted { text, extra: if search { tokens } else { 0 } }
    }

    fn floor(&self, _: Target, _: Fit) -> usize {
        match (self.haystack, self.profile) {
            (Haystack::Essay, _) | (_, Profile::Huang2025) => 1,
            (_, Profile::Ruler | Profile::Mini) => self.statements,
        }
    }
}
