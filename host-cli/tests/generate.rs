//! `longseq generate` from the command line.

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use longseq::{sample::Sample, tokenizer::Tokenizer};

/// A folder with a tokenizer and word lists, and what was generated in it.
struct Workplace(tempfile::TempDir);

impl Workplace {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("a file");
        };
        common::save(folder.path(), &common::neox());
        write("nounlist.txt", "tea\nkettle\nwindow\nad hoc\njalape\u{f1}o\n");
        write("adjectivelist.txt", "blue\nblue-eyed\nquiet\n");
        write("verblist.txt", "walk\npour\n");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `longseq generate` with a line of arguments.
    fn generate(&self, save_dir: &str, arguments: &str) -> Output {
        self.command(save_dir, arguments).output().expect("the program")
    }

    fn command(&self, save_dir: &str, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
        command.arg("generate").args(arguments.split_whitespace());
        command.arg("--tokenizer").arg(self.0.path()).arg("--words").arg(self.0.path());
        command.arg("--save-dir").arg(self.path(save_dir));
        command
    }

    fn samples(&self, file: &str) -> Vec<Sample> {
        let text = fs::read_to_string(self.path(file)).expect("samples");
        text.lines().map(|line| serde_json::from_str(line).expect("a sample")).collect()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// All files below a folder with their content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    found
}

#[test]
fn samples_fit_and_say_so() {
    let place = Workplace::new();
    let tasks = "niah_single_1,niah_single_2,niah_multikey_3,niah_multiquery";
    let output =
        place.generate("d", &format!("--task {tasks} --max-seq-length 4096,2048 --num-samples 4"));
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let tokenizer = Tokenizer::load(&place.path("tokenizer.json")).expect("a tokenizer");
    for length in [4096, 2048] {
        for task in tasks.split(',') {
            let samples = place.samples(&format!("d/{length}/{task}/validation.jsonl"));
            assert_eq!(samples.len(), 4);
            for sample in samples {
                let prompt = format!("{}{}", sample.input, sample.answer_prefix.expect("a prefix"));
                let tokens = tokenizer.encode(&prompt).expect("ids").len();
                assert_eq!(sample.length, tokens + 128);
                assert!(sample.length <= length);
                for answer in &sample.outputs {
                    assert!(sample.input.contains(answer.as_str()), "{task}: {answer}");
                }
            }
        }
    }
    let recipe = fs::read(place.path("d/2048/niah_single_2/recipe.json")).expect("a recipe");
    let recipe: serde_json::Value = serde_json::from_slice(&recipe).expect("JSON");
    assert_eq!(recipe["tokenizer_sha256"], tokenizer.sha256());
    assert_eq!(recipe["corpora"][1]["origin"], "built in");
    assert_eq!(recipe["max_seq_length"], 2048);
}

