//! Variable tracking (`vt`): which variables are assigned a value, through a chain?
//!
//! A worked example of at most 500 tokens is drawn and written once, if the profile's sizes have
//! one; each prompt follows a copy of it. Drawn for a prompt, in this order: five names (or as many
//! as the sizes say; more while two are equal, which the scripts then trip over); the value, from NumPy's generator; with essays, five floats; the positions of
//! the statements; in profile `ruler` new names and a new value for the example.
//! Source: RULER `variable_tracking.py`; docs/ruler.md §5.

use core::fmt::{self, Write};

use super::budget::{Counted, DrawError, Draws, Family, Fit, Request, Target};
use super::corpus::{Essays, PastEnd};
use super::depth;
use super::haystack::NOISE_SENTENCES;
use super::options::{Corpora, Options, Workspace};
use super::profile::Profile;
use super::prompt::{Prompt, Text};
use super::task::Haystack;
use super::template::ModelTemplate;
use super::tracking_prompt::{MOST_STATEMENTS, Name, TrackingPrompt};
use crate::error::CapacityError;

/// First and, one past it, last value of a chain.
const VALUES: (u32, u32) = (10_000, 99_999);
/// The example's value in profile `ruler`, before it is replaced.
const EXAMPLE_VALUE: u32 = 12_345;
/// Sentences of the noise line, and its line feed, which the fork takes apart.
const NOISE_PARTS: usize = NOISE_SENTENCES + 1;
const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

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

/// The worked example.
struct Example<'a> {
    /// Whether it is still to be written.
    due: bool,
    names: [Name; MOST_STATEMENTS],
    tokens: usize,
    /// The text as drawn, and with new names.
    text: &'a mut [u8],
    renamed: &'a mut [u8],
    len: usize,
}

impl<'a> VariableTracking<'a> {
    pub(crate) fn new(
        haystack: Haystack,
        options: &Options<'a>,
        corpora: Corpora<'a>,
        workspace: Workspace<'a>,
    ) -> Self {
        let Workspace { example, scratch, .. } = workspace;
        let (text, renamed) = example.split_at_mut(example.len() / 2);
        let names = [Name::default(); MOST_STATEMENTS];
        let sizes = options.profile.sizes().tracking;
        Self {
            profile: options.profile,
            model: options.model_template,
            haystack,
            essays: corpora.essays,
            collapse: options.remove_newline_tab,
            scratch,
            statements: sizes.statements.min(MOST_STATEMENTS),
            names,
            value: 0,
            positions: [0; MOST_STATEMENTS],
            size: 0,
            example: Example {
                due: sizes.example.is_some(),
                names,
                tokens: 0,
                text,
                renamed,
                len: 0,
            },
            for_sample: false,
        }
    }

    /// Whether what is drawn now is the worked example.
    fn is_example(&self) -> bool {
        self.example.due
    }

    /// Whether there is a worked example, and it is written.
    fn has_example(&self) -> bool {
        self.example.len > 0
    }

    /// Keeps the prompt drawn last, with its answer, as the worked example.
    ///
    /// # Errors
    /// The example's buffer is too small.
    pub(crate) fn keep_example(&mut self) -> Result<(), CapacityError> {
        let given = self.example.text.len();
        let text = core::mem::take(&mut self.example.text);
        let mut out = Bytes { buffer: text, len: 0 };
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
            Err(fmt::Error) => {
                return Err(CapacityError { what: "vt example", needed: 2 * given + 2, given });
            }
        };
        let Example { renamed, names, .. } = &mut self.example;
        renamed[..len].copy_from_slice(&buffer[..len]);
        *names = self.names;
        (self.example.text, self.example.len, self.example.due) = (buffer, len, false);
        Ok(())
    }

    /// The example as it stands in the prompt drawn last.
    pub(crate) fn example(&self) -> &str {
        core::str::from_utf8(&self.example.renamed[..self.example.len]).unwrap_or_default()
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

    /// Gives the example new names and a new value, one replacement after the other: a new name
    /// that equals an old one still to come is replaced again.
    fn rename_example(&mut self, draws: &mut Draws) {
        let Example { names, text, renamed, len, .. } = &mut self.example;
        let (text, renamed) = (&text[..*len], &mut renamed[..*len]);
        renamed.copy_from_slice(text);
        for old in &names[..self.statements] {
            replace(renamed, old.letters(), &draws.random.letters::<3>(LETTERS));
        }
        let mut digits = [0; 5];
        let mut value = draws.numpy.integer(VALUES.0, VALUES.1);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
        replace(renamed, b"12345", &digits);
    }
}

/// Lines that statements go between: the fork takes lines apart into sentences where there are
/// not more lines than statements.
pub(crate) fn lines(profile: Profile, size: usize) -> usize {
    if profile == Profile::Huang2025 && size <= MOST_STATEMENTS { size * NOISE_PARTS } else { size }
}

/// Replaces `old` by `new`, which is as long, wherever it occurs.
fn replace(text: &mut [u8], old: &[u8], new: &[u8]) {
    let mut at = 0;
    while at + old.len() <= text.len() {
        if text[at..].starts_with(old) {
            text[at..at + old.len()].copy_from_slice(new);
            at += old.len();
        } else {
            at += 1;
        }
    }
}

/// Text written into a buffer.
struct Bytes<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.buffer.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Family for VariableTracking<'_> {
    fn draw(&mut self, draws: &mut Draws, request: Request) -> Result<(), DrawError> {
        self.size = request.size;
        self.for_sample = request.target != Target::Search;
        self.draw_chain(draws)?;
        self.draw_positions(draws)?;
        if self.for_sample && self.profile != Profile::Huang2025 && self.has_example() {
            self.rename_example(draws);
        }
        Ok(())
    }

    fn prompt(&mut self) -> Prompt<'_> {
        let essay = self.haystack == Haystack::Essay;
        let example = &self.example.renamed[..self.example.len];
        let shown = self.has_example() && self.for_sample;
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
            // Letters and digits replaced by as many keep the text UTF-8.
            example: shown.then(|| core::str::from_utf8(example).unwrap_or_default()),
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
