//! How a task is fitted to a length: budgets, steps and methods of both scripts (docs/ruler.md §2).

use super::budget::Fit;
use super::options::Options;
use super::profile::Profile;
use super::task::{Haystack, Recipe, Task};

/// Tokens of `vt`'s worked example, at most.
const EXAMPLE_TOKENS: usize = 500;

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
        let short = options.max_seq_length < 4096;
        let (ruler, huang2025) = match task.recipe {
            Recipe::Needle(needle) => {
                let essay = needle.haystack == Haystack::Essay;
                let lines = if short { 5 } else { 25 };
                let (ruler, huang2025) = if essay { (500, 50) } else { (lines, lines) };
                (ruler, needle.step.unwrap_or(huang2025))
            }
            Recipe::VariableTracking(Haystack::Essay) => (500, 1),
            Recipe::VariableTracking(_) if short => (5, 1),
            _ => (10, 1),
        };
        let (step, method) = match options.profile {
            Profile::Ruler => {
                let (probe, estimate) = match task.recipe {
                    Recipe::CommonWords => (4096, Estimate::FlooredDouble),
                    _ => (ruler, Estimate::Triple),
                };
                (ruler, Method::Bisect { probe, estimate })
            }
            Profile::Huang2025 => {
                let most = match task.recipe {
                    Recipe::Needle(needle) if needle.haystack == Haystack::Essay => {
                        Most::Tried(most)
                    }
                    Recipe::CommonWords | Recipe::QuestionAnswering(_) => Most::Next(most),
                    _ => Most::Any,
                };
                (huang2025, Method::StepUp { most })
            }
        };
        Self {
            task: task.name,
            max_seq_length: options.max_seq_length,
            max: options.max_seq_length.saturating_sub(reserved(options)),
            tokens_to_generate: task.tokens_to_generate(),
            fit: options.fit,
            step,
            method,
            pinned: options.profile == Profile::Huang2025
                && matches!(task.recipe, Recipe::VariableTracking(_)),
        }
    }

    /// The cell of `vt`'s worked example.
    pub(crate) fn of_example(task: &Task, options: &Options<'_>) -> Self {
        let step = match task.recipe {
            Recipe::VariableTracking(Haystack::Essay) => 50,
            _ => 5,
        };
        let (method, tokens_to_generate) = match options.profile {
            Profile::Ruler => (Method::Bisect { probe: step, estimate: Estimate::Triple }, 0),
            Profile::Huang2025 => (Method::StepUp { most: Most::Any }, task.tokens_to_generate()),
        };
        Self {
            max_seq_length: EXAMPLE_TOKENS,
            max: EXAMPLE_TOKENS.saturating_sub(reserved(options)),
            tokens_to_generate,
            step,
            method,
            ..Self::new(task, options, 0)
        }
    }
}

/// Tokens kept for a model template outside the prompt. The fork knows of none.
fn reserved(options: &Options<'_>) -> usize {
    match options.profile {
        Profile::Ruler => options.model_template_tokens,
        Profile::Huang2025 => 0,
    }
}