#[test]
fn a_folder_of_fetched_corpora_is_enough() {
    let place = Workplace::new();
    let essays = place.path("PaulGrahamEssays.json");
    fs::write(&essays, r#"{"text": "It rains. It snows. "}"#).expect("a file");
    let folder = place.path("");
    let arguments = format!(
        "--task niah_single_2 --max-seq-length 2048 --num-samples 1 --corpora {}",
        folder.display()
    );
    let output = place.generate("d", &arguments);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let sample = &place.samples("d/2048/niah_single_2/validation.jsonl")[0];
    assert!(sample.input.contains("It rains. It snows. It rains."), "{}", sample.input);
}

#[test]
fn files_are_never_replaced_unasked() {
    let place = Workplace::new();
    let arguments = "--task niah_single_1 --max-seq-length 1024 --num-samples 3";
    assert_eq!(code(&place.generate("d", arguments)), 0);
    let first = files(&place.path("d"));
    let again = place.generate("d", arguments);
    assert_eq!(code(&again), 0, "{}", errors(&again));
    assert!(String::from_utf8_lossy(&again.stdout).contains("there already"));
    assert_eq!(files(&place.path("d")), first);
    let other = format!("{arguments} --seed 7");
    let refused = place.generate("d", &other);
    assert_eq!(code(&refused), 2);
    let text = errors(&refused);
    assert!(text.contains("validation.jsonl") && text.contains("--overwrite"), "{text}");
    assert_eq!(files(&place.path("d")), first, "nothing changed, nothing left behind");
    assert_eq!(code(&place.generate("d", &format!("{other} --overwrite"))), 0);
    assert_ne!(files(&place.path("d")), first);
}

#[test]
fn what_does_not_fit_is_named_and_the_rest_is_written() {
    let place = Workplace::new();
    let both = "--task niah_multikey_1,niah_single_1 --max-seq-length 900 --num-samples 2";
    let output = place.generate("d", both);
    let text = errors(&output);
    assert_eq!(code(&output), 1, "{text}");
    assert!(text.contains("error: niah_multikey_1 does not fit 900 tokens"), "{text}");
    assert!(text.contains("help: ") && text.contains("--fit shrink"), "{text}");
    assert_eq!(place.samples("d/900/niah_single_1/validation.jsonl").len(), 2);
    assert_eq!(files(&place.path("d")).len(), 2, "samples and recipe of one task");

    let alone = "--task niah_multikey_1 --max-seq-length 900 --num-samples 2";
    let output = place.generate("e", alone);
    assert_eq!(code(&output), 2);
    assert!(errors(&output).starts_with("error: niah_multikey_1 does not fit"));
    let output = place.generate("e", &format!("{alone} --fit shrink"));
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for sample in place.samples("e/900/niah_multikey_1/validation.jsonl") {
        assert!(sample.length <= 900);
    }
    let recipe = fs::read_to_string(place.path("e/900/niah_multikey_1/recipe.json"));
    assert!(recipe.expect("a recipe").contains(r#""fit": "shrink""#));
}

#[test]
fn every_task_runs_on_what_is_built_in() {
    let place = Workplace::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.arg("generate").arg("--tokenizer").arg(place.path("")).arg("--save-dir");
    command.arg(place.path("d")).args(["--task", "all", "--max-seq-length", "8192"]);
    let output = command.args(["--num-samples", "2"]).output().expect("the program");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(files(&place.path("d")).len(), 2 * 13);

    let too_many = place.generate("e", "--task qa_1 --max-seq-length 4096 --num-samples 1000");
    let text = errors(&too_many);
    assert_eq!(code(&too_many), 2, "{text}");
    assert!(text.contains("questions, one a sample") && text.contains("--squad"), "{text}");
}

#[test]
fn parts_with_seeds_of_their_own_make_the_whole() {
    let place = Workplace::new();
    let arguments = "--task niah_single_2,niah_multikey_2 --max-seq-length 2048 --flat \
                     --num-samples 7 --seeding per-sample";
    assert_eq!(code(&place.generate("whole", arguments)), 0);
    for task in ["niah_single_2", "niah_multikey_2"] {
        let mut joined = Vec::new();
        for part in 0..3 {
            let folder = format!("part{part}");
            assert_eq!(code(&place.generate(&folder, &format!("{arguments} --chunk {part}/3"))), 0);
            joined.extend(place.samples(&format!("{folder}/{task}/validation.jsonl")));
        }
        assert_eq!(joined, place.samples(&format!("whole/{task}/validation.jsonl")));
    }
}

#[test]
fn profile_mini_has_a_seed_for_each_sample_unless_told() {
    let place = Workplace::new();
    let arguments = "--profile mini --task niah_single_1 --max-seq-length 1024 --num-samples 4";
    let seeding = |folder: &str| {
        let recipe = fs::read(place.path(folder).join("1024/niah_single_1/recipe.json"));
        let recipe: serde_json::Value =
            serde_json::from_slice(&recipe.expect("one")).expect("JSON");
        recipe["seeding"].as_str().expect("a name").to_owned()
    };
    for (folder, more, expected) in [
        ("whole", "", "per-sample"),
        ("run", "--seeding run", "run"),
        ("part", "--chunk 1/2", "per-sample"),
    ] {
        let output = place.generate(folder, &format!("{arguments} {more}"));
        assert_eq!(code(&output), 0, "{}", errors(&output));
        assert_eq!(seeding(folder), expected, "{more}");
    }
    let samples = |folder| place.samples(&format!("{folder}/1024/niah_single_1/validation.jsonl"));
    assert_eq!(samples("part"), samples("whole")[2..]);
    assert_ne!(samples("run"), samples("whole"));
}

/// As models are trained: on other texts than those built in.
#[test]
fn profile_mini_takes_other_texts() {
    let place = Workplace::new();
    let write = |name: &str, text: &str| fs::write(place.path(name), text).expect("a file");
    write("essays.txt", "It rains here. It snows there. ");
    write(
        "squad.json",
        r#"{"data": [{"paragraphs": [{"context": "Ann rows well. Bob sings ill.", "qas": [
            {"question": "Who sings?", "is_impossible": false,
             "answers": [{"text": "Bob", "answer_start": 15}]}]}]}]}"#,
    );
    write(
        "hotpotqa.json",
        r#"[{"question": "Who rows?", "answer": "Ann", "supporting_facts": [["Ann", 1]],
             "context": [["Ann", ["Ann is old.", " She rows."]], ["Bob", ["Bob is.", " He is."]]]}]"#,
    );
    let file = |name| place.path(name).display().to_string();
    let (essays, squad, hotpotqa) = (file("essays.txt"), file("squad.json"), file("hotpotqa.json"));
    let texts = format!("--essays {essays} --squad {squad} --hotpotqa {hotpotqa}");
    let tasks = "niah_single_2,qa_1,qa_2 --max-seq-length 1024 --num-samples 1 --flat";
    let output = place.generate("d", &format!("--profile mini --task {tasks} {texts}"));
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for (task, held, not_held) in [
        ("niah_single_2", "It rains here. It snows there. It rains here.", "Walking"),
        ("qa_1", ":\nBob sings ill.\n", "Ann rows well. Bob"),
        ("qa_2", ":\nAnn\nShe rows.\n", "old. She"),
    ] {
        let sample = &place.samples(&format!("d/{task}/validation.jsonl"))[0];
        assert!(sample.input.contains(held), "{task}: {}", sample.input);
        assert!(!sample.input.contains(not_held), "{task}: {}", sample.input);
    }
}

