//! Question answering (`qa_*`) among distracting documents.
//!
//! Drawn for a prompt: the distractors. The question's own documents come first, then those that
//! belong with them (other paragraphs of the article), then any others; a private generator with
//! the run's seed shuffles them, so the first stands at the same place in every prompt of a size.
//! Sample `i` asks question `i`; the search for the size asks question 0.
//! Source: RULER `qa.py`; docs/ruler.md §8.
//!
//! With fewer documents than a question's own, NVIDIA/RULER never ends and the fork draws some of
//! them. [`Fit::Shrink`] keeps those that hold an accepted answer, then others, in their order.

use core::fmt::{self, Formatter};

use super::budget::{Counted, DrawError, Draws, Family, Fit, Request, Target};
use super::corpus::{Question, QuestionSet};
use super::options::{Corpora, Options, Seeding, Workspace};
use super::profile::Profile;
use super::prompt::{Prompt, Text};
use super::template::{self, ModelTemplate, QUESTION_ANSWERING};
use crate::error::CapacityError;

/// The generator.
pub(crate) struct QuestionAnswering<'a> {
    profile: Profile,
    model: ModelTemplate<'a>,
    set: QuestionSet<'a>,
    pre_samples: usize,
    seeding: Seeding,
    /// Order of the corpus. The fork's shuffle of a prompt that holds the whole corpus stays in
    /// force for the prompts after it, though their questions name documents by number.
    corpus: &'a mut [u32],
    /// Documents of the prompt, as positions in `corpus`.
    order: &'a mut [u32],
    others: &'a mut [u32],
    scratch: &'a mut [u32],
    question: usize,
    count: usize,
}

impl<'a> QuestionAnswering<'a> {
    pub(crate) fn new(
        options: &Options<'a>,
        corpora: &Corpora<'a>,
        workspace: Workspace<'a>,
    ) -> Result<Self, CapacityError> {
        let Workspace { shuffled, picks: others, order, scratch, .. } = workspace;
        let set = corpora.questions;
        let needed = set.documents.len();
        let given = shuffled.len().min(others.len());
        if given < needed {
            return Err(CapacityError { what: "documents", needed, given });
        }
        let mut new = Self {
            profile: options.profile,
            model: options.model_template,
            set,
            pre_samples: options.pre_samples,
            seeding: options.seeding,
            corpus: &mut shuffled[..needed],
            order,
            others: &mut others[..needed],
            scratch,
            question: 0,
            count: 0,
        };
        new.reset();
        Ok(new)
    }

    fn reset(&mut self) {
        for (i, document) in self.corpus.iter_mut().enumerate() {
            *document = i as u32;
        }
    }

    /// The question of a sample.
    pub(crate) fn question(&self, target: Target) -> usize {
        match target {
            Target::Search => 0,
            Target::Sample(index) => index + self.pre_samples,
        }
    }

    fn select(&mut self, draws: &mut Draws, size: usize, fit: Fit) -> Result<(), DrawError> {
        let Question { context, more, answers, .. } = self.set.questions[self.question];
        let documents = self.set.documents.len();
        let whole = size >= documents;
        let count = if whole && self.profile == Profile::Huang2025 { documents } else { size };
        let (needed, given) = (count, self.order.len());
        let Some(order) = self.order.get_mut(..count) else {
            return Err(CapacityError { what: "documents of a prompt", needed, given }.into());
        };
        self.count = count;
        if whole {
            for (i, at) in order.iter_mut().enumerate() {
                *at = (i % documents) as u32;
            }
            return Ok(());
        }
        let Some(left) = count.checked_sub(context.len()) else {
            return match (self.profile, fit) {
                (Profile::Huang2025, _) => {
                    draws.random.sample(context.len(), order, self.scratch)?;
                    order.iter_mut().for_each(|at| *at = context[*at as usize]);
                    Ok(())
                }
                (Profile::Ruler | Profile::Mini, Fit::Exact) => Err(DrawError::TooSmall),
                (Profile::Ruler | Profile::Mini, Fit::Shrink) => {
                    let holds = |&&id: &&u32| {
                        let text = self.set.documents[self.corpus[id as usize] as usize];
                        answers.iter().any(|answer| text.contains(answer))
                    };
                    let kept = context.iter().filter(holds);
                    let others = context.iter().filter(|id| !holds(id));
                    order.iter_mut().zip(kept.chain(others)).for_each(|(at, &id)| *at = id);
                    Ok(())
                }
            };
        };
        let (own, rest) = order.split_at_mut(context.len());
        own.copy_from_slice(context);
        if left <= more.len() && (left < more.len() || self.profile != Profile::Huang2025) {
            draws.random.sample(more.len(), rest, self.scratch)?;
            rest.iter_mut().for_each(|at| *at = more[*at as usize]);
            return Ok(());
        }
        let (related, distractors) = rest.split_at_mut(more.len());
        related.copy_from_slice(more);
        let others = not_in(documents, context, more, self.others);
        draws.random.sample(others.len(), distractors, self.scratch)?;
        distractors.iter_mut().for_each(|at| *at = others[*at as usize]);
        Ok(())
    }
}

