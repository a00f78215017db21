//! A firmware under QEMU prints what the same program prints on the host.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// 4 MB of flash and 4 MB of RAM.
const MEMORY: u64 = 4 << 20;
/// Bytes of flash of the whole firmware but its weights: code, tokenizer, and 97 kB of words.
const FLASH: u64 = 500_000;
/// Bytes of flash of the smallest program that reads tokens with a recurrent model, but its weights.
const RECURRENT_PATH: u64 = 140_000;
/// Bytes of stack.
const STACK: u64 = 64 << 10;
/// Instructions a token of a prompt, in calls of 16, and a token alone.
const INSTRUCTIONS: [u64; 2] = [8_000_000, 20_000_000];

/// Folders of built programs, by the checkpoint's name.
fn built(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("LONGSEQ_FIRMWARE").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: LONGSEQ_FIRMWARE names no firmware (tests/embedded/build)");
    }
    let folder = folder?.join(name);
    assert!(folder.join("firmware").is_file(), "no firmware in {}", folder.display());
    Some(folder)
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// A Cortex-M4 with a floating-point unit.
const M4: [&str; 4] = ["-M", "mps2-an386", "-cpu", "cortex-m4"];
/// A Cortex-M3, which has none: `f32` is computed by the compiler's library.
const M3: [&str; 4] = ["-M", "mps2-an385", "-cpu", "cortex-m3"];

/// What a firmware prints on a board, and whether it ended well.
fn emulated(board: &[&str], firmware: &Path, command: &str) -> (String, bool) {
    let arguments = command.split(' ').map(|word| format!(",arg={word}"));
    let semihosting: String =
        ["enable=on,target=native,arg=firmware".to_owned()].into_iter().chain(arguments).collect();
    let output = Command::new("qemu-system-arm")
        .args(board)
        .args(["-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-icount", "shift=0", "-semihosting-config", &semihosting])
        .arg("-kernel")
        .arg(firmware)
        .output()
        .expect("qemu-system-arm");
    (text(&output), output.status.success())
}

/// Both outputs of a command, which agree line by line but for what only a device knows; returns the firmware's.
fn same(folder: &Path, command: &str) -> String {
    same_on(&M4, folder, command)
}

/// The same on any board.
fn same_on(board: &[&str], folder: &Path, command: &str) -> String {
    let (device, done) = emulated(board, &folder.join("firmware"), command);
    let host =
        Command::new(folder.join("native")).args(command.split(' ')).output().expect("native");
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("device ")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&device), lines(&text(&host)), "{}: {command}", folder.display());
    assert_eq!(done, host.status.success(), "{command}");
    assert!(lines(&device).len() > 1, "{device}");
    println!("{device}");
    device
}

/// The number at the start of what follows `after`.
fn number(output: &str, after: &str) -> u64 {
    let (_, rest) = output.split_once(after).unwrap_or_else(|| panic!("no `{after}` in {output}"));
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().expect("a number")
}

/// What the firmware of a command took of the machine.
fn check_budget(output: &str) {
    let (flash, weights) = (number(output, "device flash "), number(output, "which weights "));
    let (memory, stack) =
        (number(output, "device static memory "), number(output, "device peak stack "));
    assert!(flash <= MEMORY && memory + stack <= MEMORY, "{output}");
    assert!(flash - weights <= FLASH, "{} bytes of flash besides weights", flash - weights);
    assert!(stack <= STACK, "{stack} bytes of stack");
}

#[test]
fn operations_have_the_same_bits() {
    let Some(folder) = built("mamba2") else { return };
    let outputs: Vec<String> =
        [1, 2, 12_345].map(|seed| same(&folder, &format!("ops {seed}"))).into();
    assert_ne!(outputs[0].lines().nth(1), outputs[1].lines().nth(1), "seeds change nothing");
    outputs.iter().for_each(|output| check_budget(output));
}

#[test]
fn operations_have_the_same_bits_without_a_floating_point_unit() {
    let Some(folder) = built("cortex-m3/mamba2") else { return };
    for command in ["ops 1", "ops 12345", "read 16 16 1"] {
        same_on(&M3, &folder, command);
    }
}

#[test]
fn a_sample_is_answered_alike() {
    let Some(folder) = built("mamba2") else { return };
    for sample in ["niah_single_1 256 42 0", "niah_single_1 256 7 3", "vt 256 42 1"] {
        let output = same(&folder, &format!("sample {sample}"));
        check_budget(&output);
        let [prompt, answer] = INSTRUCTIONS;
        assert!(number(&output, "instructions/token of the prompt ") <= prompt, "{output}");
        assert!(number(&output, "instructions/token of the answer ") <= answer, "{output}");
        // One needle in noise of half the training length is found.
        assert!(sample.starts_with("vt") || output.contains("\nscore 1\n"), "{output}");
    }
}

#[test]
fn bad_commands_are_refused_alike() {
    let Some(folder) = built("mamba2") else { return };
    let (output, done) = emulated(&M4, &folder.join("firmware"), "sing 1");
    assert!(!done && output.contains("error: commands: ops SEED"), "{output}");
    for command in
        ["sample niah_single_2 256 42 0", "sample niah_single_1 64 42 0", "sample no 256 1 1"]
    {
        assert!(same(&folder, command).contains("\nerror: "), "{command}");
    }
}

#[test]
fn a_recurrent_state_is_flat() {
    let Some(folder) = built("mamba2") else { return };
    let short = same(&folder, "read 256 256 1");
    let long = same(&folder, "read 2048 2048 1");
    let flat = "state 491008 bytes, cache 0 of 0 bytes";
    assert_eq!((short.matches(flat).count(), long.matches(flat).count()), (1, 8), "{long}");
    let of = |what: &str| (number(&short, what), number(&long, what));
    let ((flash, same_flash), (memory, same_memory)) =
        (of("device flash "), of("device static memory "));
    assert_eq!((flash, memory), (same_flash, same_memory));
    // An interrupt of the counter may come where the stack is deepest: its frame has 104 bytes.
    let (before, after) = of("device peak stack ");
    assert!(before.abs_diff(after) <= 256, "stack of {before} and {after} bytes");
}

#[test]
fn a_cache_grows_until_it_is_full() {
    let Some(folder) = built("transformerpp") else { return };
    let output = same(&folder, "read 512 512 1");
    assert!(
        output.contains("256 tokens: state 0 bytes, cache 1048576 of 2097152 bytes"),
        "{output}"
    );
    assert!(
        output.contains("512 tokens: state 0 bytes, cache 2097152 of 2097152 bytes"),
        "{output}"
    );
    let full = "error: state: slot 0 holds at most 256 tokens, 264 needed";
    assert!(same(&folder, "read 264 256 1").contains(full));
    let capacity = "error: static state: room for 2097152 needed, 524288 given";
    assert!(same(&folder, "read 2048 2048 1").contains(capacity));
    check_budget(&same(&folder, "sample niah_single_1 256 42 0"));
}

#[test]
fn the_recurrent_path_keeps_to_its_budget() {
    let Some(folder) = built("mamba2") else { return };
    let (output, done) = emulated(&M4, &folder.join("step"), "");
    assert!(done, "{output}");
    let besides = number(&output, "device flash ") - number(&output, "which weights ");
    assert!(besides <= RECURRENT_PATH, "{besides} bytes of flash besides weights");
}
