//! NVRTC, found and used: machine code, resources, errors, and what is kept. Where there is no NVRTC, nothing is tested, and
//! that is said; where `LONGSEQ_CUDA_LIBRARIES` names one, it must be there.

use std::{env, fs, path::Path};

use longseq_cuda::{
    driver::{
        cache::Cache,
        compile::{Compiler, Unit},
        libraries,
    },
    error::GpuError,
};

const SUM: &str = "
extern \"C\" __global__ void sum(float* y, const float* x, int n) {
    __shared__ float part[256];
    part[threadIdx.x] = threadIdx.x < n ? x[threadIdx.x] : 0.0f;
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    }
    if (threadIdx.x == 0) *y = part[0];
}
";

/// Sixty-four sums that live through a loop: more than 32 registers hold.
const WIDE: &str = "
extern \"C\" __global__ void wide(float* y, const float* x, int n) {
    float sum[8][8] = {};
    for (int t = 0; t < n; ++t) {
#pragma unroll
        for (int i = 0; i < 8; ++i)
#pragma unroll
            for (int j = 0; j < 8; ++j) sum[i][j] += x[16 * t + i] * x[16 * t + 8 + j];
    }
#pragma unroll
    for (int i = 0; i < 64; ++i) y[i * blockDim.x + threadIdx.x] = sum[i / 8][i % 8];
}
";

fn compiler() -> Option<Compiler> {
    match Compiler::new() {
        Ok(compiler) => Some(compiler),
        Err(missing) => {
            assert!(env::var_os(libraries::VARIABLE).is_none(), "{missing}");
            println!("skipped: {missing}");
            None
        }
    }
}

fn unit<'a>(source: &'a str, architecture: &'a str) -> Unit<'a> {
    Unit { name: "test.cu", source, headers: &[], architecture, options: &[] }
}

#[test]
fn machine_code_and_what_it_takes() {
    let Some(compiler) = compiler() else { return };
    assert_eq!(compiler.check(), Ok(()));
    let folder = compiler.found().path.as_deref().and_then(Path::parent);
    assert!(folder.is_some_and(Path::is_absolute));
    for architecture in ["sm_80", "sm_89", "sm_90a"] {
        let compiled = compiler.compile(&unit(SUM, architecture)).unwrap();
        assert!(compiled.cubin.starts_with(b"\x7fELF"));
        let [sum] = &compiled.kernels[..] else { panic!("{}", compiled.log) };
        assert_eq!((&sum.kernel[..], sum.shared), ("sum", 1024));
        assert!((1..64).contains(&sum.registers) && sum.fits_registers());
    }
}

#[test]
fn spills_are_seen() {
    let Some(compiler) = compiler() else { return };
    let spills = |options: &[&str]| {
        let compiled = compiler.compile(&Unit { options, ..unit(WIDE, "sm_80") }).unwrap();
        (compiled.kernels[0].spill_stores, compiled.kernels[0].spill_loads)
    };
    assert_eq!(spills(&[]), (0, 0));
    let (stores, loads) = spills(&["--maxrregcount=32"]);
    assert!(stores > 0 && loads > 0);
}

#[test]
fn errors_hold_what_the_compiler_says() {
    let Some(compiler) = compiler() else { return };
    let broken = "extern \"C\" __global__ void broken() { undeclared = 1; }";
    let GpuError::Compile { source, architecture, log } =
        compiler.compile(&unit(broken, "sm_80")).unwrap_err()
    else {
        panic!("another error")
    };
    assert_eq!((&source[..], &architecture[..]), ("test.cu", "sm_80"));
    assert!(log.contains("test.cu(1)") && log.contains("\"undeclared\" is undefined"), "{log}");
    for (source, architecture, options) in
        [("zero \0 byte", "sm_80", &[][..]), (SUM, "sm_7", &[]), (SUM, "sm_80", &["--no-such"])]
    {
        let error = compiler.compile(&Unit { options, ..unit(source, architecture) }).unwrap_err();
        assert!(matches!(error, GpuError::Compile { .. }));
    }
}

#[test]
fn architectures_whose_code_runs() {
    let Some(compiler) = compiler() else { return };
    let of = |capability| compiler.architecture(capability);
    assert_eq!(of((8, 0)), Ok("sm_80".to_owned()));
    assert_eq!(of((8, 9)), Ok("sm_89".to_owned()));
    assert_eq!(of((9, 0)), Ok("sm_90a".to_owned()));
    // Newer than what the compiler knows of the series 8: the newest of these runs on it.
    assert_eq!(of((8, 99)), Ok("sm_89".to_owned()));
    let error = of((99, 0)).unwrap_err();
    assert!(
        matches!(&error, GpuError::UnknownArchitecture { architecture, .. } if architecture == "sm_990")
    );
}

#[test]
fn what_was_compiled_is_kept() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path().join("deeper/kernels"));
    let units = [unit(SUM, "sm_80"), unit(WIDE, "sm_80")];
    let get = |units: &[Unit<'_>]| {
        let mut said = Vec::new();
        let cubins = cache.cubins(&compiler, units, &mut |step| said.push(step.to_string()));
        (cubins.unwrap(), said)
    };
    let (cubins, said) = get(&units);
    assert_eq!(said, [1, 2].map(|i| format!("compiling kernels for sm_80: {i} of 2")));
    assert_eq!(get(&units), (cubins.clone(), vec![]));
    // Whatever differs makes another one.
    for other in [
        Unit { architecture: "sm_90a", ..units[0] },
        Unit { options: &["--maxrregcount=32"], ..units[0] },
        Unit { source: &SUM.replace("sum", "add"), ..units[0] },
    ] {
        assert_eq!(get(&[other]).1.len(), 1);
    }
    // A name is for messages only.
    assert_eq!(get(&[Unit { name: "other.cu", ..units[0] }]).1.len(), 0);

    // A file that was cut off, emptied or damaged is made again.
    let files = fs::read_dir(cache.folder().unwrap()).unwrap().map(|file| file.unwrap().path());
    let files: Vec<_> = files.collect();
    assert_eq!(files.len(), 5);
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| bytes.clear(),
        |bytes: &mut Vec<u8>| bytes.extend([0]),
        |bytes: &mut Vec<u8>| bytes.iter_mut().skip(100).for_each(|byte| *byte ^= 1),
    ] {
        for file in &files {
            let mut bytes = fs::read(file).unwrap();
            damage(&mut bytes);
            fs::write(file, bytes).unwrap();
        }
        let (again, said) = get(&units);
        assert_eq!((again, said.len()), (cubins.clone(), 2));
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_no_error() {
    let Some(compiler) = compiler() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    for cache in [Cache::at(file.path().join("below a file")), Cache::default()] {
        let mut steps = 0;
        for _ in 0..2 {
            let cubins = cache.cubins(&compiler, &[unit(SUM, "sm_80")], &mut |_| steps += 1);
            assert!(cubins.unwrap()[0].starts_with(b"\x7fELF"));
        }
        assert_eq!(steps, 2);
    }
}
