//! Common words extraction (`cwe`): which ten words of a numbered list appear most often?
//!
//! Drawn for a prompt, in this order: the words of the worked example, the words of the list.
//! Of each, the first ten are common. The order of a list comes from a private generator with the
//! run's seed, so common words stand at the same numbers in every prompt of a size.
//! Source: RULER `common_words_extraction.py`; docs/ruler.md §6.

use core::fmt::{self, Formatter};

use super::budget::{Counted, DrawError, Draws, Family, Fit, Request, Target};
use super::options::{Corpora, Options, Workspace};
use super::profile::Profile;
use super::prompt::{Prompt, Text};
use super::template::{self, COMMON_WORDS, ModelTemplate};
use super::words::CommonWordList;
use crate::error::CapacityError;

/// Common words of a list.
const COMMON: usize = 10;

/// How often words appear in a list.
#[derive(Clone, Copy, Debug)]
struct Repeats {
    common: usize,
    other: usize,
}

/// Words and repeats of the worked example, repeats of the list: below 4,096 tokens, and from
/// there on.
const SHORT: (usize, Repeats, Repeats) =
    (20, Repeats { common: 3, other: 1 }, Repeats { common: 6, other: 1 });
const LONG: (usize, Repeats, Repeats) =
    (40, Repeats { common: 10, other: 3 }, Repeats { common: 30, other: 3 });

/// Words and entries of the longer example.
const EXAMPLE_WORDS: usize = 40;
const EXAMPLE_ENTRIES: usize = 190;

/// The generator.
pub(crate) struct CommonWords<'a> {
    profile: Profile,
    model: ModelTemplate<'a>,
    short: bool,
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
        let given = picks.len();
        let Some((example_picks, picks)) = picks.split_at_mut_checked(EXAMPLE_WORDS) else {
            return Err(CapacityError { what: "words of a list", needed: EXAMPLE_WORDS, given });
        };
        let given = order.len();
        let Some((example_order, order)) = order.split_at_mut_checked(EXAMPLE_ENTRIES) else {
            return Err(CapacityError {
                what: "entries of a list",
                needed: EXAMPLE_ENTRIES,
                given,
            });
        };
        let words = CommonWordList::build(corpora.words, u64::from(options.seed), shuffled)?;
        Ok(Self {
            profile: options.profile,
            model: options.model_template,
            short: options.max_seq_length < 4096,
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

    fn settings(&self) -> (usize, Repeats, Repeats) {
        if self.short { SHORT } else { LONG }
    }

    /// What a list of `size` words is drawn from.
    fn source(&self, size: usize) -> Result<Source<'a>, DrawError> {
        if size <= self.words.len() {
            Ok(Source::Words(self.words))
        } else if self.profile == Profile::Ruler && size <= self.english.len() {
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
        List { source, picks, order }
    }
}

/// Entries of a list of `words` words.
fn entries(words: usize, repeats: Repeats) -> usize {
    words.min(COMMON) * repeats.common + words.saturating_sub(COMMON) * repeats.other
}

/// Fills `order` with positions in the words drawn, repeated, and shuffles it.
fn arrange(order: &mut [u32], words: usize, repeats: Repeats, draws: &Draws) {
    let common = words.min(COMMON) as u32;
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
        let (example_words, example, list) = self.settings();
        let population = self.source(example_words)?.len();
        let picks = &mut self.example_picks[..example_words];
        draws.random.sample(population, picks, self.scratch)?;
        let order = &mut self.example_order[..entries(example_words, example)];
        arrange(order, example_words, example, draws);

        let population = self.source(size)?.len();
        let given = self.picks.len();
        let Some(picks) = self.picks.get_mut(..size) else {
            return Err(CapacityError { what: "words of a list", needed: size, given }.into());
        };
        draws.random.sample(population, picks, self.scratch)?;
        let (needed, given) = (entries(size, list), self.order.len());
        let Some(order) = self.order.get_mut(..needed) else {
            return Err(CapacityError { what: "entries of a list", needed, given }.into());
        };
        arrange(order, size, list, draws);
        Ok(())
    }

    fn prompt(&mut self) -> Prompt<'_> {
        let (words, example, list) = self.settings();
        let example_order = &self.example_order[..entries(words, example)];
        let order = &self.order[..entries(self.size, list)];
        Prompt::CommonWords(CommonWordsPrompt {
            profile: self.profile,
            model: self.model,
            example: self.list(&self.example_picks[..words], example_order),
            list: self.list(&self.picks[..self.size], order),
        })
    }

    fn counted(&mut self, target: Target) -> Counted<'_> {
        let profile = self.profile;
        Counted { text: Text::counted(self.prompt(), profile, target), extra: 0 }
    }

    fn floor(&self, _: Target, _: Fit) -> usize {
        COMMON
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
}

impl<'d> List<'d> {
    fn common(&self, index: usize) -> Option<&'d str> {
        let picks = &self.picks[..self.picks.len().min(COMMON)];
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
    example: List<'d>,
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
        let fields = &mut |f: &mut Formatter<'_>, _: &str| list.write_entries(f);
        template::write_prompt(f, self.model, COMMON_WORDS, fields)
    }
}

impl fmt::Display for CommonWordsPrompt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write_list(f, &self.example)?;
        f.write_str(match self.profile {
            Profile::Ruler => " ",
            Profile::Huang2025 => "",
        })?;
        self.example.write_answer(f)?;
        f.write_str("\n")?;
        self.write_list(f, &self.list)
    }
}
