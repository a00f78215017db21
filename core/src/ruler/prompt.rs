//! A drawn prompt as text: what is written, what is counted, and the references.

use core::fmt::{self, Write};

use super::budget::Target;
use super::needle::Shown;
use super::niah::NiahPrompt;
use super::profile::Profile;

/// A prompt of any family, borrowed from its generator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prompt<'d> {
    Niah(NiahPrompt<'d>),
}

impl fmt::Display for Prompt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Niah(prompt) => prompt.fmt(f),
        }
    }
}

impl<'d> Prompt<'d> {
    pub(crate) fn references(self) -> impl Iterator<Item = Reference<'d>> {
        (0..).map_while(move |index| self.answer(index)).map(Reference)
    }

    fn answer(&self, index: usize) -> Option<Answer<'d>> {
        match self {
            Self::Niah(prompt) => prompt.reference(index).map(Answer::Needle),
        }
    }

    /// Depth of needle `index` in the order of the text.
    pub(crate) fn depth(&self, index: usize) -> Option<f64> {
        match self {
            Self::Niah(prompt) => prompt.depth(index),
        }
    }

    /// The answer as the fork's search for the size appends it to the prompt.
    fn write_answer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, reference) in self.references().enumerate() {
            match self {
                Self::Niah(_) if i == 0 => write!(f, "{reference}")?,
                Self::Niah(_) => write!(f, " {reference}")?,
            }
        }
        Ok(())
    }
}

/// A text that a model should answer with.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'d>(Answer<'d>);

/// What a reference is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'d> {
    Needle(Shown<'d>),
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Answer::Needle(value) => value.fmt(f),
        }
    }
}

/// A prompt with what is done to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'d> {
    pub(crate) prompt: Prompt<'d>,
    /// The answer follows, as the fork's search has it.
    pub(crate) answered: bool,
    /// White space is collapsed.
    pub(crate) collapsed: bool,
}

impl<'d> Text<'d> {
    pub(crate) fn counted(prompt: Prompt<'d>, profile: Profile, target: Target) -> Self {
        let answered = profile == Profile::Huang2025 && target == Target::Search;
        Self { prompt, answered, collapsed: false }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.collapsed {
            return write!(Collapse::new(f), "{}", self.prompt);
        }
        self.prompt.fmt(f)?;
        if self.answered { self.prompt.write_answer(f) } else { Ok(()) }
    }
}

/// Passes words on, joined by single spaces: Python's `' '.join(text.split())`.
pub(crate) struct Collapse<'w, 'f> {
    out: &'w mut fmt::Formatter<'f>,
    written: bool,
    gap: bool,
}

impl<'w, 'f> Collapse<'w, 'f> {
    pub(crate) fn new(out: &'w mut fmt::Formatter<'f>) -> Self {
        Self { out, written: false, gap: false }
    }

    fn word(&mut self, word: &str) -> fmt::Result {
        if self.gap && self.written {
            self.out.write_str(" ")?;
        }
        (self.gap, self.written) = (false, true);
        self.out.write_str(word)
    }
}

impl Write for Collapse<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while !rest.is_empty() {
            let words = rest.trim_start_matches(is_space);
            self.gap |= words.len() < rest.len();
            let end = words.find(is_space).unwrap_or(words.len());
            if end > 0 {
                self.word(&words[..end])?;
            }
            rest = &words[end..];
        }
        Ok(())
    }
}

/// White space to Python's `str.split`: Unicode's, and the four separators of ASCII.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
