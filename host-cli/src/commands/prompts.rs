//! What the commands that make prompts have in common.

use std::path::Path;

use longseq_core::{
    hybrid::config::Family,
    ruler::{options::Seeding, profile::Profile},
};

use crate::{
    args::{corpora::CorpusArgs, generate::PromptArgs},
    corpora::Corpora,
    error::Result,
    generate::Setup,
    paper::{preset, systems},
    template::Template,
    tokenizer::Tokenizer,
};

/// The template that was asked for; else, with a model of `family` and the paper's profile, the
/// paper's for the family; else none around the task's text. `tokenizer` is its file.
pub fn resolve_template(
    options: &PromptArgs,
    profile: Profile,
    family: Option<Family>,
    tokenizer: &Path,
) -> Result<Template> {
    let published = family.filter(|_| profile == preset::PROFILE).map(systems::template);
    match options.template.as_deref() {
        Some("chat") => Template::chat(tokenizer),
        Some(asked) => Template::resolve(asked),
        None => Template::resolve(published.unwrap_or("base")),
    }
}

/// The corpora that were named, with documents as `profile` has them.
pub fn corpora(args: &CorpusArgs, profile: Profile) -> Corpora {
    Corpora::new(args.clone().into()).with_documents(profile.sizes().document)
}

/// The seeding that was asked for, else the profile's.
pub fn seeding(options: &PromptArgs, profile: Profile) -> Seeding {
    options.seeding.map_or(profile.seeding(), Seeding::from)
}

/// What all cells have in common.
pub fn setup<'a>(
    options: &PromptArgs,
    profile: Profile,
    seed: u32,
    corpora: &'a Corpora,
    tokenizer: &'a Tokenizer,
    template: &'a Template,
) -> Setup<'a> {
    Setup {
        corpora,
        tokenizer,
        template,
        profile,
        seed,
        seeding: seeding(options, profile),
        fit: options.fit.into(),
        remove_newline_tab: options.remove_newline_tab,
        pre_samples: 0,
    }
}
