//! Frequent words extraction (`fwe`): which three coded words appear most often?
//!
//! A word of rank `k` appears `trunc(N · k⁻² / ζ(2))` times; rank 1 is the noise word `...`.
//! Drawn for a prompt: as many coded words of six letters as the vocabulary holds, more while two
//! are equal. The ranks of the sorted words and the order of the text come from private generators
//! with the run's seed. The length is met by counting alone: `N` grows, or shrinks, by a
//! thirty-second of the budget. Source: RULER `freq_words_extraction.py`; docs/ruler.md §7.

use core::fmt::{self, Formatter};

use super::budget::{BudgetError, Draws, GenerateError};
use super::corpus::CountTokens;
use super::options::{Options, Workspace};
use super::profile::Profile;
use super::sizes::Frequent;
use super::task::Task;
use super::template::{self, FREQUENT_WORDS, ModelTemplate};
use super::words::dedup;
use crate::error::CapacityError;

/// ζ(2) = π²/6 as SciPy rounds it.
const ZETA_2: f64 = 1.644_934_066_848_226_4;
/// Words asked for: those of the ranks after the noise word's.
const REFERENCES: usize = 3;
const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

/// A coded word.
pub type CodedWord = [u8; 6];

/// The generator.
pub(crate) struct FrequentWords<'a> {
    task: Task,
    model: ModelTemplate<'a>,
    max_seq_length: usize,
    sizes: Frequent,
    /// Tokens of the length that are kept free.
    reserved: usize,
    /// Tokens that a prompt may take.
    max: usize,
    tokens_to_generate: usize,
    names: &'a mut [CodedWord],
    order: &'a mut [u32],
    entries: usize,
}

/// How often the word of `rank`, from zero, appears in a text of `words` words.
fn occurrences(words: usize, rank: usize) -> usize {
    let k = (rank + 1) as f64;
    (words as f64 * (1.0 / (k * k)) / ZETA_2) as usize
}

impl<'a> FrequentWords<'a> {
    pub(crate) fn new(
        task: Task,
        options: &Options<'a>,
        workspace: Workspace<'a>,
    ) -> Result<Self, CapacityError> {
        let Workspace { names, order, .. } = workspace;
        let (max_seq_length, model) = (options.max_seq_length, options.model_template);
        let tokens_to_generate = task.tokens_to_generate(options.profile);
        let sizes = options.profile.sizes().frequent;
        let reserved = match options.profile {
            Profile::Ruler | Profile::Mini => {
                tokens_to_generate.saturating_add(options.model_template_tokens)
            }
            Profile::Huang2025 => 0,
        };
        let max = max_seq_length.saturating_sub(reserved);
        let (needed, given) = (max / sizes.tokens_per_word, names.len());
        let Some(names) = names.get_mut(..needed) else {
            return Err(CapacityError { what: "coded words", needed, given });
        };
        let entries = 0;
        Ok(Self {
            task,
            model,
            max_seq_length,
            sizes,
            reserved,
            max,
            tokens_to_generate,
            names,
            order,
            entries,
        })
    }

    fn step(&self) -> usize {
        self.max / self.sizes.steps
    }

    fn draw_words(&mut self, draws: &mut Draws) {
        for name in self.names.iter_mut() {
            *name = draws.random.letters(LETTERS);
        }
        self.names.sort_unstable();
        let mut distinct = dedup(self.names, |a, b| a == b);
        while distinct < self.names.len() {
            let name = draws.random.letters(LETTERS);
            if let Err(at) = self.names[..distinct].binary_search(&name) {
                self.names[at..=distinct].rotate_right(1);
                self.names[at] = name;
                distinct += 1;
            }
        }
        draws.private().shuffle(self.names);
    }

    /// Arranges the text of `words` words, before rounding down.
    fn arrange(&mut self, words: usize, draws: &Draws) -> Result<(), CapacityError> {
        let mut entries = 0;
        for rank in 0..self.names.len() {
            let count = occurrences(words, rank);
            let (needed, given) = (entries + count, self.order.len());
            let Some(run) = self.order.get_mut(entries..needed) else {
                return Err(CapacityError { what: "words of a coded text", needed, given });
            };
            run.fill(rank as u32);
            entries = needed;
        }
        self.entries = entries;
        draws.private().shuffle(&mut self.order[..entries]);
        Ok(())
    }

    fn count(
        &mut self,
        words: usize,
        draws: &Draws,
        counter: &mut dyn CountTokens,
    ) -> Result<usize, GenerateError> {
        self.arrange(words, draws)?;
        Ok(counter.count(&self.prompt())?)
    }

