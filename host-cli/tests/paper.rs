//! `longseq run --preset`, templates of the families and `longseq inspect --prompt`, through the
//! binary.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use longseq_core::ruler::task::TASKS;
use serde_json::{Value, json};
use tempfile::TempDir;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/random-mamba2");

/// A checkpoint of the tests, and what the paper says of its family.
struct Published {
    fixture: &'static str,
    template: &'static str,
    depth_lengths: &'static [usize],
}

const FAMILIES: [Published; 6] = [
    Published { fixture: "mamba2", template: "base", depth_lengths: &[1024, 2048, 4096] },
    Published { fixture: "mamba2attn", template: "base", depth_lengths: &[1024, 2048, 4096] },
    Published { fixture: "transformerpp", template: "base", depth_lengths: &[1024, 2048, 4096] },
    Published {
        fixture: "sheared-llama",
        template: "sheared_llama-chat",
        depth_lengths: &[4096, 8192],
    },
    Published { fixture: "recurrentgemma", template: "base", depth_lengths: &[2048, 4096] },
    Published { fixture: "rwkv6", template: "RWKV", depth_lengths: &[4096, 8192] },
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models").join(name)
}

/// A tokenizer that any model has room for: every word is the same token.
fn words(folder: &TempDir) -> PathBuf {
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": null, "decoder": null,
        "model": { "type": "WordLevel", "vocab": { "word": 0 }, "unk_token": "word" },
    });
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, json.to_string()).unwrap();
    path
}

fn longseq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_longseq")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// The plan of a run that is not made.
fn plan(model: &Path, tokenizer: &Path, more: &[&str]) -> Value {
    let (model, tokenizer) = (model.to_str().unwrap(), tokenizer.to_str().unwrap());
    let run = ["run", "--model", model, "--tokenizer", tokenizer, "--out", "nowhere"];
    let output = longseq(&[&run[..], &["--dry-run", "--json"], more].concat());
    json_of(&output)["plan"].take()
}

/// Whether a plan is the paper's for tables 1 and 7 to 19, but for its number of samples.
fn assert_protocol(plan: &Value, template: &str) {
    let tasks = TASKS.map(|task| task.name);
    for (key, value) in [
        ("/tasks", json!(tasks)),
        ("/lengths", json!([1024, 2048, 4096, 8192, 16384])),
        ("/profile", json!("huang2025")),
        ("/seed", json!(42)),
        ("/seeding", json!("run")),
        ("/fit", json!("exact")),
        ("/depths", json!([])),
        ("/corrected_uuids", json!(false)),
        ("/remove_newline_tab", json!(false)),
        ("/template/name", json!(template)),
    ] {
        assert_eq!(plan.pointer(key), Some(&value), "{key}");
    }
}

