//! A row's result is the same bits whatever is beside it and however many threads there are.

use longseq_cpu::{Cpu, isa::Isa, weight::Compute};

use longseq_tests::rows::{Operation, Weights, bits, bytes, run, wide_width};

/// Enough rows of an odd width for every operation to be shared out to threads.
const ROWS: usize = 600;
const WIDTH: usize = 129;

/// Values from a linear congruential generator, here and there a large one.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let unit = (state >> 8) as f32 / 8_388_608.0 - 1.0;
        if state.is_multiple_of(31) { 100.0 * unit } else { 2.0 * unit }
    };
    (0..count).map(|_| next()).collect()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(work)
}

#[test]
fn neither_threads_nor_neighbours_change_a_bit() {
    let stride = wide_width(WIDTH);
    let (x, wide) = (values(ROWS * WIDTH, 1), values(ROWS * stride, 2));
    let stored = bytes(&values(Weights::elements(WIDTH), 3));
    let exact = Weights::new(WIDTH, &stored);
    for compute in [Compute::F32, Compute::Bf16] {
        let packed = exact.taken(&mut Cpu::new(Isa::best()), compute);
        for isa in Isa::all() {
            for operation in Operation::all(3) {
                let whole = |threads| {
                    with_threads(threads, || {
                        run(&mut Cpu::new(isa), operation, &packed, (&x, &wide))
                    })
                };
                let expected = bits(&whole(1));
                for threads in [2, 3] {
                    assert!(bits(&whole(threads)) == expected, "{operation:?}, {isa}, {threads}");
                }
                // In pieces, one after the other with the same working memory.
                let mut cpu = Cpu::new(isa);
                let (mut first, mut pieces) = (0, vec![]);
                for rows in [1, 2, 7, 63, 129, ROWS - 202] {
                    let x = &x[first * WIDTH..][..rows * WIDTH];
                    let wide = &wide[first * stride..][..rows * stride];
                    pieces.extend(run(&mut cpu, operation, &packed, (x, wide)));
                    first += rows;
                }
                assert_eq!(first, ROWS);
                assert!(bits(&pieces) == expected, "{operation:?} in pieces, {isa}");
            }
        }
    }
}
