//! The engine over longseq-cpu takes its memory when it is made, as much as was foretold, and then no more.

use std::array;

use longseq::{
    checkpoint::Checkpoint,
    engine::{Continuation, Engine, computing::Computing, cpu::CpuEngine, packed::Packed},
};
use longseq_cpu::weight::Compute;

#[expect(dead_code, reason = "what other tests use")]
#[path = "common/models.rs"]
mod models;

use models::{MODELS, fixture, golden, ids};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const SLOTS: usize = 3;

/// Tokens of the longest prompt: more than a forward pass takes.
const LONG: usize = 700;

/// Tokens that a slot holds at most.
const CAPACITY: usize = 1024;

/// Jobs that a block of rayon's queue holds, to which calls from outside its threads are added.
const JOBS_OF_A_BLOCK: u64 = 63;

fn blocks() -> u64 {
    dhat::HeapStats::get().total_blocks
}

fn bytes() -> usize {
    dhat::HeapStats::get().curr_bytes
}

/// A token for every slot.
fn step(engine: &mut dyn Engine, next: &mut [u32; SLOTS]) {
    let last = *next;
    let batch =
        array::from_fn::<_, SLOTS, _>(|slot| Continuation { slot, tokens: &last[slot..=slot] });
    engine.forward(&batch, next).unwrap();
}

/// Prompts of several lengths, then `steps` tokens one by one; pieces and a fork between.
fn work(engine: &mut dyn Engine, tokens: &[u32], steps: usize) {
    (0..SLOTS).for_each(|slot| engine.reset(slot));
    let lengths: [usize; SLOTS] = [LONG, 1, 130];
    let batch = array::from_fn::<_, SLOTS, _>(|slot| Continuation {
        slot,
        tokens: &tokens[..lengths[slot]],
    });
    let mut next = [0; SLOTS];
    engine.forward(&batch, &mut next).unwrap();
    engine.fork(0, 1);
    for length in [9, 33, 70] {
        let batch = [2, 1].map(|slot| Continuation { slot, tokens: &tokens[..length] });
        engine.forward(&batch, &mut next[..2]).unwrap();
    }
    (0..steps).for_each(|_| step(engine, &mut next));
}

/// As much as foretold, and a little for what holds weights together and what threads keep for themselves.
fn is_near(found: usize, foretold: usize) -> bool {
    (foretold..foretold + (16 << 10)).contains(&found)
}

/// Makes an engine, which takes what was foretold, for `see` and some tokens.
fn with_engine(name: &str, compute: Compute, see: impl FnOnce(&mut dyn Engine, &[u32])) {
    let checkpoint = Checkpoint::open(&fixture(name)).unwrap();
    let tokens = ids(&golden(name), "tokens.L200").repeat(4);
    let computing = Computing::Cpu(compute);
    let packing = computing.packing(&checkpoint).unwrap();
    let memory = computing.memory(checkpoint.config(), &packing, (SLOTS, CAPACITY)).unwrap();
    // Threads that have not begun begin now.
    rayon::broadcast(|_| ());
    // Matrices are not on the heap: `memory` measures them.
    let packed = Packed::new(&checkpoint, compute).unwrap();
    let before = bytes();
    let mut engine = CpuEngine::new(packed, SLOTS, CAPACITY).unwrap();
    let found = bytes() - before;
    let foretold = memory.slot() as usize * SLOTS + memory.buffers as usize;
    assert!(is_near(found, foretold), "{name} in {compute:?}: {found}, foretold {foretold}");
    see(&mut engine, &tokens);
}

#[test]
fn calls_allocate_nothing_and_memory_is_as_foretold() {
    let _profiler = dhat::Profiler::builder().testing().build();
    // Kept to the end: threads that end give memory back at any time.
    let mut pools = Vec::new();
    for name in MODELS {
        for (compute, threads) in [(Compute::Exact, 1), (Compute::Bf16, 2), (Compute::F32, 3)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                with_engine(name, compute, |engine, tokens| {
                    work(engine, tokens, 2);
                    let before = blocks();
                    work(engine, tokens, 100);
                    assert_eq!(blocks() - before, 0, "{name} in {compute:?} on {threads} threads");
                });
            });
            pools.push(pool);
        }
    }
    // From outside rayon's threads every pass is added to a queue of theirs, whose blocks are allocated.
    with_engine("mamba2", Compute::Bf16, |engine, tokens| {
        work(engine, tokens, 2);
        let before = blocks();
        (0..10 * JOBS_OF_A_BLOCK).for_each(|_| step(engine, &mut [1; SLOTS]));
        assert_eq!(blocks() - before, 10);
    });
}
