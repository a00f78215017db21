//! Whose published figures stand beside a run.

use tempfile::TempDir;

use super::{against, json_of, run, text};

#[test]
fn systems_of_one_family_are_told_apart_by_the_folder() {
    let parent = TempDir::new().unwrap();
    for (family, folder, system) in [
        ("Mamba2", "mamba2-2.7b", "Mamba2"),
        ("Mamba2Attention", "anything", "M2A"),
        ("Transformer++", "anything", "TPP"),
        ("RWKV-6", "anything", "RWKV"),
        ("LLaMA", "Sheared-LLaMA-2.7B", "SL"),
        ("LLaMA", "Sheared-LLaMA-2.7B-ShareGPT", "SL-IT"),
        ("LLaMA", "my-sharegpt-llama", "SL-IT"),
        ("RecurrentGemma", "recurrentgemma-2b", "RG"),
        ("RecurrentGemma", "recurrentgemma-2b-it", "RG-IT"),
        ("RecurrentGemma", "recurrentgemma-2b-it-copy", "RG"),
    ] {
        let run = run(&parent, "r", family, &["vt"], &[1024]).model(&format!("x/{folder}"));
        let json = json_of(&run, &[]);
        assert_eq!(json["system"], system, "{folder}");
        let note = json["notes"][0].as_str().unwrap();
        let ambiguous = matches!(family, "LLaMA" | "RecurrentGemma");
        assert_eq!(note.contains("--system overrides"), ambiguous, "{note}");
    }
    let run = run(&parent, "r", "RecurrentGemma", &["vt"], &[1024]);
    assert_eq!(json_of(&run, &["--system", "RG-IT"])["system"], "RG-IT");
}

#[test]
fn impossible_systems_are_refused() {
    let parent = TempDir::new().unwrap();
    let known = run(&parent, "known", "Mamba2", &["vt"], &[1024]);
    let unknown = run(&parent, "unknown", "Longformer", &["vt"], &[1024]);
    for (run, more, what, help) in [
        (&known, &["--system", "mamba"][..], "no system \"mamba\"", "Mamba2, M2A, TPP"),
        (&known, &["--system", "M2A"], "M2A is of family Mamba2Attention", "leave out --system"),
        (&unknown, &[], "names no family", "--system"),
    ] {
        let output = against(run, more);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(what), "{message}");
        assert!(message.split("\nhelp: ").nth(1).is_some_and(|said| said.contains(help)));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn several_runs_each_have_their_own() {
    let parent = TempDir::new().unwrap();
    let one = run(&parent, "one", "Mamba2", &["vt"], &[1024]);
    let two = run(&parent, "two", "RWKV-6", &["vt"], &[1024]);
    let second = two.0.to_str().unwrap();
    let printed = text(&against(&one, &[second]).stdout);
    assert!(printed.contains("one against Mamba2 in Huang (2025)"), "{printed}");
    assert!(printed.contains("two against RWKV in Huang (2025)"), "{printed}");
    let output = against(&one, &[second, "--system", "RWKV"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr)
            .contains("RWKV is of family RWKV-6, the checkpoint of one of family Mamba2")
    );
}
