//! Prompt templates: what stands around RULER's task text when a model expects turns.
//!
//! The named ones are constants of RULER's protocol (see NOTICE).

mod chat;

use std::{io, path::Path};

use crate::{
    error::{Error, Result},
    files,
};

/// Where the task's own template goes.
pub const PLACEHOLDER: &str = "{task_template}";

/// Name and text of each built-in template.
const BUILT_IN: [(&str, &str); 5] = [
    ("base", "{task_template}"),
    (
        "RWKV",
        "User: hi\n\nAssistant: Hi. I am your assistant and I will provide expert full response in full details. Please feel free to ask any question and I will always answer it\n\nUser: {task_template}\n\nAssistant:",
    ),
    (
        "sheared_llama-chat",
        "You are a helpful assistant. Write a response that appropriately completes the request.\n\n### Input:\n{task_template}\n\n### Response:",
    ),
    ("meta-chat", "[INST] {task_template} [/INST]"),
    (
        "meta-llama3",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{task_template}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
];

/// A prompt template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    name: String,
    text: String,
}

impl Template {
    /// A built-in template by name, else the file of that name.
    ///
    /// A file holds [`PLACEHOLDER`] once. The line feed that ends its last line is not part of
    /// the template; all else is taken as it stands.
    pub fn resolve(name_or_file: &str) -> Result<Self> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_file) {
            return Ok(Self { name: (*name).to_owned(), text: (*text).to_owned() });
        }
        let names = BUILT_IN.map(|(name, _)| name).join(", ");
        let bytes = files::read(Path::new(name_or_file));
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
        let text = text.map_err(|source| {
            Error::new(format!("cannot read the prompt template {name_or_file}: {source}"))
                .help(format!("name a file that holds {PLACEHOLDER}, or one of: {names}"))
        })?;
        match text.matches(PLACEHOLDER).count() {
            1 => {
                let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                Ok(Self { name: name_or_file.to_owned(), text })
            }
            found => Err(Error::new(format!(
                "the prompt template {name_or_file} holds {PLACEHOLDER} {found} times"
            ))
            .help(format!("write {PLACEHOLDER} once, where the task's text goes"))),
        }
    }

    /// The name, or the path of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, with [`PLACEHOLDER`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before and after the task's text.
    pub fn around(&self) -> (&str, &str) {
        self.text.split_once(PLACEHOLDER).unwrap_or((&self.text, ""))
    }
}

impl Default for Template {
    fn default() -> Self {
        Self { name: "base".to_owned(), text: PLACEHOLDER.to_owned() }
    }
}
