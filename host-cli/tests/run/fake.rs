//! A model that can be foretold, a tokenizer of bytes and prompts that share their haystack.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use longseq::{
    completion::Completion,
    engine::{Continuation, Engine},
    error::{Error, Result},
    journal::{self, Folder},
    plan::{Beside, Cell, CheckpointFiles, Machine, Plan, Program, TemplateText, TokenizerFile},
    progress::Progress,
    run::{
        Parts,
        cell::Schedule,
        check::Check,
        encode::{Protocol, Source},
    },
    sample::Sample,
    tokenizer::Tokenizer,
};
use longseq_core::ruler::score::Metric;
use serde_json::json;

/// Looks the number up in what its slot has read, and goes on with noise that depends on every
/// token of it.
pub struct Retriever {
    histories: Vec<Vec<u32>>,
    /// Tokens read, of all calls.
    pub read: usize,
    /// Calls that are left before `stop` is raised.
    pub calls_left: usize,
    /// Raised when no calls are left.
    pub stop: Arc<AtomicBool>,
    /// Calls fail that read this byte.
    pub poison: Option<u8>,
    /// Prompts may be cut at multiples of this many tokens.
    grid: usize,
}

impl Retriever {
    pub fn new(schedule: Schedule) -> Self {
        Self {
            histories: vec![Vec::new(); schedule.slots()],
            read: 0,
            calls_left: usize::MAX,
            stop: Arc::default(),
            poison: None,
            grid: schedule.grid,
        }
    }
}

/// What follows a history: ` It is NUMBER` and noise, among it letters of two bytes.
fn next(history: &[u32]) -> u32 {
    let bytes: Vec<u8> = history.iter().map(|&id| id as u8).collect();
    let written = bytes.iter().rev().take_while(|&&byte| byte != b'?').count();
    let prompt = &bytes[..bytes.len() - written];
    let text = String::from_utf8_lossy(prompt);
    let number = text.split("number is ").nth(1).and_then(|rest| rest.get(..5)).unwrap_or("none");
    let answer = format!(" It is {number}");
    if let Some(byte) = answer.as_bytes().get(written) {
        return u32::from(*byte);
    }
    let hash = prompt
        .iter()
        .fold(written as u32, |hash, &byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte));
    let noise = ["α", "ß", "İ", "Σ", "e", " "][(hash % 6) as usize].as_bytes();
    let at = (written - answer.len()) % 2;
    u32::from(noise[at.min(noise.len() - 1)])
}

impl Engine for Retriever {
    fn tokens_per_call(&self) -> usize {
        256
    }

    fn vocabulary(&self) -> usize {
        256
    }

    fn slots(&self) -> usize {
        self.histories.len()
    }

    fn reset(&mut self, slot: usize) {
        self.histories[slot].clear();
    }

    fn fork(&mut self, from: usize, to: usize) {
        self.histories[to] = self.histories[from].clone();
    }

    fn forward(&mut self, batch: &[Continuation<'_>], places: &mut [u32]) -> Result<()> {
        self.calls_left = self.calls_left.saturating_sub(1);
        if self.calls_left == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
        for (continuation, place) in batch.iter().zip(places) {
            assert!(!continuation.tokens.is_empty(), "nothing to read");
            let history = &mut self.histories[continuation.slot];
            let answering = history.contains(&u32::from(b'?'));
            assert!(answering || history.len().is_multiple_of(self.grid), "cut off the grid");
            self.read += continuation.tokens.len();
            history.extend(continuation.tokens);
            *place = next(history);
        }
        let poisoned = |of: &Continuation<'_>| {
            self.poison.is_some_and(|poison| of.tokens.contains(&u32::from(poison)))
        };
        if batch.iter().any(poisoned) { Err(Error::new("poisoned")) } else { Ok(()) }
    }
}

/// One token a byte, decoded as byte-level tokenizers do.
pub fn byte_tokenizer(folder: &Path) -> Tokenizer {
    // The printable stand-ins for bytes that byte-level tokenizers use.
    let printable = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut others = 256_u32..;
    let vocabulary: BTreeMap<String, u8> = (0..=255_u8)
        .map(|byte| {
            let code = if printable(&byte) { Some(u32::from(byte)) } else { others.next() };
            (code.and_then(char::from_u32).unwrap().to_string(), byte)
        })
        .collect();
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": false, "vocab": vocabulary, "merges": []},
    });
    let path = folder.join("tokenizer.json");
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    Tokenizer::load(&path).unwrap()
}

