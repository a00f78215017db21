//! The program's engine: slots that end and begin anew, passes that read and passes that write, the dtypes it chooses.

use longseq::engine::cuda::CudaEngine;
use longseq::engine::{Continuation, Engine as _};
use longseq_core::numeric::compute::Compute;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Emulator, Options};
use longseq_tests::device;
use longseq_tests::golden::{NAMES, cases, check};

use super::goldens::{BF16_BOUND, F32_BOUND};
use super::relative;

type Engine<'c> = CudaEngine<'c, Emulator>;

/// Continues slots, each by its tokens.
fn forward(engine: &mut Engine<'_>, batch: &[(usize, &[u32])]) -> Vec<u32> {
    let batch: Vec<_> = batch.iter().map(|&(slot, tokens)| Continuation { slot, tokens }).collect();
    let mut next = vec![0; batch.len()];
    engine.forward(&batch, &mut next).unwrap_or_else(|error| panic!("{error}"));
    next
}

#[test]
fn slots_write_what_they_would_alone() {
    for case in cases(&NAMES) {
        let of = |length| {
            let prompt = case.golden.tokens(&format!("tokens.L{length}"));
            (prompt, case.golden.tokens(&format!("greedy.L{length}.tokens")))
        };
        let ((short, after_short), (long, after_long)) = (of(7), of(64));
        let emulators = [(); 2].map(|()| Emulator::new(Options::default()));
        let [with, without] = emulators;
        for (emulator, graphs) in [(with, true), (without.without_graphs(), false)] {
            let extents = (2, 64 + after_long.len(), 512);
            let backend = Cuda::new(emulator);
            let mut engine =
                CudaEngine::new(&case.checkpoint, Compute::F32, backend, extents).expect("memory");
            (0..2).for_each(|slot| engine.reset(slot));
            // The short prompt in slot 0, then the long one in slot 1; when slot 0 is done, the long one there, too.
            let mut written: [Vec<u32>; 3] = Default::default();
            written[0].extend(forward(&mut engine, &[(0, &short)]));
            let last = [written[0][0]];
            let next = forward(&mut engine, &[(0, &last), (1, &long)]);
            written[0].push(next[0]);
            written[1].push(next[1]);
            while written[0].len() < after_short.len() {
                let last = [0, 1].map(|i: usize| [written[i][written[i].len() - 1]]);
                let next = forward(&mut engine, &[(0, &last[0]), (1, &last[1])]);
                (0..2).for_each(|i| written[i].push(next[i]));
            }
            engine.reset(0);
            written[2].extend(forward(&mut engine, &[(0, &long)]));
            while written[2].len() < after_long.len() {
                let last = [written[2][written[2].len() - 1]];
                written[2].extend(forward(&mut engine, &[(0, &last)]));
            }
            assert_eq!(written[0], after_short, "{}", case.name);
            assert_eq!(written[1], after_long[..written[1].len()], "{}", case.name);
            assert_eq!(written[2], after_long, "{}", case.name);
            let found = engine.backend().graphs();
            assert_eq!(
                (found.replayed > 3, found.refused.is_none()),
                (graphs, graphs),
                "{found:?}"
            );
        }
    }
}

/// Where some matrices of a model are f32, too: its buffers must suit all products.
#[test]
fn every_precision_suits_every_model() {
    for case in cases(&NAMES) {
        let tokens = case.golden.tokens("tokens.L7");
        for compute in [Compute::Exact, Compute::Bf16, Compute::F32] {
            let backend = device::cuda(Options::default());
            let mut engine =
                CudaEngine::new(&case.checkpoint, compute, backend, (1, 7, 7)).expect("memory");
            let mut found: Vec<f64> = vec![];
            let read = engine.logits((&tokens[..4], &tokens[4..]), |rows| {
                found.extend(rows.iter().map(|&x| f64::from(x)));
                Ok(())
            });
            read.unwrap_or_else(|error| panic!("{error}"));
            if compute == Compute::F32 {
                check(&case, "logits.L7", &found, F32_BOUND);
            } else {
                let error = relative(&found, &case.golden.reals("logits.L7"));
                assert!(error <= BF16_BOUND, "{} {compute:?}: {error:e} off", case.name);
            }
        }
    }
}
