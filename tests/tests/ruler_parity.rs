//! Prompts against the files that RULER's own scripts wrote, byte for byte.
//!
//! Where `LONGSEQ_ORACLES` is set, all files of its `ruler` folder are compared; those with words
//! of wonderwords need `LONGSEQ_WONDERWORDS`, a folder that holds `<version>/wonderwords/assets`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use longseq::{
    corpora::{Corpora, CorpusFiles, uses_words},
    generate::{Cell, Setup},
    python_json,
    sample::Sample,
    template::Template,
    tokenizer::Tokenizer,
};
use longseq_core::ruler::{
    budget::Fit,
    options::Seeding,
    profile::Profile,
    task::{Haystack, Recipe, Task},
};
use serde::Deserialize;

/// How RULER's scripts were called for a file.
#[derive(Clone, Debug, Deserialize)]
struct Golden {
    /// Below the folder of goldens.
    file: String,
    profile: String,
    task: String,
    seed: u32,
    length: usize,
    #[serde(default = "base")]
    template: String,
    /// Number and count of prepare.py's chunks, of `samples` samples together.
    #[serde(default = "whole")]
    chunk: (usize, usize),
    samples: usize,
    /// Further options of the script.
    #[serde(default)]
    extra: Vec<String>,
    /// Whether the script ended; otherwise there is no file.
    #[serde(default = "yes")]
    ends: bool,
}

fn base() -> String {
    "base".to_owned()
}

fn whole() -> (usize, usize) {
    (0, 1)
}

fn yes() -> bool {
    true
}

impl Golden {
    fn task(&self) -> Task {
        let mut task = Task::find(self.profile(), &self.task, false).expect("a task");
        if self.extra.iter().any(|option| option == "essay") {
            task.recipe = Recipe::VariableTracking(Haystack::Essay);
        }
        task
    }

    fn profile(&self) -> Profile {
        let named = Profile::ALL.into_iter().find(|profile| profile.name() == self.profile);
        named.expect("a profile")
    }

    /// Writes the lines of the golden, or says why not.
    fn generate(&self, corpora: &Corpora, tokenizer: &Tokenizer) -> Result<Vec<String>, String> {
        let (chunk, chunks) = self.chunk;
        let size = |chunk| self.samples / chunks + usize::from(chunk < self.samples % chunks);
        let template = Template::resolve(&self.template).expect("a template");
        let setup = Setup {
            corpora,
            tokenizer,
            template: &template,
            profile: self.profile(),
            seed: self.seed + u32::try_from(chunk).expect("a small number"),
            seeding: Seeding::Run,
            fit: Fit::Exact,
            remove_newline_tab: self.extra.iter().any(|option| option == "--remove_newline_tab"),
            pre_samples: (0..chunk).map(size).sum(),
        };
        let cell = Cell::new(self.task(), None, self.length, size(chunk)).expect("a cell");
        let samples = setup.samples(&cell, &|| ()).map_err(|error| error.to_string())?;
        let line = |sample| {
            let mut line = Vec::new();
            python_json::write_line(&mut line, sample).expect("written");
            String::from_utf8(line).expect("ASCII")
        };
        Ok(samples.iter().map(line).collect())
    }

    /// What is wrong with our samples, if anything.
    fn differs(&self, folder: &Path, corpora: &Corpora, tokenizer: &Tokenizer) -> Option<String> {
        let ours = self.generate(corpora, tokenizer);
        if !self.ends {
            return match ours {
                Ok(_) => Some("came to an end".to_owned()),
                Err(error) => (!error.contains("does not fit")).then_some(error),
            };
        }
        let ours = match ours {
            Ok(ours) => ours.concat(),
            Err(error) => return Some(error),
        };
        let theirs = fs::read_to_string(folder.join(&self.file)).expect("a golden");
        let same = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
        if same == ours.len() && same == theirs.len() {
            return None;
        }
        let from = same.saturating_sub(60);
        let end = |text: &str| text[from..].chars().take(160).collect::<String>();
        Some(format!("byte {same}\n  theirs: {}\n  ours:   {}", end(&theirs), end(&ours)))
    }
}

