//! Common words extraction (`cwe`): which ten words (or as many as the profile's sizes say) of a
//! numbered list appear most often?
//!
//! Drawn for a prompt, in this order: the words of the worked example, if there is one; the words
//! of the list. Of each, the first ten are common. The order comes from a private generator with the
//! run's seed, so common words stand at the same numbers in every prompt of a size.
//! Source: RULER `common_words_extraction.py`; docs/ruler.md §6.

use core::fmt::{self, Formatter};

use super::budget::{Counted, DrawError, Draws, Family, Fit, Request, Target};
use super::options::{Corpora, Options, Workspace};
use super::profile::Profile;
use super::prompt::{Prompt, Text};
use super::sizes::{Common, Repeats};
use super::template::{self, COMMON_WORDS, ModelTemplate};
use super::words::CommonWordList;
use crate::error::CapacityError;

/// The generator.
pub(crate) struct CommonWords<'a> {
    profile: Profile,
    model: ModelTemplate<'a>,
    sizes: Common,
    example: Option<(usize, Repeats)>,
    repeats: Repeats,
    words: CommonWordList<'a>,
    english: &'a [&'a str],
    example_picks: &'a mut [u32],
    example_order: &'a mut [u32],
    picks: &'a mut [u32],
    order: &'a mut [u32],
    scratch: &'a mut [u32],
    size: usize,
}

impl<'a> CommonWords<'a> {
    pub(crate) fn new(
        options: &Options<'a>,
        corpora: &Corpora<'a>,
        workspace: Workspace<'a>,
    ) -> Result<Self, CapacityError> {
        let Workspace { shuffled, picks, order, scratch, .. } = workspace;
        let sizes = options.profile.sizes().common;
        let example = sizes.example.map(|example| example.at(options.max_seq_length));
        let (words, entries) =
            example.map_or((0, 0), |(words, repeats)| (words, entries(&sizes, words, repeats)));
        let given = picks.len();
        let Some((example_picks, picks)) = picks.split_at_mut_checked(words) else {
            return Err(CapacityError { what: "words of a list", needed: words, given });
        };
        let given = order.len();
        let Some((example_order, order)) = order.split_at_mut_checked(entries) else {
            return Err(CapacityError { what: "entries of a list", needed: entries, given });
        };
        let words = CommonWordList::build(corpora.words, u64::from(options.seed), shuffled)?;
        Ok(Self {
            profile: options.profile,
            model: options.model_template,
            sizes,
            example,
            repeats: sizes.list.at(options.max_seq_length),
            words,
            english: corpora.words.english,
            example_picks,
            example_order,
            picks,
            order,
            scratch,
            size: 0,
        })
    }

    /// Distinct words of the first list.
    pub(crate) fn words(&self) -> usize {
        self.words.len()
    }

    /// What a list of `size` words is drawn from.
    fn source(&self, size: usize) -> Result<Source<'a>, DrawError> {
        if size <= self.words.len() {
            Ok(Source::Words(self.words))
        } else if self.profile != Profile::Huang2025 && size <= self.english.len() {
            Ok(Source::English(self.english))
        } else {
            Err(DrawError::TooLarge)
        }
    }

    fn list<'d>(&self, picks: &'d [u32], order: &'d [u32]) -> List<'d>
    where
        'a: 'd,
    {
        let source = self.source(picks.len()).unwrap_or(Source::English(&[]));
        List { source, picks, order, common: self.sizes.words }
    }
}

/// Entries of a list of `words` words.
fn entries(sizes: &Common, words: usize, repeats: Repeats) -> usize {
    words.min(sizes.words) * repeats.common + words.saturating_sub(sizes.words) * repeats.other
}

/// Fills `order` with positions in the words drawn, repeated, and shuffles it.
fn arrange(sizes: &Common, order: &mut [u32], words: usize, repeats: Repeats, draws: &Draws) {
    let common = words.min(sizes.words) as u32;
    let once = (0..common).cycle().take(common as usize * repeats.common);
    let others =
        (common..words as u32).cycle().take(order.len() - common as usize * repeats.common);
    for (entry, word) in order.iter_mut().zip(once.chain(others)) {
        *entry = word;
    }
    draws.private().shuffle(order);
}

