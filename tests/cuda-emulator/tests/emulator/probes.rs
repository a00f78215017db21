//! Kernels that are right come out right, in every order.

use half::bf16;
use longseq_cuda::runtime::{Argument, Memory as _};
use longseq_cuda_emulator::{
    Emulator, EmulatorError, Options, Statistics,
    probes::{INDICES, SCAN, TILE_PRODUCT},
};
use proptest::prelude::*;

use super::{get, launch, put};

/// Whole numbers, of which sums of products are exact.
fn whole(i: usize) -> f32 {
    (i * 7 % 11) as f32 - 5.0
}

/// What `tile_product` makes of whole numbers, and what it should; `k` is a multiple of 8.
pub fn tile_product(
    emulator: &mut Emulator,
    (m, n, k): (usize, usize, usize),
) -> Result<(Vec<f32>, Vec<f32>), EmulatorError> {
    let (a, b) =
        (|i: usize, t: usize| whole(i * k + t), |j: usize, t: usize| whole(3 * (j * k + t) + 1));
    let stored = |value: f32| bf16::from_f32(value).to_le_bytes();
    let left = put(emulator, (0..m * k).map(|at| stored(a(at / k, at % k))));
    let right = put(emulator, (0..n * k).map(|at| stored(b(at / k, at % k))));
    let out = put(emulator, (0..m * n).map(|_| f32::NAN.to_le_bytes()));
    let mut arguments = [&left, &right, &out].map(|of| Argument::Address(of.address())).to_vec();
    arguments.extend([m, n, k].map(|extent| Argument::I32(extent as i32)));
    let blocks = [n.div_ceil(16) as u32, m.div_ceil(32) as u32, 1];
    launch(emulator, &TILE_PRODUCT, blocks, &arguments)?;
    let entry = |at: usize| (0..k).map(|t| a(at / n, t) * b(at % n, t)).sum();
    Ok((get(emulator, &out, f32::from_le_bytes), (0..m * n).map(entry).collect()))
}

/// What `scan` makes of whole numbers, and what it should.
pub fn scan(emulator: &mut Emulator, count: usize) -> Result<(Vec<f32>, Vec<f32>), EmulatorError> {
    let values: Vec<i32> = (0..count).map(|i| whole(i) as i32).collect();
    let x = put(emulator, values.iter().map(|x| x.to_le_bytes()));
    let out = put(emulator, values.iter().map(|_| f32::NAN.to_le_bytes()));
    let addresses = [&x, &out].map(|of| Argument::Address(of.address()));
    let arguments = [addresses[0], addresses[1], Argument::I32(count as i32)];
    launch(emulator, &SCAN, [1, 1, 1], &arguments)?;
    let sums = values.iter().scan(0, |sum, x| {
        *sum += x;
        Some(*sum as f32)
    });
    Ok((get(emulator, &out, f32::from_le_bytes), sums.collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn products_of_tiles(m in 1..70_usize, n in 1..40_usize, eights in 1..9_usize, seed: u64) {
        for options in Options::all(seed) {
            let mut emulator = Emulator::new(options);
            let (found, expected) = tile_product(&mut emulator, (m, n, 8 * eights)).unwrap();
            prop_assert_eq!(found, expected, "{:?}", options);
            let Statistics { matrix_loads, multiplications, bank_conflicts, .. } = *emulator.statistics();
            prop_assert_eq!((matrix_loads, bank_conflicts), (multiplications, 0));
        }
    }

    #[test]
    fn running_sums(count in 1..=256_usize, seed: u64) {
        for options in Options::orders(seed) {
            let (found, expected) = scan(&mut Emulator::new(options), count).unwrap();
            prop_assert_eq!(found, expected, "{:?}", options);
        }
    }
}

#[test]
fn every_block_has_its_index() {
    for options in Options::orders(3) {
        let mut emulator = Emulator::new(options);
        let [x, y, z, threads, stride] = [3, 4, 2, 64, 70];
        let out = put(&mut emulator, (0..x * y * z * stride).map(|_| (-1_i32).to_le_bytes()));
        let arguments =
            [Argument::Address(out.address()), Argument::I64(stride), Argument::F32(2.0)];
        launch(&mut emulator, &INDICES, [x, y, z].map(|blocks| blocks as u32), &arguments).unwrap();
        for (at, found) in get(&mut emulator, &out, i32::from_le_bytes).into_iter().enumerate() {
            let (block, thread) = (at as i64 / stride, at as i64 % stride);
            let other = 2 * (block * threads + threads - 1 - thread);
            assert_eq!(i64::from(found), if thread < threads { other } else { -1 });
        }
    }
}
