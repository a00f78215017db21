//! The chat template that a checkpoint brings along: what its turns look like, written in Jinja.
//!
//! It is rendered as transformers does, with one message, of the user, and the start of the
//! answer. The message is the placeholder itself, so the task's text is never read as Jinja; nor
//! is it trimmed where the template trims the message. `strftime_now` is not defined, as no prompt
//! may depend on the day.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use minijinja::{Environment, context, syntax::SyntaxConfig};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde_json::{Map, Value};

use super::{PLACEHOLDER, Template};
use crate::{
    error::{Error, Result},
    files,
    tokenizer::config,
};

const FILE: &str = "chat_template.jinja";

/// The longest published ones have some 20 kB.
const MOST_BYTES: usize = 1 << 20;

/// Bounds the steps of a template, and its memory to some 64 MB; published ones take thousands.
const FUEL: u64 = 1_000_000;

impl Template {
    /// The chat template in a tokenizer's folder, or in the folder of a tokenizer's file.
    pub fn chat(tokenizer: &Path) -> Result<Self> {
        let folder = if tokenizer.is_dir() { tokenizer } else { &tokenizer.with_file_name("") };
        let config = config::read(folder)?;
        let (path, source) = find(folder, &config)?;
        if source.len() > MOST_BYTES {
            let what =
                format!("the chat template in {} has {} bytes", path.display(), source.len());
            return Err(Error::new(what).help(format!("at most {MOST_BYTES} are read")));
        }
        let cannot = |what: String| {
            Error::new(format!("the chat template in {} {what}", path.display())).help(format!(
                "name one of the built-in templates, or a file that holds {PLACEHOLDER}"
            ))
        };
        let text = render(&source, &config)
            .map_err(|source| cannot(format!("cannot be rendered: {source}")))?;
        match text.matches(PLACEHOLDER).count() {
            1 => Ok(Self { name: "chat".to_owned(), text }),
            found => Err(cannot(format!("writes the user's message {found} times, not once"))),
        }
    }
}

/// The template's source and where it stands: in a file of its own, else in the configuration.
fn find(folder: &Path, config: &Value) -> Result<(PathBuf, String)> {
    let path = folder.join(FILE);
    let read = files::read_at_most(&path, MOST_BYTES as u64);
    match read.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other)) {
        Ok(source) => return Ok((path, source)),
        Err(source) if source.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(Error::io("read the chat template", &path, &source)),
    }
    let path = folder.join(config::FILE);
    let refuse = |what: &str| {
        Error::new(what).help(format!("name a template, or a file that holds {PLACEHOLDER}"))
    };
    let (one, many) = match &config["chat_template"] {
        Value::Array(many) => (named(many), many.len()),
        one => (one.as_str(), 0),
    };
    match one {
        Some(source) => Ok((path, source.to_owned())),
        None if many > 1 => {
            let what = format!("none of the {many} chat templates in {}", path.display());
            Err(refuse(&format!("{what} has the name default")))
        }
        None => {
            let what = format!("no chat template is in {}", folder.display());
            Err(refuse(&format!("{what}: neither {FILE} nor chat_template in {}", config::FILE)))
        }
    }
}

/// The one named `default` of a list of names and templates, else the only one.
fn named(templates: &[Value]) -> Option<&str> {
    let default = templates.iter().find(|entry| entry["name"] == "default");
    let only = || templates.first().filter(|_| templates.len() == 1);
    default.or_else(only)?["template"].as_str()
}

fn render(source: &str, config: &Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
    environment.set_syntax(syntax);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.add_function("raise_exception", |message: String| -> Result<String, _> {
        Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message))
    });
    // Jinja has one kind of line end.
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let template = environment.template_from_named_str("template", &source)?;
    template.render(context! {
        messages => [context! { role => "user", content => PLACEHOLDER }],
        tools => (),
        documents => (),
        add_generation_prompt => true,
        ..special_tokens(config),
    })
}

/// `bos_token` and its like.
fn special_tokens(config: &Value) -> minijinja::Value {
    let names = config.as_object().into_iter().flat_map(Map::keys);
    let names = names.filter(|name| name.ends_with("_token"));
    let tokens = names.filter_map(|name| Some((name.as_str(), config::token(config, name)?)));
    minijinja::Value::from_pairs(tokens)
}
