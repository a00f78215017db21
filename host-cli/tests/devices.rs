//! What `longseq devices` says: without a driver, and with drivers made of a few lines of C that are too old, see no
//! GPU, or see one that is too old.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// A driver that answers what it was built to answer. Nothing can be computed with it.
const DRIVER: &str = r#"
#include <stdio.h>
#include <stddef.h>
int cuDriverGetVersion(int *version) { *version = VERSION; return 0; }
int cuInit(unsigned flags) { return INIT; }
int cuDeviceGetCount(int *count) { *count = COUNT; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Fake %d", device); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)8 << 30; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    switch (attribute) {
        case 75: *value = MAJOR; return 0;
        case 76: *value = 5; return 0;
        case 16: *value = 132; return 0;
        case 97: *value = 65536; return 0;
        default: return 1;
    }
}
int cuDevicePrimaryCtxRetain(void **context, int device) { return 2; }
int cuGetErrorName(int error, const char **name) { *name = "AN_ERROR"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "an error"; return 0; }
"#;

/// Version of the interface, answer of `cuInit`, GPUs, major compute capability.
fn driver((version, init, count, major): (i32, i32, i32, i32)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("driver.c");
    fs::write(&source, DRIVER).unwrap();
    let library = folder.path().join("libcuda.so.1");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-w"])
        .arg(format!("-DVERSION={version}"))
        .arg(format!("-DINIT={init}"))
        .arg(format!("-DCOUNT={count}"))
        .arg(format!("-DMAJOR={major}"))
        .arg("-o")
        .args([&library, &source])
        .status();
    assert!(built.unwrap().success());
    // The name that is tried first, which a real one may have.
    fs::copy(&library, folder.path().join("libcuda.so")).unwrap();
    folder
}

/// Runs the program where nothing but this driver can be found.
fn longseq(arguments: &[&str], driver: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(arguments).env_clear().envs(driver.map(|folder| ("LD_LIBRARY_PATH", folder)));
    command.output().unwrap()
}

fn devices(driver: Option<&Path>) -> Value {
    let output = longseq(&["devices", "--json"], driver);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn has_driver() -> bool {
    devices(None)["driver"]["version"].is_string()
}

/// What is said of a part, which must come with a remedy.
fn error<'a>(of: &'a Value, name: &str) -> &'a str {
    assert!(of[name]["help"].as_str().is_some_and(|help| help.contains("--backend cpu")), "{of}");
    of[name]["error"].as_str().unwrap()
}

#[test]
fn a_machine_with_nothing() {
    if has_driver() {
        println!("skipped: this machine has a CUDA driver");
        return;
    }
    let found = devices(None);
    assert_eq!(error(&found, "driver"), "no CUDA driver: libcuda.so.1 cannot be loaded");
    assert_eq!(error(&found, "gpu"), error(&found, "driver"));
    assert!(found["cpu"]["backend"].as_str().unwrap().starts_with("cpu "));
    let text = String::from_utf8(longseq(&["devices"], None).stdout).unwrap();
    assert!(text.starts_with("cpu  ") && text.contains("\ngpu       none without a driver\n"));
    assert!(text.contains("\n          help: install NVIDIA's driver"), "{text}");
}

#[test]
fn drivers_that_cannot_be_used() {
    for (built, part, expected) in [
        (
            (12_000, 0, 1, 9),
            "gpu",
            "the CUDA driver is too old: its interface is 12.0, needed is 12.8",
        ),
        ((13_000, 100, 0, 0), "gpu", "the CUDA driver sees no GPU"),
        ((13_000, 0, 0, 0), "gpu", "the CUDA driver sees no GPU"),
        ((13_000, 999, 1, 9), "gpu", "the CUDA driver cannot start: CUDA_ERROR_UNKNOWN"),
        ((13_000, 34, 1, 9), "gpu", "the CUDA driver cannot start: CUDA_ERROR_STUB_LIBRARY"),
    ] {
        let driver = driver(built);
        let found = devices(Some(driver.path()));
        assert_eq!(error(&found, part), expected);
        let version = format!("{}.0", built.0 / 1000);
        assert_eq!(found["driver"]["version"], version);
        assert_eq!(found["driver"]["found"], "system");
        let path = found["driver"]["path"].as_str().unwrap();
        assert!(Path::new(path).starts_with(driver.path().canonicalize().unwrap()), "{path}");
    }
}

#[test]
fn gpus_are_listed() {
    let driver = driver((13_000, 0, 2, 7));
    let found = devices(Some(driver.path()));
    let gpus = found["gpu"].as_array().unwrap();
    assert_eq!(gpus.len(), 2);
    let gpu = &gpus[1];
    assert_eq!((&gpu["name"], &gpu["number"]), (&"Fake 1".into(), &1.into()));
    assert_eq!((&gpu["memory"], &gpu["free_memory"]), (&(8u64 << 30).into(), &Value::Null));
    assert_eq!(gpu["error"], "Fake 1 is too old: its compute capability is 7.5, needed is 8.0");
    let text = String::from_utf8(longseq(&["devices"], Some(driver.path())).stdout).unwrap();
    assert!(
        text.contains(
            "\n          1: Fake 1, compute capability 7.5, 132 multiprocessors, 8.00 GiB\n"
        ),
        "{text}"
    );
}