/// Needles at growing depths of one haystack; every third prompt asks for a number that is not
/// in its references.
pub struct Needles {
    /// Tokens of a cell's length that are not filled with haystack.
    pub kept_free: usize,
}

pub const NEEDLES: Needles = Needles { kept_free: 200 };

pub const SAMPLES: usize = 9;
pub const OUTPUT: usize = 24;

impl Source for Needles {
    fn protocol(&self, cell: &Cell) -> Result<Protocol> {
        let metric = Metric::StringMatchAll;
        Ok(Protocol { tokens_to_generate: OUTPUT, metric, limit: cell.length })
    }

    fn samples(&self, cell: &Cell) -> Result<Vec<Sample>> {
        let line = "The grass is green. The sky is blue.";
        let lines = (cell.length - self.kept_free) / line.len();
        let sample = |number: usize| {
            let value = 10_000 + 7_919 * number;
            let mut haystack = vec![line.to_owned(); lines];
            haystack.insert((number * 5) % lines, format!("The {} number is {value}.", cell.task));
            let reference = if number % 3 == 2 { value + 1 } else { value };
            Sample {
                index: -1,
                input: format!("Remember.\n{}\nWhich number", haystack.join("\n")),
                outputs: vec![reference.to_string()],
                length: cell.length,
                length_w_model_temp: None,
                answer_prefix: Some(" is it?".to_owned()),
                token_position_answer: None,
            }
        };
        Ok((0..SAMPLES).map(sample).collect())
    }
}

pub fn plan(decided_stop: bool) -> Plan {
    let text = |text: &str| text.to_owned();
    Plan {
        program: Program::this(),
        profile: text("ruler"),
        tasks: vec![text("one"), text("two")],
        lengths: vec![600, 1000],
        samples: SAMPLES,
        seed: 42,
        seeding: text("run"),
        fit: text("exact"),
        depths: Vec::new(),
        corrected_uuids: false,
        remove_newline_tab: false,
        template: TemplateText { name: text("base"), text: text("{task_template}") },
        corpora: Vec::new(),
        tokenizer: TokenizerFile { sha256: text("00"), vocabulary: 256, bos: None },
        checkpoint: CheckpointFiles { family: text("fake"), parameters: 0, sha256: text("00") },
        backend: text("reference"),
        precision: text("f32"),
        quirks: Vec::new(),
        end_of_text: Vec::new(),
        decided_stop,
    }
}

pub fn machine() -> Machine {
    Machine {
        cpu: "any".to_owned(),
        threads: 1,
        batch: 1,
        shared_prefixes: true,
        model: "fake".to_owned(),
        tokenizer: "bytes".to_owned(),
        corpora: BTreeMap::new(),
    }
}

/// Runs `plan` in `root` with `engine`; whether it came to the end, and how many samples failed.
pub fn run(
    root: &Path,
    plan: &Plan,
    schedule: Schedule,
    engine: &mut Retriever,
) -> Result<(bool, usize)> {
    let home = tempfile::tempdir().unwrap();
    let tokenizer = byte_tokenizer(home.path());
    let folder = Folder::lock(root)?;
    let check = Check::new(plan, root, &NEEDLES, &tokenizer, schedule, |_| {})?;
    let mut journal = folder.open(
        plan,
        Beside { first_prompt: check.first.clone(), ..Beside::default() },
        &machine(),
    )?;
    let mut progress = Progress::hidden();
    let stop = engine.stop.clone();
    let parts = Parts { plan, source: &NEEDLES, tokenizer: &tokenizer, schedule, stop: &stop };
    let ended = longseq::run::run(parts, &check, engine, &mut journal, &mut progress)?;
    Ok((ended, journal.failed()))
}

/// Every prediction of a run, by cell and sample.
pub fn predictions(root: &Path, plan: &Plan) -> BTreeMap<(Cell, usize), Completion> {
    let mut all = BTreeMap::new();
    for cell in plan.cells() {
        let text = std::fs::read_to_string(journal::predictions(root, &cell)).unwrap_or_default();
        for line in text.lines() {
            let completion: Completion = serde_json::from_str(line).unwrap();
            let number = completion.others.sample.unwrap();
            assert!(all.insert((cell.clone(), number), completion).is_none(), "{cell} {number}");
        }
    }
    all
}
