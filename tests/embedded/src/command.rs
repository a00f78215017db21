//! What is asked of the program: one line of words.

/// The help.
pub const USAGE: &str =
    "commands: ops SEED | sample TASK LENGTH SEED INDEX | read TOKENS CAPACITY SEED";

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Hashes of every operation on inputs drawn from a seed.
    Ops {
        /// The seed.
        seed: u64,
    },
    /// One RULER sample of profile `mini`: prompt, answer, score.
    Sample {
        /// RULER's name of the task.
        task: &'a str,
        /// Tokens of prompt and answer together, at most.
        length: usize,
        /// Of the run.
        seed: u32,
        /// Number of the sample, from 0.
        index: usize,
    },
    /// A text of tokens drawn at random, and what remembering it takes.
    Read {
        /// Tokens to read.
        tokens: usize,
        /// The most tokens that the state is laid out for.
        capacity: usize,
        /// Of the tokens.
        seed: u64,
    },
}

impl<'a> Command<'a> {
    /// The command of a line; `None` if it is none.
    pub fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let command = match words.next()? {
            "ops" => Self::Ops { seed: words.next()?.parse().ok()? },
            "sample" => Self::Sample {
                task: words.next()?,
                length: words.next()?.parse().ok()?,
                seed: words.next()?.parse().ok()?,
                index: words.next()?.parse().ok()?,
            },
            "read" => Self::Read {
                tokens: words.next()?.parse().ok()?,
                capacity: words.next()?.parse().ok()?,
                seed: words.next()?.parse().ok()?,
            },
            _ => return None,
        };
        words.next().is_none().then_some(command)
    }
}
