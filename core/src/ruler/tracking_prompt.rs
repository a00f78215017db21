//! The text of a `vt` prompt; what is drawn for it is in [`super::variable_tracking`].

use core::fmt::{self, Formatter, Write};

use super::corpus::Sentences;
use super::frequent_words::write_ascii;
use super::haystack::{NOISE, NOISE_SENTENCES, write_essay, write_lines, write_noise};
use super::profile::Profile;
use super::prompt::{Collapse, is_space};
use super::template::{self, ModelTemplate, TaskText, variable_tracking};
use super::variable_tracking::lines;

/// Most statements of a chain: RULER's first assignment and four hops.
pub(crate) const MOST_STATEMENTS: usize = 5;

/// A variable's name: five letters, three in the worked example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    letters: [u8; 5],
    len: u8,
}

impl Name {
    pub(crate) fn new(name: &[u8]) -> Self {
        let mut letters = [0; 5];
        letters[..name.len()].copy_from_slice(name);
        Self { letters, len: name.len() as u8 }
    }

    pub(crate) fn letters(&self) -> &[u8] {
        &self.letters[..usize::from(self.len)]
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_ascii(f, self.letters())
    }
}

/// A drawn `vt` prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrackingPrompt<'d> {
    pub(crate) profile: Profile,
    pub(crate) model: ModelTemplate<'d>,
    /// Statements of the chain: names and positions beyond are void.
    pub(crate) statements: usize,
    pub(crate) names: [Name; MOST_STATEMENTS],
    pub(crate) value: u32,
    /// Lines or sentences before which statements go, ascending.
    pub(crate) positions: [u32; MOST_STATEMENTS],
    pub(crate) size: usize,
    /// The essay haystack; else the haystack is noise.
    pub(crate) essay: Option<Sentences<'d>>,
    /// The worked example that goes before the task.
    pub(crate) example: Option<&'d str>,
    /// Whether this prompt is itself the worked example.
    pub(crate) is_example: bool,
}

impl TrackingPrompt<'_> {
    fn positions(&self) -> &[u32] {
        &self.positions[..self.statements]
    }

    /// Name `index` of the chain.
    pub(crate) fn reference(&self, index: usize) -> Option<Name> {
        self.names[..self.statements].get(index).copied()
    }

    /// Where statement `index` went, as a fraction of the haystack.
    pub(crate) fn depth(&self, index: usize) -> Option<f64> {
        let whole = match self.essay {
            Some(sentences) => sentences.spans.len(),
            None => lines(self.profile, self.size),
        };
        self.positions().get(index).map(|&at| f64::from(at) / whole.max(1) as f64)
    }

    /// `VAR A = 12345` or `VAR B = VAR A`.
    fn write_statement(&self, f: &mut Formatter<'_>, index: usize) -> fmt::Result {
        match index {
            0 => write!(f, "VAR {} = {}", self.names[0], self.value),
            _ => write!(f, "VAR {} = VAR {}", self.names[index], self.names[index - 1]),
        }
    }

    /// A statement as it stands among lines: all but the first end in a space.
    fn write_line(&self, f: &mut Formatter<'_>, index: usize) -> fmt::Result {
        self.write_statement(f, index)?;
        f.write_str(if index > 0 { " " } else { "" })
    }

    fn write_context(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(sentences) = self.essay {
            return write_essay(f, sentences, self.positions(), &mut |f, index| {
                self.write_statement(f, index)?;
                f.write_str(".")
            });
        }
        match self.profile {
            Profile::Ruler | Profile::Mini => {
                let sizes = self.profile.sizes();
                let noise = &mut |f: &mut Formatter<'_>, i| write_noise(f, sizes.noise, i);
                let statement = &mut |f: &mut Formatter<'_>, index| self.write_line(f, index);
                write_lines(f, self.size, self.positions(), noise, statement)
            }
            Profile::Huang2025 => self.write_spaced(f),
        }
    }

    /// The fork's noise: lines that end in a line feed, or their sentences and the line feed, with
    /// a space between any two parts; a space between a period and a line feed goes.
    fn write_spaced(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let whole = self.size > MOST_STATEMENTS;
        let parts = if whole { 1 } else { NOISE_SENTENCES + 1 };
        let mut gap = "";
        let mut inserted = 0;
        for i in 0..self.size * parts {
            while self.positions().get(inserted).is_some_and(|&at| at as usize == i) {
                f.write_str(gap)?;
                self.write_line(f, inserted)?;
                inserted += 1;
                gap = " ";
            }
            let part = NOISE.split_inclusive('.').nth(i % parts);
            match part {
                _ if whole => writeln!(f, "{gap}{NOISE}")?,
                Some(sentence) => write!(f, "{gap}{sentence}")?,
                None if self.positions()[..inserted].last() == Some(&(i as u32)) => {
                    writeln!(f, "{gap}")?;
                }
                None => f.write_str("\n")?,
            }
            gap = " ";
        }
        Ok(())
    }

    fn write_fields(&self, f: &mut Formatter<'_>, name: &str) -> fmt::Result {
        match name {
            "context" => self.write_context(f),
            "query" => write!(f, "{}", self.value),
            _ => write!(f, "{}", self.statements),
        }
    }

    /// The fork's example: the words of the task and of what a model's template has after it,
    /// without the last word.
    fn write_fork_example(&self, f: &mut Formatter<'_>, text: TaskText) -> fmt::Result {
        let (task, after) = without_last_word(text.task, self.model.after);
        let mut words = Collapse::new(f);
        let mut rest = task;
        while let Some((before, (name, next))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            words.write_str(before)?;
            words.whole(|f| self.write_fields(f, name))?;
            rest = next;
        }
        words.write_str(rest)?;
        words.write_str(after)?;
        let fields = &mut |f: &mut Formatter<'_>, name: &str| self.write_fields(f, name);
        template::write_fields(f, text.answer_prefix, &mut |f, text| f.write_str(text), fields)
    }
}

/// `task` and `after`, as one text, up to its last word.
fn without_last_word<'t>(task: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let trimmed = after.trim_end_matches(is_space);
    if let Some(at) = trimmed.rfind(is_space) {
        return (task, &trimmed[..at]);
    }
    let task = if trimmed.is_empty() { task.trim_end_matches(is_space) } else { task };
    (task.rfind(is_space).map_or("", |at| &task[..at]), "")
}

impl fmt::Display for TrackingPrompt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = variable_tracking(self.profile);
        let fields = &mut |f: &mut Formatter<'_>, name: &str| self.write_fields(f, name);
        if self.is_example {
            return match self.profile {
                Profile::Ruler | Profile::Mini => {
                    template::write_prompt(f, ModelTemplate::default(), text, fields)
                }
                Profile::Huang2025 => self.write_fork_example(f, text),
            };
        }
        f.write_str(self.model.before)?;
        match (self.example, self.profile) {
            (None, _) => {}
            (Some(example), Profile::Ruler | Profile::Mini) => writeln!(f, "{example}")?,
            (Some(example), Profile::Huang2025) => write!(f, " {example}\n\n")?,
        }
        let model = ModelTemplate { before: "", ..self.model };
        template::write_prompt(f, model, text, fields)
    }
}
