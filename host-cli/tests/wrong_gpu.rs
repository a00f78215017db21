//! A GPU that computes something else than the CPU is not used: the driver and the cuBLASLt are made of C
//! (`cuda-backend/tests/stand_in.c`), and their kernels do nothing that the real ones do.
#![cfg(feature = "cuda")]

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

#[test]
fn a_gpu_that_computes_something_else_is_not_used() {
    if env::var_os("LONGSEQ_CUDA_LIBRARIES").is_none() {
        println!("skipped: LONGSEQ_CUDA_LIBRARIES names no folder with NVRTC");
        return;
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libcuda.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-shared", "-fPIC", "-w", "-o"]).arg(&library);
    let built = compiler.arg(package.join("../cuda-backend/tests/stand_in.c")).status();
    assert!(built.unwrap().success());
    for name in ["libcuda.so.1", "libcublasLt.so"] {
        fs::hard_link(&library, folder.path().join(name)).unwrap();
    }
    let output = folder.path().join("logits");
    let logits = |backend: &str| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
        command.args(["logits", "--input-ids", "1,2,3", "--backend", backend]);
        command.arg("--model").arg(package.join("models/mini/mamba2"));
        command.arg("--output").arg(&output);
        command.env("LD_LIBRARY_PATH", folder.path());
        command.env("LONGSEQ_CACHE", folder.path().join("cache")).output().unwrap()
    };
    let said = |output: Output| String::from_utf8(output.stderr).unwrap();
    let wrong = "this GPU does not compute what the CPU does: the logits of a small Mamba2Attention model \
                 in f32 are ";
    // Twice: that it computes wrongly is not taken for having been checked.
    for _ in 0..2 {
        let refused = logits("cuda");
        assert_eq!(refused.status.code(), Some(2));
        let stderr = said(refused);
        assert!(stderr.contains(&format!("error: {wrong}")), "{stderr}");
        assert!(stderr.contains("\nhelp: please report it") && stderr.contains("--backend cpu"));
        assert!(!output.exists());
    }
    let auto = logits("auto");
    assert_eq!(auto.status.code(), Some(0));
    let stderr = said(auto);
    assert!(
        stderr.contains("backend    cpu ")
            && stderr.contains(&format!("; no GPU is used: {wrong}"))
    );
    assert!(output.exists());
}
