//! The floors count what is launched, and as many bytes as docs/cuda.md has.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
    rc::Rc,
};

use longseq::{
    checkpoint::Checkpoint,
    engine::{
        Continuation, Engine as _,
        cuda::{CudaEngine, Sizes},
    },
};
use longseq_benches::{
    gpu::floors::{Floor, Pass, floors, product},
    roof::Roof,
};
use longseq_core::{
    attention::grouped_query_attention::AttentionDims,
    hybrid::config::{
        AttentionConfig, ChannelMixConfig, Family, FeedForward, GatedMlpConfig, LayerSet,
        ModelConfig, Recurrence, RgLruConfig, SsdConfig, Wkv6Config,
    },
    numeric::{activation::Activation, compute::Compute, tensor::Dtype},
    recurrence::{rg_lru::RgLruDims, ssd::SsdDims, wkv6::Wkv6Dims},
};
use longseq_cuda::{
    Cuda,
    kernels::KERNELS,
    runtime::{Gemm, Launch, Runtime},
    steps::Steps,
};
use longseq_cuda_emulator::{Emulator, EmulatorError, Memory, Options};

/// Calls by name and, of products, what they move and multiply.
type Calls = Rc<RefCell<BTreeMap<String, Floor>>>;

/// The emulator, and what it was asked for.
struct Counting {
    emulator: Emulator,
    calls: Calls,
}

type Result<T = ()> = std::result::Result<T, EmulatorError>;

impl Runtime for Counting {
    type Memory = Memory;
    type Graph = Steps;
    type Error = EmulatorError;

    fn allocate(&mut self, bytes: usize) -> Result<Memory> {
        self.emulator.allocate(bytes)
    }

    fn upload(&mut self, bytes: &[u8], to: &Memory, offset: usize) -> Result {
        self.emulator.upload(bytes, to, offset)
    }

    fn download(&mut self, from: &Memory, offset: usize, bytes: &mut [u8]) -> Result {
        self.emulator.download(from, offset, bytes)
    }

    fn clear(&mut self, memory: &Memory, range: Range<usize>) -> Result {
        self.emulator.clear(memory, range)
    }

    fn copy(&mut self, from: (&Memory, Range<usize>), to: (&Memory, usize)) -> Result {
        self.emulator.copy(from, to)
    }

    unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result {
        self.calls.borrow_mut().entry(launch.kernel.name.to_owned()).or_default().calls += 1;
        // SAFETY: the caller's.
        unsafe { self.emulator.launch(launch) }
    }

    unsafe fn gemm(&mut self, gemm: &Gemm) -> Result {
        let &Gemm { batch, rows, inputs, outputs, dtype, accumulate, .. } = gemm;
        let mut calls = self.calls.borrow_mut();
        let floor = calls.entry(product(dtype, batch, inputs, outputs)).or_default();
        let [x, weight, out] = [(rows, inputs), (inputs, outputs), (rows, outputs)]
            .map(|(a, b)| (batch * a * b) as f64);
        floor.calls += 1;
        floor.bytes += (x + weight) * dtype.bytes() as f64;
        floor.bytes += out * if accumulate { 8.0 } else { 4.0 };
        floor.flops += 2.0 * x * outputs as f64;
        // SAFETY: the caller's.
        unsafe { self.emulator.gemm(gemm) }
    }

    unsafe fn graph(&mut self, steps: &Steps) -> Result<Steps> {
        // SAFETY: the caller's.
        unsafe { self.emulator.graph(steps) }
    }

    unsafe fn replay(&mut self, graph: &Steps) -> Result {
        // SAFETY: the caller's.
        unsafe { graph.submit(self) }
    }

    fn multiprocessors(&self) -> usize {
        self.emulator.multiprocessors()
    }
}

