//! `longseq corpora`, and the flags that name corpora.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::corpora::CorpusFiles;

/// Gets the corpora that RULER uses.
#[derive(Debug, Args)]
pub struct CorporaArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CorporaCommand,
}

/// What to do with corpora.
#[derive(Debug, Subcommand)]
pub enum CorporaCommand {
    /// Download all of them from pinned addresses and check their SHA-256
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch {
        /// Folder to put them in; made if it is not there
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

const FETCH_EXAMPLES: &str = "\
Examples:
  longseq corpora fetch --dir corpora
  longseq generate --corpora corpora --task all …

Files that are there already and have the right hash are kept. About 70 MB in all.";

/// Which text prompts are made of. What is not named is built in.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Corpora (what is not named is built in)")]
pub struct CorpusArgs {
    /// Folder filled by `longseq corpora fetch`: all five; the flags below go before it
    #[arg(long, value_name = "DIR")]
    pub corpora: Option<PathBuf>,
    /// Essay haystack: RULER's PaulGrahamEssays.json, or plain text
    #[arg(long, value_name = "FILE")]
    pub essays: Option<PathBuf>,
    /// Folder with wonderwords' nounlist.txt, adjectivelist.txt and verblist.txt
    #[arg(long, value_name = "DIR")]
    pub words: Option<PathBuf>,
    /// RULER's english_words.json: words for cwe beyond some 64K tokens
    #[arg(long, value_name = "FILE")]
    pub english_words: Option<PathBuf>,
    /// SQuAD 2.0's dev-v2.0.json, for qa_1
    #[arg(long, value_name = "FILE")]
    pub squad: Option<PathBuf>,
    /// HotpotQA's hotpot_dev_distractor_v1.json, for qa_2
    #[arg(long, value_name = "FILE")]
    pub hotpotqa: Option<PathBuf>,
}

impl From<CorpusArgs> for CorpusFiles {
    fn from(args: CorpusArgs) -> Self {
        let fetched = |file: Option<PathBuf>, name: &str| {
            file.or_else(|| args.corpora.as_ref().map(|folder| folder.join(name)))
        };
        Self {
            essays: fetched(args.essays, "PaulGrahamEssays.json"),
            words: fetched(args.words, ""),
            english_words: fetched(args.english_words, "english_words.json"),
            squad: fetched(args.squad, "squad.json"),
            hotpotqa: fetched(args.hotpotqa, "hotpotqa.json"),
        }
    }
}
