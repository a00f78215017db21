//! `plan.json`.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Beside, Machine, Plan};
use crate::error::{Error, Result};

/// The content of a run's `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    /// SHA-256 of the plan's canonical JSON.
    pub plan_sha256: String,
    /// The plan, as the version of the program that wrote it put it.
    pub plan: Value,
    /// What else was recorded when the run began.
    #[serde(flatten)]
    pub beside: Beside,
    /// The machines it ran on, each once.
    pub machines: Vec<Machine>,
}

impl PlanFile {
    /// The file of a new run.
    pub fn new(plan: &Plan, beside: Beside, machine: &Machine) -> Self {
        Self {
            plan_sha256: plan.sha256(),
            plan: plan.to_value(),
            beside,
            machines: vec![machine.clone()],
        }
    }

    /// Reads that of a run.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("plan.json");
        let bytes = fs::read(&path).map_err(|source| {
            Error::io("read", &path, &source).help("name the folder of a run: its --out")
        })?;
        serde_json::from_slice(&bytes).map_err(|source| {
            Error::new(format!("{} is no plan: {source}", path.display()))
                .help("name the folder of a run: its --out")
        })
    }

    /// The plan, as this version of the program knows it.
    pub fn parsed(&self) -> Result<Plan> {
        Plan::deserialize(&self.plan).map_err(|source| {
            Error::new(format!("the plan {} is of another kind: {source}", self.plan_sha256))
                .help("use the version of longseq that wrote it: see program in plan.json")
        })
    }

    /// Writes it in one piece: a reader finds the old file or the new one.
    pub fn write(&self, root: &Path) -> Result<()> {
        let (path, part) = (root.join("plan.json"), root.join("plan.json.part"));
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|source| Error::new(format!("cannot write {}: {source}", path.display())))?;
        text.push('\n');
        fs::write(&part, text).map_err(|source| Error::io("write", &part, &source))?;
        fs::rename(&part, &path).map_err(|source| Error::io("write", &path, &source))
    }

    /// That of the run in `root`, if there is one; refuses another plan, naming what differs.
    pub fn find(root: &Path, plan: &Plan) -> Result<Option<Self>> {
        if !root.join("plan.json").exists() {
            return Ok(None);
        }
        let file = Self::read(root)?;
        let differences = file.differences(plan);
        if differences.is_empty() {
            return Ok(Some(file));
        }
        let (root, differences) = (root.display(), differences.join("\n  "));
        Err(Error::new(format!("{root} is the run of another plan:\n  {differences}"))
            .help("repeat the options it was started with, or name another folder with --out"))
    }

    /// Adds a machine that is not yet listed.
    pub fn note_machine(mut self, machine: &Machine, root: &Path) -> Result<()> {
        if self.machines.contains(machine) {
            return Ok(());
        }
        self.machines.push(machine.clone());
        self.write(root)
    }

    /// `field: there … here …`, one a difference.
    pub fn differences(&self, plan: &Plan) -> Vec<String> {
        let mut differences = Vec::new();
        compare("", &self.plan, &plan.to_value(), &mut differences);
        differences
    }
}

fn compare(path: &str, there: &Value, here: &Value, differences: &mut Vec<String>) {
    if let (Value::Object(old), Value::Object(new)) = (there, here) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = |of: &serde_json::Map<_, _>| of.get(key).cloned().unwrap_or_default();
            compare(&path, &value(old), &value(new), differences);
        }
    } else if there != here {
        differences.push(format!("{path}: {there} there, {here} here"));
    }
}