#[test]
fn the_preset_is_the_papers_protocol() {
    let tokenizer = Path::new(MODEL).join("tokenizer.json");
    // The texts that come with the program have too few questions for 250 samples.
    let preset = ["--preset", "huang2025", "--samples", "2"];
    assert_protocol(&plan(Path::new(MODEL), &tokenizer, &preset), "base");
    let preset = ["--preset", "huang2025-depths", "--samples", "2"];
    let plan = plan(Path::new(MODEL), &tokenizer, &preset);
    let tasks = plan["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 21);
    assert!(tasks.contains(&json!("niah_essay_uuids_60")));
    assert!(!tasks.contains(&json!("niah_essay_uuids_random")));
}

/// Whole models of every family, where they are at hand.
#[test]
fn the_preset_fits_whole_models() {
    let Some(oracles) = std::env::var_os("LONGSEQ_ORACLES").map(PathBuf::from) else { return };
    for Published { fixture: name, template, .. } in FAMILIES {
        let model = oracles.join("models/runnable").join(name);
        let preset = ["--preset", "huang2025", "--samples", "2"];
        assert_protocol(&plan(&model, &model, &preset), template);
    }
}

#[test]
fn the_family_sets_template_and_lengths() {
    let folder = TempDir::new().unwrap();
    let tokenizer = words(&folder);
    for Published { fixture: name, template, depth_lengths } in FAMILIES {
        for (preset, task, lengths) in [
            ("huang2025", "niah_single_1", &[1024, 2048, 4096, 8192, 16384][..]),
            ("huang2025-depths", "niah_repeat_numbers_0", depth_lengths),
        ] {
            let more = ["--preset", preset, "--tasks", task, "--samples", "1"];
            let plan = plan(&fixture(name), &tokenizer, &more);
            assert_eq!(plan["lengths"], json!(lengths), "{name}");
            assert_eq!(plan["template"]["name"], template, "{name}");
            assert_eq!(plan["profile"], "huang2025");
        }
    }
}

#[test]
fn the_preset_takes_250_samples_and_fits_1024_tokens() {
    let tokenizer = Path::new(MODEL).join("tokenizer.json");
    let preset = ["--preset", "huang2025-depths", "--lengths", "1024"];
    assert_eq!(plan(Path::new(MODEL), &tokenizer, &preset)["samples"], 250);
    let preset = ["--preset", "huang2025", "--lengths", "1024", "--samples", "50"];
    assert_eq!(plan(Path::new(MODEL), &tokenizer, &preset)["lengths"], json!([1024]));
}

#[test]
fn options_beside_a_preset_go_before_it() {
    let tokenizer = Path::new(MODEL).join("tokenizer.json");
    let plan = |more: &[&str]| plan(Path::new(MODEL), &tokenizer, more);
    let cells = ["--tasks", "vt", "--lengths", "2048,4096", "--samples", "3"];
    let over = plan(&[&["--preset", "huang2025"], &cells[..]].concat());
    assert_eq!(over["tasks"], json!(["vt"]));
    // The plan holds what is run, not how it was asked for.
    assert_eq!(over, plan(&[&["--profile", "huang2025"], &cells[..]].concat()));
    let over = ["--profile", "ruler", "--template", "RWKV"];
    let over = plan(&[&["--preset", "huang2025"], &cells[..], &over].concat());
    assert_eq!((&over["profile"], &over["template"]["name"]), (&json!("ruler"), &json!("RWKV")));
}

#[test]
fn without_a_preset_cells_must_be_named() {
    let output = longseq(&["run", "--model", MODEL, "--out", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("--tasks") && message.contains("--lengths"), "{message}");
}

#[test]
fn the_template_is_the_familys_only_in_the_papers_profile() {
    let folder = TempDir::new().unwrap();
    let tokenizer = words(&folder);
    let cells = ["--tasks", "vt", "--lengths", "1024", "--samples", "1"];
    let plan =
        |more: &[&str]| plan(&fixture("sheared-llama"), &tokenizer, &[&cells[..], more].concat());
    assert_eq!(plan(&[])["template"]["name"], "base");
    let published = plan(&["--profile", "huang2025"]);
    assert_eq!(published["template"]["name"], "sheared_llama-chat");
    assert!(published["template"]["text"].as_str().unwrap().contains("### Input:"));
    let asked = plan(&["--profile", "huang2025", "--template", "base"]);
    assert_eq!(asked["template"]["name"], "base");
}

#[test]
fn a_run_records_its_first_prompt_and_keeps_it() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("run");
    let cells = ["--tasks", "vt", "--lengths", "1024", "--samples", "2"];
    let run = |more: &[&str]| {
        let run = ["run", "--model", MODEL, "--out", out.to_str().unwrap()];
        let output = longseq(&[&run[..], &cells, more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let first = || -> Value {
        let plan = fs::read_to_string(out.join("plan.json")).unwrap();
        serde_json::from_str::<Value>(&plan).unwrap()["first_prompt"].take()
    };
    let dry = ["run", "--model", MODEL, "--out", "nowhere", "--dry-run", "--json"];
    let planned = json_of(&longseq(&[&dry[..], &cells].concat()));
    let said = run(&[]);
    let recorded = first();
    assert_eq!(planned["first_prompt"], recorded);
    // What is shown without a run is the same prompt.
    let inspect = ["inspect", "--model", MODEL, "--prompt", "--task", "vt", "--length", "1024"];
    let shown = json_of(&longseq(&[&inspect[..], &["--json"]].concat()));
    assert_eq!(shown["first_prompt"], recorded);
    assert_eq!(shown["template"], json!({"name": "base", "text": "{task_template}"}));
    assert_eq!(recorded["template"], "base");
    assert_eq!((&recorded["sample"], &recorded["bos"]), (&json!(0), &json!(0)));
    for end in ["begins", "ends"] {
        let ids: Vec<u64> = serde_json::from_value(recorded[end]["ids"].clone()).unwrap();
        assert_eq!(ids.len(), 8);
        let text = recorded[end]["text"].as_str().unwrap();
        assert!(said.contains(&format!("{ids:?} {text:?}")), "{said}");
    }
    // The prompts that a model has read.
    let lines = fs::read_to_string(out.join("predictions/1024/vt.jsonl")).unwrap();
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let input = line["input"].as_str().unwrap();
    assert!(input.starts_with(recorded["begins"]["text"].as_str().unwrap()));
    assert_eq!(line["others"]["prompt_tokens"], recorded["tokens"]);
    // Sample 0 is there: the prompt that is left to look at is another one.
    fs::write(out.join("predictions/1024/vt.jsonl"), format!("{line}\n")).unwrap();
    assert!(run(&[]).contains("prompt 1   vt at 1024 tokens"));
    assert_eq!(first(), recorded);
    let report = longseq(&["report", out.to_str().unwrap(), "--format", "json"]);
    assert_eq!(json_of(&report)["runs"][0]["provenance"]["first_prompt"], recorded);
    let report = longseq(&["report", out.to_str().unwrap(), "--format", "markdown"]);
    assert!(text(&report.stdout).contains("| first_prompt.begins.ids | "));
}

#[test]
fn inspect_shows_a_prompt_of_any_kind() {
    let folder = TempDir::new().unwrap();
    let tokenizer = words(&folder);
    let llama = fixture("sheared-llama");
    let inspect = |more: &[&str]| {
        let model = ["inspect", "--model", llama.to_str().unwrap(), "--prompt"];
        let tokenizer = ["--tokenizer", tokenizer.to_str().unwrap()];
        longseq(&[&model[..], &tokenizer, more].concat())
    };
    let said = text(&inspect(&["--profile", "huang2025"]).stdout);
    assert!(said.starts_with("template   sheared_llama-chat: \"You are a helpful"), "{said}");
    assert!(said.contains("prompt 0   niah_single_1 at 2048 tokens"), "{said}");
    let said = json_of(&inspect(&["--task", "niah_single_2", "--depth", "50", "--json"]));
    assert_eq!(said["first_prompt"]["task"], "niah_single_2_depth50");
    for (more, what) in [
        (&["--task", "all"][..], "one prompt, not 13"),
        (&["--depth", "0,50"], "one prompt, not 2"),
        (&["--length", "16"], "does not fit 16 tokens"),
    ] {
        let output = inspect(more);
        assert_eq!(output.status.code(), Some(2), "{what}");
        assert!(text(&output.stderr).contains(what), "{}", text(&output.stderr));
    }
    let config = folder.path().join("tokenizer_config.json");
    assert_eq!(inspect(&["--template", "chat"]).status.code(), Some(2), "there is none");
    let chat = "Q: {{ messages[0]['content'] }} A:";
    fs::write(config, json!({ "chat_template": chat }).to_string()).unwrap();
    let said = json_of(&inspect(&["--profile", "huang2025", "--template", "chat", "--json"]));
    assert_eq!(said["template"]["text"], "Q: {task_template} A:");
    let none = longseq(&["inspect", "--model", llama.to_str().unwrap(), "--prompt"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("a prompt needs a tokenizer"), "{}", text(&none.stderr));
    // What says something of the prompt is not passed over in silence.
    for more in [["--length", "512"], ["--template", "RWKV"], ["--words", "lists"]] {
        let output = longseq(&[&["inspect", "--model", MODEL], &more[..]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("--prompt"), "{more:?}");
    }
}