impl Family for CommonWords<'_> {
    fn draw(&mut self, draws: &mut Draws, request: Request) -> Result<(), DrawError> {
        let size = request.size;
        self.size = size;
        if let Some((words, repeats)) = self.example {
            let population = self.source(words)?.len();
            draws.random.sample(population, self.example_picks, self.scratch)?;
            arrange(&self.sizes, self.example_order, words, repeats, draws);
        }

        let population = self.source(size)?.len();
        let given = self.picks.len();
        let Some(picks) = self.picks.get_mut(..size) else {
            return Err(CapacityError { what: "words of a list", needed: size, given }.into());
        };
        draws.random.sample(population, picks, self.scratch)?;
        let needed = entries(&self.sizes, size, self.repeats);
        let given = self.order.len();
        let Some(order) = self.order.get_mut(..needed) else {
            return Err(CapacityError { what: "entries of a list", needed, given }.into());
        };
        arrange(&self.sizes, order, size, self.repeats, draws);
        Ok(())
    }

    fn prompt(&mut self) -> Prompt<'_> {
        let order = &self.order[..entries(&self.sizes, self.size, self.repeats)];
        let example = self.example.map(|_| self.list(self.example_picks, self.example_order));
        Prompt::CommonWords(CommonWordsPrompt {
            profile: self.profile,
            model: self.model,
            example,
            list: self.list(&self.picks[..self.size], order),
        })
    }

    fn counted(&mut self, target: Target) -> Counted<'_> {
        let profile = self.profile;
        Counted { text: Text::counted(self.prompt(), profile, target), extra: 0 }
    }

    fn floor(&self, _: Target, _: Fit) -> usize {
        self.sizes.words
    }
}

/// What the words of a list are drawn from.
#[derive(Clone, Copy, Debug)]
enum Source<'d> {
    /// The set of nouns, adjectives and verbs.
    Words(CommonWordList<'d>),
    /// The long list.
    English(&'d [&'d str]),
}

impl<'d> Source<'d> {
    fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::English(words) => words.len(),
        }
    }

    fn get(&self, index: u32) -> &'d str {
        match self {
            Self::Words(words) => words.get(index as usize),
            Self::English(words) => words[index as usize],
        }
    }
}

/// A drawn list.
#[derive(Clone, Copy, Debug)]
struct List<'d> {
    source: Source<'d>,
    picks: &'d [u32],
    order: &'d [u32],
    /// Number of common words.
    common: usize,
}

impl<'d> List<'d> {
    fn common(&self, index: usize) -> Option<&'d str> {
        let picks = &self.picks[..self.picks.len().min(self.common)];
        picks.get(index).map(|&pick| self.source.get(pick))
    }

    fn write_entries(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let words = self.order.iter().map(|&at| self.source.get(self.picks[at as usize]));
        write_numbered(f, words)
    }

    fn write_answer(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_numbered(f, (0..).map_while(|index| self.common(index)))
    }
}

/// `1. a 2. b 3. c`.
fn write_numbered<'d>(f: &mut Formatter<'_>, words: impl Iterator<Item = &'d str>) -> fmt::Result {
    for (i, word) in words.enumerate() {
        let gap = if i > 0 { " " } else { "" };
        write!(f, "{gap}{}. {word}", i + 1)?;
    }
    Ok(())
}

/// A drawn `cwe` prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommonWordsPrompt<'d> {
    profile: Profile,
    model: ModelTemplate<'d>,
    example: Option<List<'d>>,
    list: List<'d>,
}

impl<'d> CommonWordsPrompt<'d> {
    /// Common word `index`.
    pub(crate) fn reference(&self, index: usize) -> Option<&'d str> {
        self.list.common(index)
    }

    pub(crate) fn write_answer(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.list.write_answer(f)
    }

    fn write_list(&self, f: &mut Formatter<'_>, list: &List<'_>) -> fmt::Result {
        let fields = &mut |f: &mut Formatter<'_>, name: &str| match name {
            "context" => list.write_entries(f),
            _ => write!(f, "{}", list.common),
        };
        template::write_prompt(f, self.model, COMMON_WORDS, fields)
    }
}

impl fmt::Display for CommonWordsPrompt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(example) = &self.example {
            self.write_list(f, example)?;
            f.write_str(match self.profile {
                Profile::Ruler | Profile::Mini => " ",
                Profile::Huang2025 => "",
            })?;
            example.write_answer(f)?;
            f.write_str("\n")?;
        }
        self.write_list(f, &self.list)
    }
}
