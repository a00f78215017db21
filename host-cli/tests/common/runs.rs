//! Folders of runs, made by hand.

#![allow(dead_code, reason = "each test binary compiles this file for itself")]

use std::{fmt::Write, fs, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

/// RULER's tasks, in its order.
pub const TASKS: [&str; 13] = [
    "niah_single_1",
    "niah_single_2",
    "niah_single_3",
    "niah_multikey_1",
    "niah_multikey_2",
    "niah_multikey_3",
    "niah_multivalue",
    "niah_multiquery",
    "vt",
    "cwe",
    "fwe",
    "qa_1",
    "qa_2",
];

/// A run's folder in the making.
pub struct Run(pub PathBuf);

impl Run {
    /// A run of profile huang2025 with four samples a cell.
    pub fn new(parent: &TempDir, name: &str, tasks: &[&str], lengths: &[usize]) -> Self {
        let folder = parent.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let plan = json!({
            "plan_sha256": "0123456789abcdef",
            "plan": {
                "program": { "version": "9.9.9", "commit": "c0ffee" },
                "profile": "huang2025",
                "tasks": tasks,
                "lengths": lengths,
                "samples": 4,
                "seed": 42,
                "fit": "exact",
                "depths": [],
                "template": { "name": "base", "text": "{task_template}\n" },
                "corpora": [{ "name": "essays", "sha256": "e55a" }],
            },
            "machines": [{
                "cpu": "some | CPU", "threads": 2, "batch": 1, "shared_prefixes": true,
                "model": "checkpoints/m", "tokenizer": "t",
                "corpora": {"essays": "built in"},
            }],
        });
        fs::write(folder.join("plan.json"), plan.to_string()).unwrap();
        Self(folder)
    }

    /// Sets a value of the plan.
    pub fn set(self, key: &str, value: Value) -> Self {
        self.change(|plan| plan["plan"][key] = value)
    }

    /// Names the folder of the model.
    pub fn model(self, folder: &str) -> Self {
        self.change(|plan| plan["machines"][0]["model"] = json!(folder))
    }

    /// What the checkpoint says of itself.
    pub fn card(self, card: Value) -> Self {
        self.change(|plan| plan["card"] = card)
    }

    fn change(self, change: impl FnOnce(&mut Value)) -> Self {
        let path = self.0.join("plan.json");
        let mut plan: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut plan);
        fs::write(path, plan.to_string()).unwrap();
        self
    }

    /// Predictions of samples `order`, each with the references and whether they are found.
    pub fn cell(
        self,
        length: usize,
        task: &str,
        order: &[usize],
        refs: &[&str],
        found: &[usize],
    ) -> Self {
        let folder = self.0.join("predictions").join(length.to_string());
        fs::create_dir_all(&folder).unwrap();
        let mut text = String::new();
        for (line, sample) in order.iter().enumerate() {
            let pred = refs[..found[line]].join(" ");
            let finish = if found[line] == refs.len() { "decided" } else { "length" };
            let line = json!({
                "index": 0, "pred": pred, "input": "…", "outputs": refs,
                "others": { "sample": sample, "finish": finish }, "truncation": 0, "length": length,
            });
            writeln!(text, "{line}").unwrap();
        }
        fs::write(folder.join(format!("{task}.jsonl")), text).unwrap();
        self
    }

    /// Predictions of a cell, so many of which hold the one reference.
    pub fn answers(
        self,
        length: usize,
        task: &str,
        samples: usize,
        right: usize,
        reference: &str,
    ) -> Self {
        let order: Vec<usize> = (0..samples).collect();
        let found: Vec<usize> = order.iter().map(|&sample| usize::from(sample < right)).collect();
        self.cell(length, task, &order, &[reference], &found)
    }

    /// Samples that failed: length, task and number.
    pub fn failures(self, lines: &[(usize, &str, usize)]) -> Self {
        let mut text = String::new();
        for (length, task, sample) in lines {
            let line = json!({ "length": length, "task": task, "sample": sample, "error": "boom" });
            writeln!(text, "{line}").unwrap();
        }
        fs::write(self.0.join("failures.jsonl"), text).unwrap();
        self
    }
}
