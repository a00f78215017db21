//! A checkpoint's own chat template gives what transformers gives; what cannot be used is refused.

use std::{fs, path::Path};

use longseq::{
    error::Result,
    template::{PLACEHOLDER, Template},
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A template, and what transformers makes of it.
#[derive(Deserialize)]
struct Case {
    name: String,
    config: Value,
    file: Option<String>,
    rendered: String,
}

fn folder(config: &Value, file: Option<&[u8]>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer_config.json"), config.to_string()).expect("a file");
    if let Some(file) = file {
        fs::write(folder.path().join("chat_template.jinja"), file).expect("a file");
    }
    folder
}

fn chat(config: &Value, file: Option<&[u8]>) -> Result<Template> {
    Template::chat(folder(config, file).path())
}

fn configured(template: &str) -> Result<Template> {
    chat(&json!({"chat_template": template}), None)
}

#[test]
fn templates_are_rendered_as_transformers_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/templates/chat.json");
    let cases = fs::read(path).expect("cases");
    let cases: Vec<Case> = serde_json::from_slice(&cases).expect("cases in JSON");
    assert_eq!(cases.len(), 9);
    for Case { name, config, file, rendered } in cases {
        let folder = folder(&config, file.as_deref().map(str::as_bytes));
        // A file of the tokenizer stands for its folder.
        for path in [folder.path().to_owned(), folder.path().join("tokenizer.json")] {
            let template = Template::chat(&path).expect(&name);
            assert_eq!(template.text(), rendered, "{name}");
            assert_eq!(template.name(), "chat");
            let (before, after) = template.around();
            assert_eq!(format!("{before}{PLACEHOLDER}{after}"), rendered, "{name}");
        }
    }
}

#[test]
fn the_only_template_of_a_list_is_taken() {
    let entry = |name, text: &str| json!({"name": name, "template": format!("{text} {{{{ messages[0].content }}}}")});
    let list = |entries: &[Value]| chat(&json!({"chat_template": entries}), None);
    let only = list(&[entry("rag", "one")]).expect("a template");
    assert_eq!(only.text(), "one {task_template}");
    let error = list(&[entry("rag", "one"), entry("tools", "two")]).expect_err("two").to_string();
    assert!(error.contains("none of the 2 chat templates in "), "{error}");
    assert!(error.contains("has the name default\nhelp: "), "{error}");
    list(&[]).expect_err("no template");
    list(&[json!({"name": "default"})]).expect_err("no template");
}

#[test]
fn what_is_rendered_is_not_read_as_jinja_again() {
    let text =
        "{{ '{{ 7 * 6 }}' }}{% raw %}{% if %}{% endraw %}{{ messages[0].content }}{{ '{#' }}";
    let template = configured(text).expect("a template");
    assert_eq!(template.text(), "{{ 7 * 6 }}{% if %}{task_template}{#");
}