/// What a command says that needs a model; there is none.
fn logits(options: &[&str], driver: Option<&Path>) -> String {
    let command = ["logits", "--model", "no/such", "--input-ids", "1", "--output", "no/such/file"];
    let output = longseq(&[&command[..], options].concat(), driver);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn without_a_gpu_cuda_is_refused_and_auto_takes_the_cpu() {
    let cpu = devices(None)["cpu"]["backend"].as_str().unwrap().to_owned();
    for (built, why) in [
        ((12_000, 0, 1, 9), "the CUDA driver is too old: its interface is 12.0, needed is 12.8"),
        ((13_000, 0, 0, 0), "the CUDA driver sees no GPU"),
        ((13_000, 0, 1, 7), "Fake 0 is too old: its compute capability is 7.5, needed is 8.0"),
        ((13_000, 0, 1, 9), "NVRTC (libnvrtc.so) is not found: "),
    ] {
        let driver = driver(built);
        if why.starts_with("NVRTC") && devices(Some(driver.path()))["nvrtc"]["path"].is_string() {
            println!("skipped: this machine has NVRTC where it is always found");
            continue;
        }
        let refused = logits(&["--backend", "cuda"], Some(driver.path()));
        assert!(refused.starts_with(&format!("error: {why}")), "{refused}");
        assert!(refused.contains("\nhelp: ") && refused.contains("--backend cpu"), "{refused}");
        let auto = logits(&["--backend", "auto", "--compute", "f32"], Some(driver.path()));
        let chosen = format!("backend    {cpu}; no GPU is used: {why}");
        assert!(auto.starts_with(&chosen) && auto.matches("backend").count() == 1, "{auto}");
        assert!(auto.lines().nth(1).unwrap().starts_with("error: no/such is no folder"), "{auto}");
    }
    // Who asks for the CPU is told nothing of GPUs.
    for backend in ["cpu", "reference"] {
        let asked = logits(&["--backend", backend], None);
        assert!(asked.starts_with("error: no/such is no folder"), "{asked}");
    }
    let refused = logits(&["--backend", "auto", "--precision", "f64"], None);
    assert!(refused.starts_with("error: --precision is an option of the reference backend"));
}

/// Libraries that cannot be loaded, and ones of an old toolkit, which lack functions.
#[test]
fn toolkits_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
        let folders =
            [("LONGSEQ_CUDA_LIBRARIES", folder.path()), ("LD_LIBRARY_PATH", folder.path())];
        command.args(["devices", "--json"]).env_clear().envs(folders);
        let found: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        error(&found, name).to_owned()
    };
    for (name, library) in [("nvrtc", "libnvrtc.so.13"), ("cublaslt", "libcublasLt.so.13")] {
        fs::write(folder.path().join(library), "no library").unwrap();
        let said = of(name);
        assert!(said.contains(" is not found: ") && said.contains(" cannot be loaded: "), "{said}");
        assert!(said.contains(library), "{said}");
        fs::remove_file(folder.path().join(library)).unwrap();
    }
    let source = folder.path().join("old.c");
    let old = "int nvrtcVersion(int *major, int *minor) { *major = 11; *minor = 8; return 0; }\n\
               unsigned long cublasLtGetVersion(void) { return 110903; }\n";
    fs::write(&source, old).unwrap();
    for (name, library, version) in
        [("nvrtc", "libnvrtc.so", "11.8"), ("cublaslt", "libcublasLt.so", "11.9.3")]
    {
        let library = folder.path().join(library);
        let mut compiler = Command::new("cc");
        let built = compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
        assert!(built.status().unwrap().success());
        let said = of(name);
        let expected = format!(" is too old: its version is {version}, needed is 12.0; it is ");
        assert!(said.contains(&expected), "{said}");
    }
}

/// NVRTC is a file and its built-in functions another one beside it.
#[test]
fn nvrtc_without_its_built_in_functions() {
    let library = env::var_os("LONGSEQ_CUDA_LIBRARIES").and_then(|folders| {
        let names = ["libnvrtc.so.13", "libnvrtc.so.12"];
        let files = env::split_paths(&folders).flat_map(|path| names.map(|name| path.join(name)));
        files.into_iter().find(|path| path.is_file())
    });
    let Some(library) = library else {
        println!("skipped: LONGSEQ_CUDA_LIBRARIES names no folder with NVRTC");
        return;
    };
    let alone = tempfile::tempdir().unwrap();
    fs::copy(&library, alone.path().join(library.file_name().unwrap())).unwrap();
    let of = |folder: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
        command.args(["devices", "--json"]).env_clear().env("LONGSEQ_CUDA_LIBRARIES", folder);
        let found: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        found["nvrtc"].clone()
    };
    let missing = of(alone.path());
    let error = missing["error"].as_str().unwrap();
    assert!(error.ends_with("has no libnvrtc-builtins.so with it and cannot compile"), "{error}");
    let found = of(library.parent().unwrap());
    assert_eq!(found["found"], "LONGSEQ_CUDA_LIBRARIES", "{found}");
    assert_eq!(Path::new(found["path"].as_str().unwrap()), library.canonicalize().unwrap());
}