/// Ascending numbers below `end` that are in neither list.
fn not_in<'b>(end: usize, a: &[u32], b: &[u32], buffer: &'b mut [u32]) -> &'b [u32] {
    let buffer = &mut buffer[..end];
    buffer.fill(0);
    for &id in a.iter().chain(b) {
        buffer[id as usize] = 1;
    }
    let mut len = 0;
    for id in 0..end {
        if buffer[id] == 0 {
            buffer[len] = id as u32;
            len += 1;
        }
    }
    &buffer[..len]
}

impl Family for QuestionAnswering<'_> {
    fn draw(&mut self, draws: &mut Draws, request: Request) -> Result<(), DrawError> {
        if self.seeding == Seeding::PerSample {
            self.reset();
        }
        self.question = self.question(request.target);
        self.select(draws, request.size, request.fit)?;
        if self.profile == Profile::Huang2025 && request.size >= self.corpus.len() {
            draws.private().shuffle(self.corpus);
        } else {
            draws.private().shuffle(&mut self.order[..self.count]);
        }
        Ok(())
    }

    fn prompt(&mut self) -> Prompt<'_> {
        Prompt::QuestionAnswering(QuestionAnsweringPrompt {
            model: self.model,
            documents: self.set.documents,
            corpus: self.corpus,
            order: &self.order[..self.count],
            question: self.set.questions[self.question],
        })
    }

    fn counted(&mut self, target: Target) -> Counted<'_> {
        let profile = self.profile;
        Counted { text: Text::counted(self.prompt(), profile, target), extra: 0 }
    }

    fn floor(&self, target: Target, fit: Fit) -> usize {
        match (self.profile, fit) {
            (Profile::Ruler | Profile::Mini, Fit::Exact) => {
                self.set.questions[self.question(target)].context.len().max(1)
            }
            (Profile::Ruler | Profile::Mini, Fit::Shrink) | (Profile::Huang2025, _) => 1,
        }
    }
}

/// A drawn `qa` prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuestionAnsweringPrompt<'d> {
    model: ModelTemplate<'d>,
    documents: &'d [&'d str],
    corpus: &'d [u32],
    order: &'d [u32],
    question: Question<'d>,
}

impl<'d> QuestionAnsweringPrompt<'d> {
    /// Accepted answer `index`.
    pub(crate) fn reference(&self, index: usize) -> Option<&'d str> {
        self.question.answers.get(index).copied()
    }

    fn write_context(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, &at) in self.order.iter().enumerate() {
            let document = self.documents[self.corpus[at as usize] as usize];
            let gap = if i > 0 { "\n\n" } else { "" };
            write!(f, "{gap}Document {}:\n{document}", i + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for QuestionAnsweringPrompt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let fields = &mut |f: &mut Formatter<'_>, name: &str| match name {
            "context" => self.write_context(f),
            _ => f.write_str(self.question.query),
        };
        template::write_prompt(f, self.model, QUESTION_ANSWERING, fields)
    }
}
