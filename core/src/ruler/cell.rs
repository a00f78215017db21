//! How a task is fitted to a length: budgets, steps and methods of both scripts (docs/ruler.md §2).

use super::budget::Fit;
use super::options::Options;
use super::profile::Profile;
use super::sizes::TrackingExample;
use super::task::{Haystack, NeedleTask, Recipe, Task};

/// What a family is fitted to, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) task: &'static str,
    /// The length asked for.
    pub(crate) max_seq_length: usize,
    /// Tokens that prompt and answer may take.
    pub(crate) max: usize,
    /// Tokens left for the answer.
    pub(crate) tokens_to_generate: usize,
    pub(crate) fit: Fit,
    /// By how much the haystack shrinks after a try that is too long; the smallest haystack of
    /// the search.
    pub(crate) step: usize,
    pub(crate) method: Method,
    /// Whether a sample's tries keep the size that the search found (the fork's `vt`).
    pub(crate) pinned: bool,
}

/// How the size is searched for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Method {
    /// Bisection between one step and an estimate from a first prompt of `probe`.
    Bisect { probe: usize, estimate: Estimate },
    /// One step more until the prompt with its answer is too long, up to `most`.
    StepUp { most: Most },
}

/// The upper end of the bisection, from the tokens that each word, line or document takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Estimate {
    /// Three times what should fit.
    Triple,
    /// Twice what should fit, rounded down first (`cwe`).
    FlooredDouble,
}

/// Where the fork's stepping ends though the prompt still fits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Most {
    /// Nowhere.
    Any,
    /// A size past this was tried: this is taken (essays).
    Tried(usize),
    /// The next size would be past this: this is taken (words, documents).
    Next(usize),
}

impl Cell {
    /// The cell of a task; `most` is where the fork's stepping ends ([`Most`]).
    pub(crate) fn new(task: &Task, options: &Options<'_>, most: usize) -> Self {
        let sizes = options.profile.sizes();
        let step = step(task, options);
        let method = match options.profile {
            Profile::Ruler | Profile::Mini => {
                let other = sizes.probe.other.unwrap_or(step);
                let (probe, estimate) = match task.recipe {
                    Recipe::CommonWords => (sizes.probe.words, Estimate::FlooredDouble),
                    _ => (other, Estimate::Triple),
                };
                Method::Bisect { probe, estimate }
            }
            Profile::Huang2025 => Method::StepUp {
                most: match task.recipe {
                    Recipe::Needle(needle) if needle.haystack == Haystack::Essay => {
                        Most::Tried(most)
                    }
                    Recipe::CommonWords | Recipe::QuestionAnswering(_) => Most::Next(most),
                    _ => Most::Any,
                },
            },
        };
        Self {
            task: task.name,
            max_seq_length: options.max_seq_length,
            max: options.max_seq_length.saturating_sub(reserved(options)),
            tokens_to_generate: task.tokens_to_generate(options.profile),
            fit: options.fit,
            step,
            method,
            pinned: options.profile == Profile::Huang2025
                && matches!(task.recipe, Recipe::VariableTracking(_)),
        }
    }

    /// The cell of `vt`'s worked example.
    pub(crate) fn of_example(task: &Task, options: &Options<'_>, example: TrackingExample) -> Self {
        let step = match task.recipe {
            Recipe::VariableTracking(Haystack::Essay) => example.essay,
            _ => example.lines,
        };
        let (method, tokens_to_generate) = match options.profile {
            Profile::Ruler | Profile::Mini => {
                (Method::Bisect { probe: step, estimate: Estimate::Triple }, 0)
            }
            Profile::Huang2025 => {
                (Method::StepUp { most: Most::Any }, task.tokens_to_generate(options.profile))
            }
        };
        Self {
            max_seq_length: example.tokens,
            max: example.tokens.saturating_sub(reserved(options)),
            tokens_to_generate,
            step,
            method,
            ..Self::new(task, options, 0)
        }
    }
}

/// By how much the haystack of a task grows and shrinks.
fn step(task: &Task, options: &Options<'_>) -> usize {
    let steps = options.profile.sizes().steps;
    let length = options.max_seq_length;
    match task.recipe {
        Recipe::Needle(NeedleTask { step: Some(step), .. }) => step,
        Recipe::Needle(needle) if needle.haystack == Haystack::Essay => steps.essay,
        Recipe::Needle(_) => steps.lines.at(length),
        Recipe::VariableTracking(Haystack::Essay) => steps.tracking_essay,
        Recipe::VariableTracking(_) => steps.tracking_lines.at(length),
        Recipe::CommonWords => steps.words,
        Recipe::FrequentWords => 1,
        Recipe::QuestionAnswering(_) => steps.documents,
    }
}

/// Tokens kept for a model template outside the prompt. The fork knows of none.
fn reserved(options: &Options<'_>) -> usize {
    match options.profile {
        Profile::Ruler | Profile::Mini => options.model_template_tokens,
        Profile::Huang2025 => 0,
    }
}
