//! Word lists: the sorted set of all adjective-noun pairs, and the list of common words.
//!
//! RULER builds all pairs as strings (6,175,260 of them with wonderwords 2.2.0, 1 GB), removes
//! duplicates and sorts by code point. Here the same list is an index of *runs*: neighbours of
//! the sorted list that share their adjective and have consecutive nouns. Mostly a run is one
//! adjective with all nouns; where `blue-` is a prefix of `blue-eyed-`, the pairs of the two
//! interleave and the runs are shorter. Source: RULER `niah.py`,
//! `common_words_extraction.py`; docs/ruler.md §3 and §6.

use core::cmp::Ordering;

use super::corpus::WordLists;
use super::rng::Random;
use crate::error::CapacityError;

/// Consecutive pairs of one adjective.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Rank of the run's first pair among all pairs.
    first: u64,
    /// Position in the sorted adjectives.
    adjective: u32,
    /// Position of the first noun in the sorted nouns.
    noun: u32,
}

impl Run {
    /// What a buffer may hold before [`PairIndex::build`].
    pub const EMPTY: Self = Self { first: 0, adjective: 0, noun: 0 };
}

/// The sorted set of `adjective-noun` for all adjectives and nouns.
#[derive(Clone, Copy, Debug, Default)]
pub struct PairIndex<'a> {
    lists: WordLists<'a>,
    adjectives: &'a [u32],
    nouns: &'a [u32],
    runs: &'a [Run],
    len: u64,
}

/// Buffers for [`PairIndex::build`].
#[derive(Debug)]
pub struct PairBuffers<'a> {
    /// As many as the list of adjectives.
    pub adjectives: &'a mut [u32],
    /// As many as the list of nouns.
    pub nouns: &'a mut [u32],
    /// As many as the list of adjectives; needed while building only.
    pub cursors: &'a mut [u32],
    /// Twice as many as the list of adjectives is enough where no noun begins with what one
    /// adjective has more than another that it begins with.
    pub runs: &'a mut [Run],
}

impl<'a> PairIndex<'a> {
    /// Sorts and indexes the pairs of `lists`; duplicates within and across the lists are exact.
    ///
    /// # Errors
    /// The buffer that is too small, with the size it needs.
    pub fn build(lists: WordLists<'a>, buffers: PairBuffers<'a>) -> Result<Self, CapacityError> {
        let PairBuffers { adjectives, nouns, cursors, runs } = buffers;
        let adjectives = sorted_set(lists.adjectives, adjectives, "adjectives", by_adjective)?;
        let nouns = sorted_set(lists.nouns, nouns, "nouns", |a, b| a.cmp(b))?;
        let (needed, given) = (adjectives.len(), cursors.len());
        let Some(cursors) = cursors.get_mut(..needed) else {
            return Err(CapacityError { what: "adjective cursors", needed, given });
        };
        let mut merge = Merge { lists, adjectives, nouns, runs, count: 0, len: 0 };
        let mut start = 0;
        while start < adjectives.len() {
            let root = lists.adjectives[adjectives[start] as usize];
            let group = adjectives[start..].iter().take_while(|&&other| {
                let other = lists.adjectives[other as usize];
                other == root || other.strip_prefix(root).is_some_and(|rest| rest.starts_with('-'))
            });
            let end = start + group.count();
            merge.group(start, &mut cursors[start..end]);
            start = end;
        }
        let (count, len) = (merge.count, merge.len);
        let given = runs.len();
        match runs.get(..count) {
            Some(runs) => Ok(Self { lists, adjectives, nouns, runs, len }),
            None => Err(CapacityError { what: "runs of word pairs", needed: count, given }),
        }
    }

    /// Number of distinct pairs.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adjective and noun of the pair at `rank`, which is below [`len`](Self::len).
    pub fn get(&self, rank: u64) -> (&'a str, &'a str) {
        let run = self.runs[self.runs.partition_point(|run| run.first <= rank) - 1];
        let noun = self.nouns[run.noun as usize + (rank - run.first) as usize];
        let adjective = self.adjectives[run.adjective as usize];
        (self.lists.adjectives[adjective as usize], self.lists.nouns[noun as usize])
    }
}

/// Merges the sorted pairs of adjectives of which the first, with its hyphen, begins the others.
struct Merge<'m> {
    lists: WordLists<'m>,
    adjectives: &'m [u32],
    nouns: &'m [u32],
    runs: &'m mut [Run],
    count: usize,
    len: u64,
}

