//! What the commands that make prompts have in common.

use std::path::Path;

use longseq_core::{hybrid::config::Family, ruler::profile::Profile};

use crate::{
    args::generate::PromptArgs,
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
        seeding: options.seeding.into(),
        fit: options.fit.into(),
        remove_newline_tab: options.remove_newline_tab,
        pre_samples: 0,
    }
}
