//! Prefixes that the samples of a cell share are read once.
//!
//! The prompts of a needle cell are the same up to the first needle: seen as paths in a tree of
//! tokens they leave one trunk, each at its own place. The trunk is read once, in a slot of its
//! own; where a prompt leaves it, the slot's state is forked and the rest of the prompt read in
//! the fork. A forward pass gives the same bits wherever on the engine's grid a sequence is cut,
//! so the outcome is the same as reading every prompt from its start.

/// Sharing fewer tokens than this is not worth a copy of the state.
const WORTH_A_FORK: usize = 32;

/// A prompt and the tokens it has in common with the trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Number of the prompt.
    pub prompt: usize,
    /// Tokens taken over from the trunk, fewer than the prompt has; 0: it starts on its own.
    pub shared: usize,
}

/// How some prompts are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// The prompt whose first tokens are the trunk; `None`: there is no trunk.
    pub prompt: Option<usize>,
    /// Each of the prompts, those that leave the trunk first in front.
    pub branches: Vec<Branch>,
}

impl Trunk {
    /// Finds the path that most of the prompts numbered `these` follow at every fork of the tree. What is
    /// shared are whole multiples of `grid` tokens.
    pub fn find(prompts: &[&[u32]], these: &[usize], grid: usize) -> Self {
        let trunk = most_followed(prompts, these);
        let branch = |&prompt| Branch { prompt, shared: shared(prompts, prompt, trunk, grid) };
        let mut branches: Vec<Branch> = these.iter().map(branch).collect();
        // The trunk's own prompt goes along to the last fork.
        let others = branches.iter().filter(|branch| branch.prompt != trunk);
        let last_fork = others.map(|branch| branch.shared).max().unwrap_or(0);
        for branch in &mut branches {
            branch.shared = branch.shared.min(last_fork);
        }
        branches.sort_by_key(|branch| branch.shared);
        Self { prompt: (last_fork > 0).then_some(trunk), branches }
    }

    /// Each of the prompts numbered `these` on its own.
    pub fn none(these: &[usize]) -> Self {
        let branches = these.iter().map(|&prompt| Branch { prompt, shared: 0 }).collect();
        Self { prompt: None, branches }
    }

    /// Tokens saved against reading every prompt from its start.
    pub fn saved(&self) -> usize {
        let shared = self.branches.iter().map(|branch| branch.shared);
        shared.clone().sum::<usize>() - shared.max().unwrap_or(0)
    }
}

fn shared(prompts: &[&[u32]], prompt: usize, trunk: usize, grid: usize) -> usize {
    let common = common_prefix(prompts[prompt], prompts[trunk]);
    // The token after which the model answers is read by each prompt itself.
    let shared = common.min(prompts[prompt].len().saturating_sub(1)) / grid * grid;
    if shared < WORTH_A_FORK { 0 } else { shared }
}

/// The prompt at the end of the path that most prompts follow.
fn most_followed(prompts: &[&[u32]], these: &[usize]) -> usize {
    let mut together = these.to_vec();
    let mut depth = 0;
    while let [first, rest @ ..] = together.as_slice()
        && !rest.is_empty()
    {
        let tail = |prompt: usize| &prompts[prompt][depth..];
        let common = rest.iter().map(|&prompt| common_prefix(tail(prompt), tail(*first))).min();
        depth += common.unwrap_or(0);
        let Some(next) = most_common(together.iter().map(|&prompt| prompts[prompt].get(depth)))
        else {
            break;
        };
        together.retain(|&prompt| prompts[prompt].get(depth) == Some(&next));
        depth += 1;
    }
    together.first().copied().unwrap_or(0)
}

/// The token with which most prompts go on, the first of them in a tie; `None` where none does.
fn most_common<'a>(tokens: impl Iterator<Item = Option<&'a u32>>) -> Option<u32> {
    let mut counts = indexmap::IndexMap::<u32, usize>::new();
    for token in tokens.flatten() {
        *counts.entry(*token).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|&(_, count)| count == most).map(|(token, _)| token)
}

fn common_prefix(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
