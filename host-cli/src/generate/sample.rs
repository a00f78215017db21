//! Runs core's generator over a cell.

use longseq_core::ruler::{
    budget::GenerateError,
    corpus::{Essays, QuestionSet, WordLists},
    generator::Generator,
    options::{Corpora as Texts, Needs, Options, Seeding},
    task::{Dataset, Recipe},
    template::ModelTemplate,
    words::PairIndex,
};

use super::{
    Cell, Setup,
    buffers::{Buffers, PairMemory},
    errors::explain,
    record::{Drawn, record},
};
use crate::{
    corpora::{uses_essays, uses_words},
    error::{Error, Result},
    sample::Sample,
    tokenizer::Counter,
};

/// Buffers are made at most so many times as long as usually needed.
const LARGEST_BUFFERS: usize = 64;

/// Smallest and largest haystack of a cell's samples, in words, lines or documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Sizes {
    /// The smallest.
    pub smallest: usize,
    /// The largest.
    pub largest: usize,
}

/// Takes a cell's samples in order.
type Sink<'s> = &'s mut dyn FnMut(Sample) -> Result<()>;

/// A generator's error, or one of the host's.
enum Failure {
    Generate(GenerateError),
    Host(Error),
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        Self::Generate(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl Setup<'_> {
    /// Passes a cell's samples to `sink` one by one, in order.
    ///
    /// # Errors
    /// As [`Self::samples`], and what `sink` returns.
    pub fn each_sample(&self, cell: &Cell, sink: Sink<'_>) -> Result<Sizes> {
        let recipe = &cell.task.recipe;
        let words = if uses_words(recipe) { Some(self.corpora.words()?) } else { None };
        let english = match recipe {
            Recipe::CommonWords => Some(self.corpora.english_words()?),
            _ => None,
        };
        let [adjectives, nouns, verbs] = words.map_or([const { Vec::new() }; 3], |words| {
            [words.adjectives(), words.nouns(), words.verbs()]
        });
        let english = english.map_or(Vec::new(), |words| words.words());
        let (adjectives, nouns, verbs, english) = (&adjectives, &nouns, &verbs, &english);
        let lists = WordLists { adjectives, nouns, verbs, english };
        let questions = match recipe {
            Recipe::QuestionAnswering(Dataset::Squad) => self.corpora.squad()?,
            Recipe::QuestionAnswering(Dataset::HotpotQa) => self.corpora.hotpotqa()?,
            _ => return self.with_pairs(cell, lists, QuestionSet::default(), sink),
        };
        questions.with_set(|set| self.with_pairs(cell, lists, *set, sink))
    }

    fn with_pairs(
        &self,
        cell: &Cell,
        words: WordLists<'_>,
        questions: QuestionSet<'_>,
        sink: Sink<'_>,
    ) -> Result<Sizes> {
        let mut runs = 2 * words.adjectives.len();
        loop {
            let mut memory = PairMemory::new(&words, runs);
            match memory.index(words) {
                Ok(pairs) => return self.with_buffers(cell, words, pairs, questions, sink),
                Err(error) if error.needed > runs && runs <= words.nouns.len() << 16 => {
                    runs = error.needed.max(2 * runs);
                }
                Err(error) => return Err(Error::new(format!("{}: {error}", cell.name()))),
            }
        }
    }

    /// Begins again with larger buffers where one is too small; samples come out the same, and
    /// those that `sink` has it does not get again.
    fn with_buffers(
        &self,
        cell: &Cell,
        words: WordLists<'_>,
        pairs: PairIndex<'_>,
        questions: QuestionSet<'_>,
        sink: Sink<'_>,
    ) -> Result<Sizes> {
        let needs = Needs::of(&cell.task, cell.max_seq_length, &words, questions.documents.len());
        let mut haystack = match uses_essays(&cell.task.recipe) {
            true => Some(self.corpora.essays()?.haystack()),
            false => None,
        };
        let mut counter = self.tokenizer.counter();
        let mut passed = 0;
        let mut times = 1;
        loop {
            let mut buffers = Buffers::new(&needs, times);
            let essays = haystack.as_mut().map(|haystack| haystack as &mut dyn Essays);
            let texts = Texts { essays, pairs, words, questions };
            let generator =
                Generator::new(cell.task, self.options(cell), texts, buffers.workspace());
            let outcome = generator
                .map_err(Failure::Generate)
                .and_then(|generator| self.run(cell, generator, &mut counter, &mut passed, sink));
            match outcome {
                Ok(sizes) => return Ok(sizes),
                Err(Failure::Generate(GenerateError::Capacity(_))) if times < LARGEST_BUFFERS => {
                    times *= 2;
                }
                Err(Failure::Generate(error)) => return Err(explain(cell, error, &mut counter)),
                Err(Failure::Host(error)) => return Err(error),
            }
        }
    }

    fn run(
        &self,
        cell: &Cell,
        mut generator: Generator<'_>,
        counter: &mut Counter<'_>,
        passed: &mut usize,
        sink: Sink<'_>,
    ) -> Result<Sizes, Failure> {
        generator.prepare(counter)?;
        let first = match self.seeding {
            Seeding::Run => 0,
            Seeding::PerSample => self.pre_samples,
        };
        let mut sizes = Sizes { smallest: usize::MAX, largest: 0 };
        for number in first..first + cell.num_samples {
            let draft = generator.sample(number, counter)?;
            let Sizes { smallest, largest } = sizes;
            let size = draft.size();
            sizes = Sizes { smallest: smallest.min(size), largest: largest.max(size) };
            let outputs = draft.references().map(|reference| reference.to_string()).collect();
            let (prompt, length) = (draft.to_string(), draft.length());
            if number - first == *passed {
                let drawn = Drawn { number, prompt, outputs, length };
                sink(record(self.profile, &cell.task, drawn, counter)?)?;
                *passed += 1;
            }
        }
        Ok(sizes)
    }

    fn options(&self, cell: &Cell) -> Options<'_> {
        let (before, after) = self.template.around();
        Options {
            profile: self.profile,
            max_seq_length: cell.max_seq_length,
            seed: self.seed,
            pre_samples: match self.seeding {
                Seeding::Run => self.pre_samples,
                Seeding::PerSample => 0,
            },
            model_template: ModelTemplate { before, after },
            model_template_tokens: 0,
            remove_newline_tab: self.remove_newline_tab,
            fit: self.fit,
            seeding: self.seeding,
            depth: cell.depth.map(|percent| f64::from(percent) / 100.0),
        }
    }
}
