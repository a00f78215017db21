//! What `longseq run` says at its end: the tables, or how to go on.

use std::io::{IsTerminal, stdout};

use serde_json::json;

use super::{Outcome, print};
use crate::{
    args::run::RunArgs,
    error::Result,
    plan::Plan,
    progress::say,
    report::{run::Run, tables::Style, text},
};

/// How a run ended.
pub struct End {
    /// Samples of the plan.
    pub samples: usize,
    /// Samples that failed.
    pub failed: usize,
    /// Whether it came to the end; else it was interrupted.
    pub ended: bool,
}

impl End {
    /// Prints the outcome: with `--json` as an object, else as the tables of the report.
    pub fn tell(&self, args: &RunArgs, plan: &Plan) -> Result<Outcome> {
        if args.json {
            let outcome = json!({"run": args.out, "plan_sha256": plan.sha256(),
                "samples": self.samples, "failed": self.failed, "interrupted": !self.ended});
            print(&format!("{outcome}\n"))?;
        } else {
            if self.ended {
                let run = Run::read(&args.out)?;
                print(&text::terminal(&[run], &[], None, Style { bars: stdout().is_terminal() }))?;
            }
            say(&format!("{}\n", self.advice(args)));
        }
        Ok(match (self.ended, self.failed) {
            (false, _) => Outcome::Interrupted,
            (true, 0) => Outcome::Done,
            (true, _) => Outcome::DoneWithFailures,
        })
    }

    fn advice(&self, args: &RunArgs) -> String {
        let Self { samples, failed, ended } = self;
        let out = args.out.display();
        if !ended {
            format!("interrupted; the same command goes on where {out} stopped")
        } else if *failed > 0 {
            format!(
                "{failed} of {samples} samples failed: see {out}/failures.jsonl; the same command \
                 tries them again"
            )
        } else {
            format!("all {samples} samples are done; longseq report {out} shows the tables again")
        }
    }
}
