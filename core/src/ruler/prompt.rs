//! A drawn prompt as text: what is written, what is counted, and the references.

use core::fmt::{self, Write};

use super::budget::Target;
use super::common_words::CommonWordsPrompt;
use super::frequent_words::{FrequentWordsPrompt, write_ascii};
use super::needle::Shown;
use super::niah::NiahPrompt;
use super::profile::Profile;
use super::question_answering::QuestionAnsweringPrompt;
use super::repr;
use super::tracking_prompt::{Name, TrackingPrompt};

/// A prompt of any family, borrowed from its generator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prompt<'d> {
    Niah(NiahPrompt<'d>),
    VariableTracking(TrackingPrompt<'d>),
    CommonWords(CommonWordsPrompt<'d>),
    FrequentWords(FrequentWordsPrompt<'d>),
    QuestionAnswering(QuestionAnsweringPrompt<'d>),
}

impl fmt::Display for Prompt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Niah(prompt) => prompt.fmt(f),
            Self::VariableTracking(prompt) => prompt.fmt(f),
            Self::CommonWords(prompt) => prompt.fmt(f),
            Self::FrequentWords(prompt) => prompt.fmt(f),
            Self::QuestionAnswering(prompt) => prompt.fmt(f),
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
            Self::VariableTracking(prompt) => prompt.reference(index).map(Answer::Name),
            Self::CommonWords(prompt) => prompt.reference(index).map(Answer::Text),
            Self::FrequentWords(prompt) => prompt.reference(index).map(Answer::Letters),
            Self::QuestionAnswering(prompt) => prompt.reference(index).map(Answer::Text),
        }
    }

    /// Depth of needle `index` in the order of the text.
    pub(crate) fn depth(&self, index: usize) -> Option<f64> {
        match self {
            Self::Niah(prompt) => prompt.depth(index),
            Self::VariableTracking(prompt) => prompt.depth(index),
            _ => None,
        }
    }

    /// The prompt as it is without `vt`'s worked example.
    pub(crate) fn without_example(self) -> Self {
        match self {
            Self::VariableTracking(prompt) => {
                Self::VariableTracking(TrackingPrompt { example: None, ..prompt })
            }
            other => other,
        }
    }

    /// The answer as the fork's search for the size appends it to the prompt.
    fn write_answer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Niah(_) | Self::FrequentWords(_) => {
                self.references().enumerate().try_for_each(|(i, reference)| {
                    write!(f, "{}{reference}", if i > 0 { " " } else { "" })
                })
            }
            Self::CommonWords(prompt) => {
                f.write_str(" ")?;
                prompt.write_answer(f)
            }
            Self::VariableTracking(_) | Self::QuestionAnswering(_) => {
                f.write_str(" ")?;
                repr::write_list(f, self.references())
            }
        }
    }
}

/// A text that a model should answer with.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'d>(Answer<'d>);

/// What a reference is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'d> {
    Needle(Shown<'d>),
    Name(Name),
    Letters(&'d [u8]),
    Text(&'d str),
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Answer::Needle(value) => value.fmt(f),
            Answer::Name(name) => name.fmt(f),
            Answer::Letters(letters) => write_ascii(f, letters),
            Answer::Text(text) => f.write_str(text),
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

    /// Writes as part of a word what `write` writes, spaces and all.
    pub(crate) fn whole(
        &mut self,
        write: impl FnOnce(&mut fmt::Formatter<'f>) -> fmt::Result,
    ) -> fmt::Result {
        if self.gap && self.written {
            self.out.write_str(" ")?;
        }
        (self.gap, self.written) = (false, true);
        write(self.out)
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
                self.whole(|out| out.write_str(&words[..end]))?;
            }
            rest = &words[end..];
        }
        Ok(())
    }
}

/// White space to Python's `str.split`: Unicode's, and the four separators of ASCII.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
