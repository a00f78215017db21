//! The built-in models, whose heads have fast kernels, beside the CPU backend in the same precision.

use longseq::checkpoint::Checkpoint;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_cpu::{Cpu, gemm::Stored, isa::Isa};
use longseq_cuda_emulator::Options;
use longseq_tests::built_in;
use longseq_tests::loaded::Loaded;
use longseq_tests::runner::Runner;
use longseq_tests::transfer::Transfer;

use super::{HALF, Precision, load, relative};

#[test]
fn fast_kernels_are_as_near_as_the_cpu() {
    let tokens: Vec<u32> = (0..150).map(|i| i * i * 7 % 1000).collect();
    for (name, fast) in [
        ("mamba2", &["ssd_chunks_64"][..]),
        ("mamba2attn", &["ssd_chunks_64", "prefill_32"]),
        ("transformerpp", &["prefill_32"]),
        ("recurrentgemma", &["rg_lru", "prefill_32"]),
        ("rwkv6", &["wkv6_chunks"]),
    ] {
        let checkpoint =
            Checkpoint::open(&built_in(name)).unwrap_or_else(|error| panic!("{error}"));
        let expected = Runner::<f64>::new(&checkpoint, 1, tokens.len()).all(0, &tokens).concat();
        let extents = (1, tokens.len());
        let run = |factors| {
            let precision = Precision { factors, ..HALF };
            let mut cuda = load(&checkpoint, precision, extents, Options::default());
            let error = relative(&cuda.all(0, &tokens).concat(), &expected);
            let launched = cuda.backend().runtime().launched();
            assert!(fast.iter().all(|fast| launched.contains(fast)), "{name}: {launched:?}");
            error
        };
        let [wide, error] = [Dtype::F32, Dtype::Bf16].map(run);
        let cpu = Cpu::new(Isa::best()).products_in(Stored::Bf16);
        let cache = |cpu: &mut Cpu, elements| cpu.put(&vec![f32::NAN; elements]);
        let mut cpu = Loaded::new(&checkpoint, Compute::Bf16, extents, cpu, cache);
        let beside = relative(&cpu.all(0, &tokens).concat(), &expected);
        println!("{name}: {error:.2e}, factors in f32 {wide:.2e}, on the CPU {beside:.2e}");
        assert!(error <= 2.0 * beside, "{name}: {error:e}, on the CPU {beside:e}");
    }
}
