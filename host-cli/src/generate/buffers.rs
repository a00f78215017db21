//! The memory that a generator works in.

use longseq_core::{
    error::CapacityError,
    ruler::{
        corpus::WordLists,
        needle::Needle,
        options::{Needs, Workspace},
        words::{PairBuffers, PairIndex, Run},
    },
};

/// Owns the buffers of a [`Workspace`].
#[derive(Debug)]
pub struct Buffers {
    needles: Vec<Needle>,
    order: Vec<u32>,
    picks: Vec<u32>,
    shuffled: Vec<u32>,
    scratch: Vec<u32>,
    names: Vec<[u8; 6]>,
    example: Vec<u8>,
}

impl Buffers {
    /// Buffers `times` as long as needed.
    pub fn new(needs: &Needs, times: usize) -> Self {
        Self {
            needles: vec![Needle::default(); needs.needles * times],
            order: vec![0; needs.order * times],
            picks: vec![0; needs.picks * times],
            shuffled: vec![0; needs.shuffled * times],
            scratch: vec![0; needs.scratch * times],
            names: vec![[0; 6]; needs.names * times],
            example: vec![0; needs.example * times],
        }
    }

    /// The buffers, lent.
    pub fn workspace(&mut self) -> Workspace<'_> {
        Workspace {
            needles: &mut self.needles,
            order: &mut self.order,
            picks: &mut self.picks,
            shuffled: &mut self.shuffled,
            scratch: &mut self.scratch,
            names: &mut self.names,
            example: &mut self.example,
        }
    }
}

/// Owns what a [`PairIndex`] borrows.
#[derive(Debug)]
pub struct PairMemory {
    adjectives: Vec<u32>,
    nouns: Vec<u32>,
    cursors: Vec<u32>,
    runs: Vec<Run>,
}

impl PairMemory {
    /// Memory for the pairs of `lists`, with room for `runs` runs.
    pub fn new(lists: &WordLists<'_>, runs: usize) -> Self {
        let (adjectives, nouns) = (lists.adjectives.len(), lists.nouns.len());
        Self {
            adjectives: vec![0; adjectives],
            nouns: vec![0; nouns],
            cursors: vec![0; adjectives],
            runs: vec![Run::default(); runs],
        }
    }

    /// The index of all pairs of `lists`.
    pub fn index<'a>(&'a mut self, lists: WordLists<'a>) -> Result<PairIndex<'a>, CapacityError> {
        let Self { adjectives, nouns, cursors, runs } = self;
        PairIndex::build(lists, PairBuffers { adjectives, nouns, cursors, runs })
    }
}
