//! scratch
use longseq_core::backend::Columns;
use longseq_cpu::{gemm::*, isa::Isa};
fn main() {
    let mut args = std::env::args().skip(1);
    let threads: usize = args.next().map_or(2, |x| x.parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    for isa in Isa::all() {
        for (m, k, n) in [
            (1, 768, 3072),
            (1, 768, 32000),
            (512, 768, 768),
            (512, 768, 2304),
            (512, 768, 4096),
            (512, 2048, 768),
            (2048, 768, 2304),
            (2048, 2048, 2048),
        ] {
            for stored in [Stored::Bf16, Stored::F32] {
                if isa.name() == "portable" {
                    continue;
                }
                let b = Packed::new((n, k), stored, |r, out| -> Result<(), ()> {
                    out.iter_mut()
                        .enumerate()
                        .for_each(|(i, o)| *o = ((r * 31 + i * 17) % 101) as f32 / 101.0 - 0.5);
                    Ok(())
                })
                .unwrap();
                let a: Vec<f32> = (0..m * k).map(|i| ((i * 7) % 97) as f32 / 97.0 - 0.5).collect();
                let mut c = vec![0.0; m * n];
                let (mut lhs, mut work) = (Lhs::default(), Vec::new());
                let mut times = vec![];
                for _ in 0..9 {
                    let t = std::time::Instant::now();
                    let reps = (400_000_000 / (m * k * n)).max(1);
                    for _ in 0..reps {
                        product(
                            isa,
                            m,
                            &Columns::all(&a[..], k),
                            &b,
                            Output { bias: None, accumulate: false },
                            Columns::all(&mut c[..], n),
                            (&mut lhs, &mut work),
                        );
                    }
                    times.push(t.elapsed().as_secs_f64() / reps as f64);
                }
                times.sort_by(f64::total_cmp);
                let t = times[4];
                println!(
                    "{:10} {stored:?} {m}x{k}x{n}: {:.1} GFLOP/s, {:.1} GB/s of B (best {:.1})",
                    isa.name(),
                    2.0 * (m * k * n) as f64 / t / 1e9,
                    b.bytes() as f64 / t / 1e9,
                    2.0 * (m * k * n) as f64 / times[0] / 1e9
                );
            }
        }
    }
}