/// One of the models of the program, or of the tests.
fn model(path: &str) -> Checkpoint {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Checkpoint::open(&root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The calls of these passes, each of `tokens` of that many slots.
fn launched(checkpoint: &Checkpoint, compute: Compute, passes: &[Pass]) -> BTreeMap<String, Floor> {
    let calls = Calls::default();
    let emulator = Emulator::new(Options::default());
    let backend = Cuda::new(Counting { emulator, calls: calls.clone() });
    let (slots, capacity) = (3, 512);
    let mut engine = CudaEngine::new(checkpoint, compute, backend, (slots, capacity, capacity))
        .unwrap_or_else(|error| panic!("{error}"));
    (0..slots).for_each(|slot| engine.reset(slot));
    for pass in passes {
        let tokens: Vec<u32> = (0..pass.tokens as u32).map(|i| i % 13).collect();
        let batch: Vec<_> =
            (0..pass.sequences).map(|slot| Continuation { slot, tokens: &tokens }).collect();
        let mut next = vec![0; pass.sequences];
        engine.forward(&batch, &mut next).unwrap_or_else(|error| panic!("{error}"));
    }
    drop(engine);
    calls.take()
}

#[test]
fn every_call_is_counted() {
    let mut seen = BTreeSet::new();
    let mini = ["mamba2", "mamba2attn", "transformerpp", "recurrentgemma", "rwkv6"]
        .map(|name| format!("host-cli/models/mini/{name}"));
    let small = ["mamba2", "mamba2attn", "sheared-llama", "recurrentgemma", "rwkv6"]
        .map(|name| format!("tests/fixtures/models/{name}"));
    for path in mini.iter().chain(&small) {
        let checkpoint = model(path);
        for compute in [Compute::Bf16, Compute::F32] {
            let pass =
                |sequences, tokens, context| Pass { sequences, tokens, context, logits: sequences };
            // A prompt, short ones side by side, and tokens that are written after them.
            for passes in [
                [pass(1, 100, 0), pass(1, 1, 100)],
                [pass(3, 7, 0), pass(3, 1, 7)],
                [pass(2, 65, 0), pass(2, 20, 65)],
                [pass(1, 17, 0), pass(1, 16, 17)],
            ] {
                let factors = Sizes::of(&checkpoint, compute).expect("weights").factors;
                let floors = floors(checkpoint.config(), (compute, factors), &passes);
                let found = launched(&checkpoint, compute, &passes);
                let calls = |of: &BTreeMap<String, Floor>| -> BTreeMap<String, usize> {
                    of.iter().map(|(name, floor)| (name.clone(), floor.calls)).collect()
                };
                assert_eq!(calls(&floors), calls(&found), "{path} {compute:?} {passes:?}");
                for (name, floor) in floors {
                    assert!(floor.bytes > 0.0, "{path}: {name}");
                    if name.starts_with("product") {
                        assert_eq!(floor, found[&name], "{path} {compute:?}: {name}");
                    }
                    seen.insert(name);
                }
            }
        }
    }
    // All but the plain ones and those of heads of other sizes.
    let fast = KERNELS.iter().map(|kernel| kernel.name).filter(|name| !name.ends_with("_ref"));
    let others: Vec<_> = fast.filter(|&name| !seen.contains(name)).collect();
    let of_other_sizes = [64, 80, 96, 128, 256].map(|size| format!("_{size}"));
    let is_other = |name: &&str| of_other_sizes.iter().any(|size| name.ends_with(size));
    assert!(others.iter().all(is_other), "never launched: {others:?}");
}

/// Bytes of a token more of a long prompt in so many layers, products among them.
fn a_token(config: &ModelConfig, layers: usize) -> f64 {
    let config = ModelConfig { layers, ..*config };
    let bytes = |tokens| -> f64 {
        let pass = Pass { sequences: 1, tokens, context: 0, logits: 0 };
        let all = floors(&config, (Compute::Bf16, Dtype::Bf16), &[pass]);
        assert!(all.keys().all(|name| !name.ends_with("_ref")), "{all:?}");
        all.values().map(|floor| floor.bytes).sum()
    };
    (bytes(2048) - bytes(1024)) / 1024.0
}

/// The table of docs/cuda.md: what a layer moves for a token, beside weights and states.
#[test]
fn bytes_of_a_layer() {
    let gated = |hidden, activation, bias| {
        Some(FeedForward::Gated(GatedMlpConfig { hidden, activation, bias }))
    };
    let of = |family, recurrence, feed_forward| ModelConfig {
        family,
        width: 2560,
        layers: 0,
        vocabulary: 32000,
        embedding_scale: 1.0,
        tied_head: true,
        logits_soft_cap: None,
        norm_epsilon: 1e-5,
        attention_layers: LayerSet::default(),
        recurrence,
        attention: None,
        feed_forward,
    };
    let ssd = SsdConfig {
        dims: SsdDims { heads: 80, head_dim: 64, state: 128, groups: 1 },
        conv_width: 4,
        conv_bias: true,
        projection_bias: false,
    };
    let rg_lru = RgLruConfig { dims: RgLruDims { channels: 2560, blocks: 10 }, conv_width: 4 };
    let wkv6 = Wkv6Config {
        dims: Wkv6Dims { heads: 40, head_dim: 64 },
        shift_rank: 32,
        decay_rank: 64,
        norm_epsilon: 1e-5,
    };
    let mix = Some(FeedForward::ChannelMix(ChannelMixConfig { hidden: 8960 }));
    let attention = AttentionConfig {
        dims: AttentionDims {
            heads: 20,
            kv_heads: 20,
            head_dim: 128,
            scale: 128_f64.powf(-0.5),
            window: None,
            cuts_prompt: false,
            rotary: 128,
            rope_base: 1e4,
        },
        conv_width: 0,
        qkv_bias: false,
        out_bias: false,
        prompt_leaves_conv_outputs: false,
    };
    let mut first = LayerSet::default();
    assert!(first.insert(0));
    let transformer = ModelConfig {
        attention_layers: first,
        attention: Some(attention),
        ..of(Family::TransformerPlusPlus, None, gated(6912, Activation::Silu, false))
    };
    let recurrence = [Recurrence::Ssd(ssd), Recurrence::RgLru(rg_lru), Recurrence::Wkv6(wkv6)];
    let [ssd, rg_lru, wkv6] = recurrence.map(Some);
    for (config, expected) in [
        (of(Family::Mamba2, ssd, None), 210_560.0),
        (transformer, 322_560.0),
        (of(Family::RecurrentGemma, rg_lru, gated(7680, Activation::GeluTanh, true)), 604_160.0),
        (of(Family::Rwkv6, wkv6, mix), 839_040.0),
    ] {
        let layer = a_token(&config, 1) - a_token(&config, 0);
        assert_eq!(layer, expected, "{}", config.family);
    }
}

#[test]
fn the_roof_is_the_larger() {
    let roof = Roof { gflops: 700_000.0, gigabytes: 4_000.0 };
    let floor = Floor { calls: 1, bytes: 4e9, flops: 7e13 };
    assert!((floor.seconds(&roof) - 0.1).abs() < 1e-12);
    assert!((Floor { flops: 1e10, ..floor }.seconds(&roof) - 1e-3).abs() < 1e-12);
}
