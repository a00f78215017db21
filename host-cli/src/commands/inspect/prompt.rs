//! `longseq inspect --prompt`: what stands at both ends of a prompt.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    args::inspect::InspectArgs,
    checkpoint::Checkpoint,
    commands::{print, prompts},
    error::{Error, Result},
    generate,
    plan::{Cell, FirstPrompt},
    run::{
        encode::{Source as _, encode},
        ruler::Ruler,
    },
    template::Template,
    tokenizer::Tokenizer,
};

/// Makes the first sample of a cell and prints its ends.
pub fn show(
    args: &InspectArgs,
    checkpoint: &Checkpoint,
    tokenizer: Option<&Tokenizer>,
) -> Result<()> {
    let tokenizer = tokenizer.ok_or_else(|| {
        let folder = args.model.display();
        Error::new(format!("a prompt needs a tokenizer, and {folder} holds none"))
            .help("name the model's tokenizer.json, or a folder that holds one, with --tokenizer")
    })?;
    let (family, path) = (checkpoint.config().family, tokenizer.path());
    let (options, profile) = (&args.options, args.of.profile.into());
    let template = prompts::resolve_template(options, profile, Some(family), path)?;
    let corpora = prompts::corpora(&args.corpora, profile);
    let setup = prompts::setup(options, profile, args.of.seed, &corpora, tokenizer, &template);
    let cell = cell(args)?;
    let named = Cell { length: cell.max_seq_length, task: cell.name() };
    let source = Ruler::new(setup, vec![cell]);
    let answer = source.protocol(&named)?.tokens_to_generate;
    for sample in encode(&source, tokenizer, &named, &BTreeSet::from([0]))? {
        let prompt = sample.prompt?;
        let first = FirstPrompt::new(&named, 0, template.name(), &prompt, tokenizer);
        print(&if args.json {
            format!("{:#}\n", to_json(&first, &template, answer))
        } else {
            format!("template   {}: {:?}\n{first}", template.name(), template.text())
        })?;
    }
    Ok(())
}

/// The one cell that was asked for.
fn cell(args: &InspectArgs) -> Result<generate::Cell> {
    let (of, options) = (&args.of, &args.options);
    let names = [of.task.clone()];
    let tasks = generate::tasks(of.profile.into(), &names, options.corrected_uuids)?;
    let mut cells = generate::cells(&tasks, &options.depth, &[of.length], 1)?;
    match (cells.pop(), cells.len()) {
        (Some(cell), 0) => Ok(cell),
        (_, more) => Err(Error::new(format!("--prompt shows one prompt, not {}", more + 1))
            .help("name one task with --task, and at most one --depth")),
    }
}

fn to_json(first: &FirstPrompt, template: &Template, answer: usize) -> serde_json::Value {
    json!({
        "template": {"name": template.name(), "text": template.text()},
        "first_prompt": first,
        "tokens_to_generate": answer,
    })
}