    /// Finds `N`: up until the text is too long, then one step back.
    ///
    /// # Errors
    /// See [`GenerateError`]; a budget too short for one word or one step is a [`BudgetError`].
    pub(crate) fn prepare(
        &mut self,
        draws: &mut Draws,
        counter: &mut dyn CountTokens,
    ) -> Result<usize, GenerateError> {
        self.draw_words(draws);
        if self.step() == 0 || self.names.is_empty() {
            return Err(self.refuse(draws, counter)?);
        }
        let mut words = self.max / 6;
        while self.count(words, draws, counter)? < self.max {
            words += self.step();
        }
        Ok(words - self.step())
    }

    /// Draws a sample and shrinks it until it fits; its length with the answer, and its `N`.
    ///
    /// # Errors
    /// See [`GenerateError`]; a [`BudgetError`] where the template alone is too long.
    pub(crate) fn sample(
        &mut self,
        words: usize,
        draws: &mut Draws,
        counter: &mut dyn CountTokens,
    ) -> Result<(usize, usize), GenerateError> {
        self.draw_words(draws);
        let mut words = words;
        loop {
            let tokens = self.count(words, draws, counter)?;
            if tokens <= self.max && self.tells(words) {
                return Ok((tokens + self.tokens_to_generate, words));
            }
            if words == 0 {
                return Err(self.refuse(draws, counter)?);
            }
            words = words.saturating_sub(self.step());
        }
    }

    /// Whether a text of `words` words is one that the profile takes ([`Frequent::told`]).
    fn tells(&self, words: usize) -> bool {
        if !self.sizes.told {
            return true;
        }
        let appears = |rank| if rank < self.names.len() { occurrences(words, rank) } else { 0 };
        appears(REFERENCES) > appears(REFERENCES + 1)
    }

    /// Measures the smallest prompt: without any coded word, or with those asked for.
    fn refuse(
        &mut self,
        draws: &Draws,
        counter: &mut dyn CountTokens,
    ) -> Result<GenerateError, GenerateError> {
        let (words, names) = match self.sizes.told {
            true => ((1..).find(|&words| occurrences(words, REFERENCES) > 0), REFERENCES + 1),
            false => (None, 1),
        };
        let shortest = self.count(words.unwrap_or(0), draws, counter)? + self.tokens_to_generate;
        let least = names * self.sizes.tokens_per_word;
        let fits = (shortest - self.tokens_to_generate).max(least).saturating_add(self.reserved);
        let (task, max_seq_length) = (self.task.name, self.max_seq_length);
        Ok(BudgetError { task, max_seq_length, shortest, fits, shrunk: fits }.into())
    }

    pub(crate) fn prompt(&self) -> FrequentWordsPrompt<'_> {
        let order = &self.order[..self.entries];
        FrequentWordsPrompt { model: self.model, words: self.names, order }
    }
}

/// A drawn `fwe` prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrequentWordsPrompt<'d> {
    model: ModelTemplate<'d>,
    /// By rank.
    words: &'d [CodedWord],
    order: &'d [u32],
}

impl<'d> FrequentWordsPrompt<'d> {
    /// The word of rank `index + 2`.
    pub(crate) fn reference(&self, index: usize) -> Option<&'d [u8]> {
        if index < REFERENCES { self.words.get(index + 1).map(|word| &word[..]) } else { None }
    }

    fn write_context(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, &rank) in self.order.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            match rank {
                0 => f.write_str("...")?,
                rank => write_ascii(f, &self.words[rank as usize])?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for FrequentWordsPrompt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let fields = &mut |f: &mut Formatter<'_>, _: &str| self.write_context(f);
        template::write_prompt(f, self.model, FREQUENT_WORDS, fields)
    }
}

/// Writes letters.
pub(crate) fn write_ascii(f: &mut Formatter<'_>, letters: &[u8]) -> fmt::Result {
    f.write_str(core::str::from_utf8(letters).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    /// What NumPy and SciPy made of the first ranks, and of all ranks together.
    #[test]
    fn words_appear_as_often_as_scipy_says() {
        let vectors: [(usize, usize, [usize; 8], usize); 3] = [
            (19, 162, [98, 24, 10, 6, 3, 2, 2, 1], 147),
            (162, 1357, [824, 206, 91, 51, 32, 22, 16, 12], 1313),
            (2620, 100000, [60792, 15198, 6754, 3799, 2431, 1688, 1240, 949], 99639),
        ];
        for (vocabulary, words, first, total) in vectors {
            let count = |rank| super::occurrences(words, rank);
            assert_eq!(core::array::from_fn(count), first);
            assert_eq!((0..vocabulary).map(count).sum::<usize>(), total);
        }
    }
}