#[test]
fn unusable_templates_are_named() {
    let content = "{{ messages[0].content }}";
    let forever = format!(
        "{{% for i in range(99999) %}}{{% for j in range(99999) %}}{{% endfor %}}{{% endfor %}}{content}"
    );
    let huge = format!("{{{{ 'x' * 9999999999 }}}}{content}");
    let doubling = format!(
        "{{% set ns = namespace(t='xx') %}}{{% for i in range(60) %}}{{% set ns.t = ns.t + ns.t %}}{{% endfor %}}{content}"
    );
    let deep = "{{ ".to_owned() + &"(".repeat(100_000) + "1" + &")".repeat(100_000) + " }}";
    let own = "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}".to_owned();
    let cases = [
        ("", "writes the user's message 0 times"),
        ("{{ messages | length }}", "writes the user's message 0 times"),
        ("{{ messages[0].content }}{{ messages[0].content }}", "writes the user's message 2 times"),
        ("{task_template}{{ messages[0].content }}", "writes the user's message 2 times"),
        ("{{ messages[0].content | upper }}", "writes the user's message 0 times"),
        (
            "{{ raise_exception('system first') }}",
            "cannot be rendered: invalid operation: system first",
        ),
        ("{{ raise_exception() }}", "cannot be rendered"),
        ("{{ messages[0].content", "cannot be rendered: syntax error"),
        ("{% generation %}", "cannot be rendered: syntax error"),
        ("{{ strftime_now('%d') }}", "cannot be rendered: unknown function"),
        ("{{ messages | nothing }}", "cannot be rendered: unknown filter"),
        ("{{ messages[0].content.nothing() }}", "cannot be rendered: unknown method"),
        ("{{ messages[1].content }}", "cannot be rendered: undefined value"),
        ("{% include '/etc/hosts' %}", "cannot be rendered"),
        (&forever, "cannot be rendered: engine ran out of fuel"),
        (&huge, "cannot be rendered: engine ran out of fuel"),
        (&doubling, "cannot be rendered: engine ran out of fuel"),
        (&deep, "cannot be rendered: syntax error"),
        (&own, "cannot be rendered"),
    ];
    for (template, expected) in cases {
        let start: String = template.chars().take(80).collect();
        let error = configured(template).expect_err(&start).to_string();
        assert!(error.contains("tokenizer_config.json"), "{start}: {error}");
        assert!(error.contains(expected) && error.contains("\nhelp: "), "{start}: {error}");
        let error = chat(&json!({}), Some(template.as_bytes())).expect_err(&start).to_string();
        assert!(error.contains("chat_template.jinja"), "{start}: {error}");
    }
}

proptest! {
    #[test]
    fn any_template_is_rendered_or_refused(parts in prop::collection::vec(prop::sample::select(vec![
        "{{", "}}", "{%", "%}", "{#", "#}", "-", " ", "\n", "(", ")", "[", "]", "'", "\"", ":", "|", ".", ",", "%", "*",
        "for m in messages", "endfor", "if m", "elif", "else", "endif", "set x =", "endset", "macro f(x)", "endmacro",
        "raw", "endraw", "messages", "messages[0].content", "m.content", "x", "f(1)", "range(9)", "namespace()",
        "loop.index", "bos_token", "trim", "upper", "split", "strip()", "not", "in", "is defined", "1", "0", "9999999999",
        "//", "**", "~", "é", "\\u12", "{{ messages[0].content }}", "{% for m in messages %}", "{% endfor %}",
    ]), 0..24)) {
        match configured(&parts.concat()) {
            Ok(template) => prop_assert_eq!(template.text().matches(PLACEHOLDER).count(), 1),
            Err(error) => prop_assert!(error.to_string().contains("\nhelp: ")),
        }
    }
}

#[test]
fn missing_and_broken_files_are_named() {
    for config in [json!({}), json!({"chat_template": null}), json!({"chat_template": 1}), json!(1)]
    {
        let error = chat(&config, None).expect_err("no template").to_string();
        assert!(error.contains("no chat template is in "), "{error}");
        assert!(error.contains("\nhelp: name a template"), "{error}");
    }
    let nothing = tempfile::tempdir().expect("a folder");
    let error = Template::chat(nothing.path()).expect_err("no file").to_string();
    assert!(error.contains("no chat template is in "), "{error}");
    fs::write(nothing.path().join("tokenizer_config.json"), "{").expect("a file");
    let error = Template::chat(nothing.path()).expect_err("no JSON").to_string();
    assert!(error.contains("tokenizer_config.json is no JSON"), "{error}");

    let error = chat(&json!({}), Some(b"\xff")).expect_err("Latin-1").to_string();
    assert!(error.contains("chat_template.jinja") && error.contains("utf-8"), "{error}");
    let long = " ".repeat((1 << 20) + 1);
    let error = chat(&json!({}), Some(long.as_bytes())).expect_err("too long").to_string();
    assert!(error.contains("chat_template.jinja: it is larger than 1.00 MiB"), "{error}");
    let error = configured(&long).expect_err("too long").to_string();
    assert!(error.contains("has 1048577 bytes") && error.contains("\nhelp: "), "{error}");
}