#[test]
fn number_of_threads_changes_nothing() {
    let place = Workplace::new();
    let arguments = "--task niah_single_1,niah_single_2,niah_multivalue --max-seq-length 2048,3000 \
                     --num-samples 3";
    let content = |folder: &str, threads: &str| {
        let mut command = place.command(folder, arguments);
        assert!(
            command
                .env("RAYON_NUM_THREADS", threads)
                .output()
                .expect("the program")
                .status
                .success()
        );
        files(&place.path(folder)).into_values().collect::<Vec<_>>()
    };
    assert_eq!(content("one", "1"), content("many", "5"));
}

#[test]
fn depth_puts_needles_first_and_last() {
    let place = Workplace::new();
    let arguments = "--task niah_single_1 --max-seq-length 1024 --num-samples 2 --depth 0,100";
    assert_eq!(code(&place.generate("d", arguments)), 0);
    for (depth, at) in [(0, "afterwards.\nOne of the special"), (100, "again.\nOne of the special")]
    {
        let file = format!("d/1024/niah_single_1_depth{depth}/validation.jsonl");
        for sample in place.samples(&file) {
            assert!(sample.input.contains(at), "depth {depth}: {}", sample.input);
        }
    }
    let output = place.generate("e", "--task fwe --max-seq-length 1024 --depth 50");
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("fwe has no needles"), "{}", errors(&output));
}

#[test]
fn template_goes_around_the_task() {
    let place = Workplace::new();
    fs::write(place.path("chat.txt"), "<user>{task_template}<bot> {brace}\n").expect("a file");
    let arguments = "--task niah_single_2 --max-seq-length 2048 --num-samples 1 --template";
    let file = place.path("chat.txt");
    assert_eq!(code(&place.generate("d", &format!("{arguments} {}", file.display()))), 0);
    let sample = &place.samples("d/2048/niah_single_2/validation.jsonl")[0];
    assert!(sample.input.starts_with("<user>A special magic number is hidden"), "{}", sample.input);
    assert!(sample.input.ends_with("?<bot> {brace}"), "{}", sample.input);
    for (text, what) in [("no place", "0 times"), ("{task_template} {task_template}", "2 times")] {
        fs::write(&file, text).expect("a file");
        let output = place.generate("e", &format!("{arguments} {}", file.display()));
        assert_eq!(code(&output), 2);
        assert!(errors(&output).contains(what), "{}", errors(&output));
    }
}

#[test]
fn wrong_arguments_are_explained() {
    let place = Workplace::new();
    let cases = [
        ("--task niah_single_9 --max-seq-length 1024", "no task \"niah_single_9\""),
        ("--task niah_essay_uuids_50 --max-seq-length 1024", "--profile huang2025"),
        ("--task vt --max-seq-length 1024,2048 --flat", "--flat"),
        ("--task vt --max-seq-length 99999999", "99999999 tokens is more than"),
        ("--task vt --max-seq-length 1024 --template nowhere.txt", "nowhere.txt"),
        ("--task vt --max-seq-length 1024 --chunk 3/3", "part 3 of 3 does not exist"),
        ("--task vt --max-seq-length 1024 --chunk 0", "expected I/N"),
        ("--task vt --max-seq-length 1024 --depth 101", "101"),
    ];
    for (arguments, what) in cases {
        let output = place.generate("d", arguments);
        let text = errors(&output);
        assert_eq!(code(&output), 2, "{arguments}: {text}");
        assert!(text.contains(what), "{arguments}: {text}");
        assert!(text.starts_with("error: "), "{arguments}: {text}");
    }
    assert!(files(&place.path("d")).is_empty());
}
