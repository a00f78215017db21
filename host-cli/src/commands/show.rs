//! `longseq show`: one sample of a run, to be looked at.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::json;

use super::{Outcome, print};
use crate::{
    args::show::ShowArgs,
    error::{Error, Result},
    journal::failures,
    report::{
        answered::{Answered, Cut, read},
        run::{Cell, Run},
    },
};

/// Prints the sample.
pub fn run(args: &ShowArgs) -> Result<Outcome> {
    let run = Run::read(&args.run)?;
    let cell = cell(args, &run)?;
    let cut = if args.whole { Cut::Nowhere } else { Cut::Middle };
    if let Some(sample) = read(&run, cell, &BTreeSet::from([args.index]), cut)?.first() {
        print(&if args.json {
            format!("{:#}\n", json!({"length": cell.length, "task": cell.task, "sample": sample}))
        } else {
            text(cell, sample)
        })?;
        return Ok(Outcome::Done);
    }
    let key = (cell.length, cell.task.clone(), args.index);
    let Some(failure) = failures(&run.folder)?.remove(&key) else {
        return Err(no_sample(args, cell));
    };
    print(&if args.json {
        format!("{:#}\n", json!({"failure": failure}))
    } else {
        let Cell { task, length, .. } = cell;
        format!("{task} at {length} tokens, sample {} failed: {}\n", args.index, failure.error)
    })?;
    Ok(Outcome::DoneWithFailures)
}

/// The one cell of the task, or the one at the length asked for.
fn cell<'r>(args: &ShowArgs, run: &'r Run) -> Result<&'r Cell> {
    let of_task: Vec<&Cell> = run.cells.iter().filter(|cell| cell.task == args.task).collect();
    let tasks: BTreeSet<&str> = run.cells.iter().map(|cell| cell.task.as_str()).collect();
    if of_task.is_empty() {
        let tasks: Vec<&str> = tasks.into_iter().collect();
        return Err(Error::new(format!("{} has no task `{}`", run.name, args.task))
            .help(format!("its tasks are: {}", tasks.join(", "))));
    }
    let lengths: Vec<String> = of_task.iter().map(|cell| cell.length.to_string()).collect();
    let lengths = lengths.join(", ");
    match (args.length, of_task.as_slice()) {
        (None, [cell]) => Ok(cell),
        (None, _) => {
            Err(Error::new(format!("{} was run at several lengths: {lengths}", args.task))
                .help("name one of them with --length"))
        }
        (Some(length), _) => {
            of_task.iter().find(|cell| cell.length == length).copied().ok_or_else(|| {
                Error::new(format!("{} was not run at {length} tokens", args.task))
                    .help(format!("its lengths are: {lengths}"))
            })
        }
    }
}

fn no_sample(args: &ShowArgs, cell: &Cell) -> Error {
    let Cell { task, length, planned, .. } = cell;
    let what = format!("{task} at {length} tokens has no answer to sample {}", args.index);
    Error::new(what).help(if args.index < *planned {
        "the same `longseq run` goes on and computes it".to_owned()
    } else {
        format!("samples are numbered from 0 to {}", planned.saturating_sub(1))
    })
}

/// The sample for a reader.
fn text(cell: &Cell, sample: &Answered) -> String {
    let Cell { task, length, .. } = cell;
    let Answered { number, percent, head, left_out, tail, output, .. } = sample;
    let mut text = format!("{task} at {length} tokens, sample {number}: score {percent:.2} %\n");
    let tokens = sample.prompt_tokens.map_or_else(String::new, |of| format!(", {of} tokens"));
    text += &format!("\nprompt{tokens}\n{head}\n");
    if *left_out > 0 {
        text += &format!("[… {left_out} characters; --whole shows them …]\n{tail}\n");
    }
    let ended = sample.finish.map_or_else(String::new, |of| format!(", ended by {}", of.name()));
    text += &format!("\nanswer{ended}\n{output}\n\nreferences\n");
    for reference in &sample.references {
        let found = if reference.found { "found " } else { "missed" };
        // Writing to a string does not fail.
        let _ = write!(text, "{found}  {}", reference.text);
        if let Some(place) = reference.place {
            let _ = write!(text, "  at token {}, depth {:.0} %", place.token, place.depth);
        }
        text.push('\n');
    }
    text
}