impl Merge<'_> {
    fn group(&mut self, start: usize, cursors: &mut [u32]) {
        cursors.fill(0);
        loop {
            let heads = || (0..cursors.len()).filter(|&a| (cursors[a] as usize) < self.nouns.len());
            let order = |&a: &usize, &b: &usize| self.compare(start, cursors, a, b);
            let Some(first) = heads().min_by(order) else { return };
            let second = heads().filter(|&a| a != first).min_by(order);
            let from = cursors[first] as usize;
            let until = match second {
                None => self.nouns.len(),
                Some(second) => {
                    let mut probe = |noun: usize| {
                        cursors[first] = noun as u32;
                        self.compare(start, cursors, first, second) == Ordering::Less
                    };
                    partition_point(from, self.nouns.len(), &mut probe)
                }
            };
            cursors[first] = until as u32;
            if from == until {
                // Both adjectives spell this pair: the other's run will hold it.
                cursors[first] += 1;
            } else {
                self.push(start + first, from, until);
            }
        }
    }

    /// Compares the next pairs of adjectives `a` and `b` of a group.
    fn compare(&self, start: usize, cursors: &[u32], a: usize, b: usize) -> Ordering {
        let pair = |at: usize| {
            let adjective = self.lists.adjectives[self.adjectives[start + at] as usize];
            let noun = self.lists.nouns[self.nouns[cursors[at] as usize] as usize];
            adjective.bytes().chain([b'-']).chain(noun.bytes())
        };
        pair(a).cmp(pair(b))
    }

    fn push(&mut self, adjective: usize, from: usize, until: usize) {
        if let Some(run) = self.runs.get_mut(self.count) {
            *run = Run { first: self.len, adjective: adjective as u32, noun: from as u32 };
        }
        self.count += 1;
        self.len += (until - from) as u64;
    }
}

/// First of `from..until` that `before` is false for.
fn partition_point(
    mut from: usize,
    mut until: usize,
    before: &mut dyn FnMut(usize) -> bool,
) -> usize {
    while from < until {
        let middle = from + (until - from) / 2;
        if before(middle) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    from
}

/// Order of the adjectives' pairs: a hyphen follows each adjective.
fn by_adjective(a: &str, b: &str) -> Ordering {
    a.bytes().chain([b'-']).cmp(b.bytes().chain([b'-']))
}

/// Positions of the distinct words of `list`, in order.
fn sorted_set<'b>(
    list: &[&str],
    buffer: &'b mut [u32],
    what: &'static str,
    order: fn(&str, &str) -> Ordering,
) -> Result<&'b [u32], CapacityError> {
    let (needed, given) = (list.len(), buffer.len());
    let Some(buffer) = buffer.get_mut(..needed) else {
        return Err(CapacityError { what, needed, given });
    };
    for (i, item) in buffer.iter_mut().enumerate() {
        *item = i as u32;
    }
    let word = |index: u32| list[index as usize];
    buffer.sort_unstable_by(|&a, &b| order(word(a), word(b)));
    let len = dedup(buffer, |a, b| word(a) == word(b));
    Ok(&buffer[..len])
}

/// Keeps the first of equal neighbours; gives how many are left.
pub(crate) fn dedup<T: Copy>(items: &mut [T], equal: impl Fn(T, T) -> bool) -> usize {
    let mut kept = 0;
    for i in 0..items.len() {
        if kept == 0 || !equal(items[kept - 1], items[i]) {
            items[kept] = items[i];
            kept += 1;
        }
    }
    kept
}

/// The words of `cwe`: the sorted set of nouns, adjectives and verbs, shuffled by a seed.
#[derive(Clone, Copy, Debug)]
pub struct CommonWordList<'a> {
    lists: WordLists<'a>,
    order: &'a [u32],
}

impl<'a> CommonWordList<'a> {
    /// Sorts and shuffles the words of `lists`; `order` holds as many as the three lists together.
    ///
    /// # Errors
    /// `order` is too small.
    pub fn build(
        lists: WordLists<'a>,
        seed: u64,
        order: &'a mut [u32],
    ) -> Result<Self, CapacityError> {
        let needed = lists.nouns.len() + lists.adjectives.len() + lists.verbs.len();
        let given = order.len();
        let Some(order) = order.get_mut(..needed) else {
            return Err(CapacityError { what: "common words", needed, given });
        };
        for (i, item) in order.iter_mut().enumerate() {
            *item = i as u32;
        }
        let word = |index: u32| word(&lists, index);
        order.sort_unstable_by(|&a, &b| word(a).cmp(word(b)));
        let len = dedup(order, |a, b| word(a) == word(b));
        let order = &mut order[..len];
        Random::new(seed).shuffle(order);
        Ok(Self { lists, order })
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Word `index`.
    pub fn get(&self, index: usize) -> &'a str {
        word(&self.lists, self.order[index])
    }
}

/// Entry `index` of nouns, adjectives and verbs one after the other.
fn word<'a>(lists: &WordLists<'a>, index: u32) -> &'a str {
    let index = index as usize;
    let (nouns, adjectives) = (lists.nouns.len(), lists.adjectives.len());
    if index < nouns {
        lists.nouns[index]
    } else if index < nouns + adjectives {
        lists.adjectives[index - nouns]
    } else {
        lists.verbs[index - nouns - adjectives]
    }
}
