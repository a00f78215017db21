//! The runtime of a real GPU, over a driver and a cuBLASLt made of C (`stand_in.c`) that put work off until somebody waits for
//! it: memory, copies in their order, arguments of launches, layouts of products. What only a GPU has is not tested here.

#[path = "gpu/graphs.rs"]
mod graphs;
#[path = "gpu/products.rs"]
mod products;

use std::{env, fs, path::Path, process::Command};

use longseq_cuda::{
    driver::{Ready, gpu::Gpu, libraries::Library},
    error::GpuError,
    kernels::KERNELS,
    runtime::{Argument, Launch, Memory as _, Runtime as _},
};

/// Set in the process that runs over the stand-in.
const INSIDE: &str = "LONGSEQ_TEST_STAND_IN";

/// Starts this test again, where the loader finds the stand-in.
#[test]
fn a_runtime_over_a_stand_in() {
    if env::var_os(INSIDE).is_some() {
        return inside();
    }
    if let Err(missing) = Library::Nvrtc.load() {
        println!("skipped: {missing}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libcuda.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_in.c");
    let mut compiler = Command::new("cc");
    let built = compiler.args(["-O2", "-shared", "-fPIC", "-w", "-o"]).args([&library, &source]);
    assert!(built.status().unwrap().success());
    // One file: both libraries share the work that was put off.
    for name in ["libcuda.so.1", "libcublasLt.so"] {
        fs::hard_link(&library, folder.path().join(name)).unwrap();
    }
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_runtime_over_a_stand_in", "--nocapture"])
        .env(INSIDE, &library)
        .env("LD_LIBRARY_PATH", folder.path())
        .env("LONGSEQ_CACHE", folder.path().join("cache"))
        .status();
    assert!(ran.unwrap().success());
}

fn inside() {
    let mut steps = Vec::new();
    let open = |steps: &mut Vec<String>| {
        let ready = Ready::first().unwrap();
        assert_eq!((ready.device.capability, &ready.architecture[..]), ((9, 0), "sm_90a"));
        Gpu::open(ready, &mut |step| steps.push(step.to_string())).unwrap()
    };
    let mut gpu = open(&mut steps);
    assert_eq!(
        steps.last(),
        Some(&format!("compiling kernels for sm_90a: {0} of {0}", steps.len()))
    );
    assert_eq!((gpu.device().name.as_str(), gpu.multiprocessors()), ("Stand-in", 132));
    memory(&mut gpu);
    copies(&mut gpu);
    launches(&mut gpu);
    products::products(&mut gpu);
    products::kept_plans(&mut gpu);
    moments(&mut gpu);
    drop(gpu);
    assert_eq!(number("stand_in_alive"), 0);
    // Everything is kept from before.
    let mut steps = Vec::new();
    graphs::all(|| open(&mut steps));
    assert!(steps.is_empty(), "{steps:?}");
}

/// Lends a number of the stand-in, which is one at a time.
fn with_number<T>(name: &str, see: impl FnOnce(&mut i32) -> T) -> T {
    let path = env::var_os(INSIDE).unwrap();
    // SAFETY: the stand-in, which is loaded already, has a number of that name, and nothing else runs.
    unsafe {
        let library = libloading::Library::new(path).unwrap();
        see(&mut **library.get::<*mut i32>(name).unwrap())
    }
}

/// A number that the stand-in shows.
fn number(name: &str) -> i32 {
    with_number(name, |number| *number)
}

fn memory(gpu: &mut Gpu) {
    let before = gpu.free_memory().unwrap();
    let some = gpu.allocate(1000).unwrap();
    assert_eq!((some.bytes(), some.address() % 16), (1000, 0));
    assert_eq!(before - gpu.free_memory().unwrap(), 1000);
    let too_much = gpu.allocate(2 << 30).unwrap_err();
    let free = before - 1000;
    assert_eq!(too_much, GpuError::OutOfMemory { wanted: 2 << 30, free: Some(free) });
    assert!(too_much.to_string().starts_with("cannot get 2.00 GiB of the GPU's memory: 0."));
    assert!(too_much.help().contains("--batch"));
    drop(some);
    assert_eq!(gpu.free_memory().unwrap(), before);
}

fn copies(gpu: &mut Gpu) {
    // More than is staged at once, and changed as soon as the copy has been asked for.
    let bytes: Vec<u8> =
        (0..21u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let memory = gpu.allocate(bytes.len() + 100).unwrap();
    let mut changing = bytes.clone();
    gpu.clear(&memory, 0..memory.bytes()).unwrap();
    gpu.upload(&changing, &memory, 50).unwrap();
    changing.fill(0xee);
    for value in 0..40u8 {
        changing[..8].fill(value);
        gpu.upload(&changing[..8], &memory, 50 + 8 * value as usize).unwrap();
    }
    changing.fill(0xee);
    let other = gpu.allocate(1000).unwrap();
    gpu.clear(&other, 0..1000).unwrap();
    gpu.copy((&memory, 60..560), (&other, 7)).unwrap();
    gpu.clear(&other, 500..507).unwrap();
    let mut back = vec![0xaa; bytes.len()];
    gpu.download(&memory, 50, &mut back).unwrap();
    let first: Vec<u8> = (0..40).flat_map(|value| [value; 8]).collect();
    let expected = [&first[..], &bytes[320..]].concat();
    assert!(back == expected);
    let mut around = [[1; 50]; 2];
    gpu.download(&memory, 0, &mut around[0]).unwrap();
    gpu.download(&memory, bytes.len() + 50, &mut around[1]).unwrap();
    assert_eq!(around, [[0; 50]; 2]);
    let mut copied = [1; 1000];
    gpu.download(&other, 0, &mut copied).unwrap();
    assert_eq!((&copied[..7], &copied[507..]), (&[0; 7][..], &[0; 493][..]));
    assert_eq!((&copied[7..500], &copied[500..507]), (&expected[10..503], &[0; 7][..]));
}

fn launches(gpu: &mut Gpu) {
    let memory = gpu.allocate(64).unwrap();
    let arguments = [
        Argument::Address(memory.address()),
        Argument::I32(-7),
        Argument::I64(1 << 40),
        Argument::F32(0.5),
    ];
    let launch = Launch {
        kernel: &KERNELS[0],
        blocks: [70_000, 3, 2],
        threads: 96,
        dynamic_shared: 1024,
        arguments: &arguments,
    };
    // SAFETY: the stand-in takes these arguments of every kernel, and writes to the first.
    unsafe { gpu.launch(&launch) }.unwrap();
    let mut written = [0; 56];
    gpu.download(&memory, 0, &mut written).unwrap();
    let numbers: Vec<_> =
        written.as_chunks().0.iter().map(|bytes| u32::from_ne_bytes(*bytes)).collect();
    assert_eq!(numbers[..5], [70_000, 3, 2, 96, 1024]);
    assert_eq!((numbers[8] as i32, numbers[11], f32::from_bits(numbers[12])), (-7, 1 << 8, 0.5));
    // SAFETY: as above.
    let refused = unsafe { gpu.launch(&Launch { threads: 2048, ..launch }) }.unwrap_err();
    let code = "CUDA_ERROR_INVALID_VALUE".to_owned();
    assert_eq!(refused, GpuError::Launch { kernel: KERNELS[0].name.to_owned(), code });
}

fn moments(gpu: &mut Gpu) {
    let memory = gpu.allocate(8).unwrap();
    let start = gpu.mark().unwrap();
    (0..3).for_each(|_| gpu.clear(&memory, 0..8).unwrap());
    let end = gpu.mark().unwrap();
    gpu.wait().unwrap();
    assert_eq!(start.milliseconds_to(&end), Ok(3.0));
}
