//! Passes that write are recorded, and replayed as graphs: nothing changes but how often the device is asked.

use longseq::checkpoint::Checkpoint;
use longseq_core::hybrid::forward;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Options, Order};
use longseq_tests::device::Device;
use longseq_tests::golden::{NAMES, cases};
use longseq_tests::loaded::{Buffers, Loaded};

use super::{HALF, Precision, SINGLE, load};

/// Slots of a model.
const SLOTS: usize = 3;

/// A model whose passes use the same buffers, which hold NaN before each.
struct Writer<'c> {
    model: Loaded<'c, Cuda<Device>>,
    buffers: Buffers<Cuda<Device>>,
}

impl<'c> Writer<'c> {
    fn new(checkpoint: &'c Checkpoint, precision: Precision, capacity: usize) -> Self {
        let options = Options { order: Order::Random, ..Options::default() };
        let mut model = load(checkpoint, precision, (SLOTS, capacity), options);
        let buffers = model.buffers(capacity, SLOTS);
        Self { model, buffers }
    }

    /// The bits of the logits of each slot's last token.
    fn pass(&mut self, continuations: &[(usize, &[u32])], recorded: bool) -> Vec<Vec<u64>> {
        use longseq_core::backend::Elements;
        let Self { model, buffers } = self;
        model.with(|_, cuda| {
            for buffer in &mut *buffers {
                cuda.upload(&vec![f32::NAN; buffer.elements()], buffer).expect("an upload");
            }
        });
        let ends = continuations.iter().scan(0, |end, (_, tokens)| {
            *end += tokens.len();
            Some(*end - 1)
        });
        let rows: Vec<usize> = ends.collect();
        let logits = if recorded {
            model.forward_in(buffers, continuations, &rows, Cuda::forward)
        } else {
            model.forward_in(buffers, continuations, &rows, forward)
        };
        let logits = logits.unwrap_or_else(|error| panic!("{error}"));
        logits.iter().map(|row| row.iter().map(|x| x.to_bits()).collect()).collect()
    }

    /// Graphs made, and passes replayed.
    fn graphs(&self) -> (u64, u64) {
        let graphs = self.model.backend().graphs();
        assert_eq!(graphs.refused, None);
        (graphs.made, graphs.replayed)
    }
}

/// The same passes of two models, one of which records; their logits are the same to the bit.
struct Both<'c> {
    direct: Writer<'c>,
    recorded: Writer<'c>,
    token: u32,
}

impl<'c> Both<'c> {
    fn new(checkpoint: &'c Checkpoint, precision: Precision, capacity: usize) -> Self {
        let [direct, recorded] = [0; 2].map(|_| Writer::new(checkpoint, precision, capacity));
        Self { direct, recorded, token: 1 }
    }

    fn pass(&mut self, continuations: &[(usize, &[u32])]) {
        let direct = self.direct.pass(continuations, false);
        let recorded = self.recorded.pass(continuations, true);
        assert!(direct == recorded, "{continuations:?}");
    }

    /// Passes of a token each of these slots.
    fn write(&mut self, slots: &[usize], passes: usize) {
        for _ in 0..passes {
            let tokens: Vec<[u32; 1]> = slots.iter().map(|_| [self.next()]).collect();
            let all = slots.iter().zip(&tokens).map(|(&slot, token)| (slot, &token[..]));
            self.pass(&all.collect::<Vec<_>>());
        }
    }

    fn next(&mut self) -> u32 {
        self.token = self.token * 7 % 31 + 1;
        self.token
    }

    fn reset(&mut self, slot: usize) {
        for writer in [&mut self.direct, &mut self.recorded] {
            writer.model.with(|state, cuda| state.reset(cuda, slot)).expect("a reset");
        }
    }
}

#[test]
fn recorded_passes_give_the_same_bits() {
    for case in cases(&NAMES) {
        let (prompt, other) = (case.golden.tokens("tokens.L7"), case.golden.tokens("tokens.L64"));
        for precision in [SINGLE, HALF] {
            let mut both = Both::new(&case.checkpoint, precision, 80);
            both.pass(&[(0, &prompt), (2, &other[..20])]);
            both.write(&[0, 2], 6);
            let steps = both.recorded.model.backend().graphs().steps;
            println!("{} {precision:?}: {steps} launches and products", case.name);
            let (made, replayed) = both.recorded.graphs();
            // Remembered in the first pass, or in the second if working memory grew in the first.
            assert!(made == 1 && (4..=5).contains(&replayed), "{}: {replayed}", case.name);
            // One ends, and another takes its slot: read beside what the third goes on with, which is no recorded pass.
            both.reset(0);
            let token = [both.next()];
            both.pass(&[(2, &token), (0, &other[..20])]);
            assert_eq!(both.recorded.graphs(), (made, replayed));
            // The same launches as before, of other tokens at other places.
            both.write(&[0, 2], 2);
            assert_eq!(both.recorded.graphs(), (made, replayed + 2));
            // Another number of sequences has a graph of its own; the first is still there.
            both.write(&[2], 3);
            assert_eq!(both.recorded.graphs(), (made + 1, replayed + 4));
            both.write(&[2, 0], 1);
            assert_eq!(both.recorded.graphs(), (made + 1, replayed + 5));
            assert_eq!(both.direct.graphs(), (0, 0));
        }
    }
}

/// Attention reads parts of 256 keys side by side: with the second part the grid is another one, and the working memory
/// that it needs grows in the middle of a recorded pass.
#[test]
fn a_part_of_keys_more() {
    for case in cases(&["transformerpp", "sheared-llama"]) {
        let prompt: Vec<u32> = (0..252).map(|i| i * i % 31).collect();
        let mut both = Both::new(&case.checkpoint, HALF, 270);
        both.pass(&[(1, &prompt)]);
        // Working memory grows in the first and in the fifth; the second and the sixth are remembered.
        let mut graphs = Vec::new();
        for _ in 0..8 {
            both.write(&[1], 1);
            graphs.push(both.recorded.graphs());
        }
        let expected = [(0, 0), (0, 0), (1, 1), (1, 2), (1, 2), (1, 2), (2, 3), (2, 4)];
        assert_eq!(graphs, expected, "{}", case.name);
        let launched = both.recorded.model.backend().runtime().launched();
        assert!(launched.contains("decode_combine"), "{}: {launched:?}", case.name);
    }
}