/// Fails with all goldens that differ.
fn check<'g>(goldens: impl IntoIterator<Item = (&'g Golden, Option<String>)>) {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (golden, differs) in goldens {
        checked += 1;
        wrong.extend(differs.map(|how| format!("{}: {how}", golden.file)));
    }
    println!("{checked} files compared");
    assert!(wrong.is_empty(), "{} of {checked} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// A golden of a folder of oracles: `<profile>/<seed>/<length>/<task>.jsonl`, or one of
/// `ruler/extra`, which are listed here.
fn oracle(file: &str) -> Option<(Golden, Words)> {
    let (folder, task) = file.strip_suffix(".jsonl")?.rsplit_once('/')?;
    let mut golden = Golden {
        file: file.to_owned(),
        profile: folder.split('/').next()?.to_owned(),
        task: task.to_owned(),
        seed: 42,
        length: 2048,
        template: base(),
        chunk: whole(),
        samples: 0,
        extra: Vec::new(),
        ends: true,
    };
    let mut words = Words::V2_2_0;
    match folder.strip_prefix("ruler/extra/") {
        Some("ww301") => words = Words::V3_0_1,
        Some("remove_newline_tab") => golden.extra = vec!["--remove_newline_tab".to_owned()],
        Some("vt_essay") => (golden.extra, golden.length) = (vec!["essay".to_owned()], 4096),
        Some("chunk1of3_of10") => {
            (golden.chunk, golden.samples) = ((1, 3), 10);
            golden.length = if task == "qa_2" { 4096 } else { 2048 };
        }
        Some(extra) => golden.template = extra.strip_prefix("template_")?.to_owned(),
        None => {
            let (seed, length) = folder.split_once('/')?.1.split_once('/')?;
            (golden.seed, golden.length) = (seed.parse().ok()?, length.parse().ok()?);
        }
    }
    Some((golden, words))
}

/// Releases of wonderwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    V2_2_0,
    V3_0_1,
}

impl Words {
    fn folder(self) -> Option<PathBuf> {
        let version = match self {
            Self::V2_2_0 => "2.2.0",
            Self::V3_0_1 => "3.0.1",
        };
        let root = std::env::var_os("LONGSEQ_WONDERWORDS")?;
        let folder = Path::new(&root).join(version).join("wonderwords/assets");
        folder.is_dir().then_some(folder)
    }
}

/// Files below `folder`, as paths from `root`.
fn files(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else {
            let below = path.strip_prefix(root).expect("below");
            found.push(below.to_str().expect("text").replace('\\', "/"));
        }
    }
    found.sort();
    found
}

/// Whether the documents of a `qa_2` golden are of `corpora`: two of the oracles were made from
/// another corpus than the one beside them.
fn is_of_corpus(root: &Path, golden: &Golden, corpora: &Corpora) -> bool {
    let text = fs::read_to_string(root.join(&golden.file)).expect("a golden");
    let sample: Sample = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    let (_, document) = sample.input.split_once("Document 1:\n").expect("documents");
    let (document, _) = document.split_once("\n\nDocument 2:\n").expect("two documents");
    let questions = corpora.hotpotqa().expect("questions");
    questions.with_set(|set| set.documents.contains(&document))
}

fn compare_oracles(profile: &str) {
    let Some(oracles) = longseq_tests::oracles() else { return };
    let root = oracles.join("ruler");
    let inputs = root.join("inputs");
    let tokenizer = Tokenizer::load(&inputs.join("tok4096")).expect("a tokenizer");
    let data = oracles.join("../data");
    let essays = if profile == "huang2025" { &data } else { &inputs };
    let corpora = |words: Words| {
        Corpora::new(CorpusFiles {
            essays: Some(essays.join("PaulGrahamEssays.json")),
            words: words.folder(),
            english_words: Some(data.join("english_words.json")),
            squad: Some(inputs.join("squad.json")),
            hotpotqa: Some(inputs.join("hotpotqa.json")),
        })
    };
    let corpora = BTreeMap::from([Words::V2_2_0, Words::V3_0_1].map(|w| (w, corpora(w))));
    let mut goldens = Vec::new();
    for file in files(&root, &root.join(profile)) {
        let (mut golden, words) = oracle(&file).expect("a golden of a known kind");
        if uses_words(&golden.task().recipe) && words.folder().is_none() {
            println!("skipped: {file} needs wonderwords; set LONGSEQ_WONDERWORDS");
        } else if golden.task == "qa_2" && !is_of_corpus(&root, &golden, &corpora[&words]) {
            println!("skipped: {file} was made from another hotpotqa.json");
        } else {
            if golden.samples == 0 {
                golden.samples =
                    fs::read_to_string(root.join(&file)).expect("lines").lines().count();
            }
            goldens.push((golden, words));
        }
    }
    check(
        goldens
            .iter()
            .map(|(golden, words)| (golden, golden.differs(&root, &corpora[words], &tokenizer))),
    );
}

#[test]
fn profile_ruler_writes_what_the_scripts_wrote() {
    compare_oracles("ruler");
}

#[test]
fn profile_huang2025_writes_what_the_fork_wrote() {
    compare_oracles("huang2025");
}

#[test]
fn built_in_corpora_give_what_the_scripts_wrote_of_them() {
    let folder = longseq_tests::fixtures().join("ruler");
    let tokenizer = Tokenizer::load(&folder.join("tokenizer.json")).expect("a tokenizer");
    let root = folder.join("goldens");
    let index = fs::read(root.join("index.json")).expect("an index");
    let goldens: Vec<Golden> = serde_json::from_slice(&index).expect("an index in JSON");
    assert!(goldens.len() > 60, "{} goldens", goldens.len());
    let corpora = Corpora::new(CorpusFiles::default());
    check(goldens.iter().map(|golden| (golden, golden.differs(&root, &corpora, &tokenizer))));
}
