//! Measuring cases, and setting their times against the machine's roof.

use std::time::Duration;

use criterion::Criterion;
use longseq_benches::{
    fail, order,
    roof::{self, Roof},
};
use longseq_cpu::isa::Isa;

use crate::{case::Case, operation::Operation};

/// Samples of a case.
const SAMPLES: usize = 20;

/// Measures operations and keeps what it found.
pub struct Bench {
    criterion: Criterion,
    /// Measured when the first share is asked for.
    roof: Option<Roof>,
    rows: Vec<String>,
}

impl Bench {
    /// As the command line wants it.
    pub fn from_args() -> Self {
        let criterion = Criterion::default()
            .sample_size(SAMPLES)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1))
            .without_plots()
            .configure_from_args();
        Self { criterion, roof: None, rows: vec![] }
    }

    /// Checks an operation, measures it and prints its share of the roof, for each number of tokens.
    pub fn operation<O: Operation>(&mut self, operation: &O) {
        for &tokens in operation.tokens() {
            self.case(operation, tokens);
        }
    }

    fn case<O: Operation>(&mut self, operation: &O, tokens: usize) {
        let name = operation.name();
        let case = Case::new(operation, tokens);
        let mut checked = None;
        let mut seconds = vec![];
        // A case that is not asked for is not checked either.
        self.criterion.bench_function(&format!("{name}/{tokens}"), |bencher| {
            let case = checked.get_or_insert_with(|| case.checked().unwrap_or_else(|e| fail(&e)));
            bencher.iter_custom(|calls| {
                // On one of rayon's threads, as in a forward pass.
                let time = |_: &rayon::Scope<'_>| case.time(calls);
                let elapsed = rayon::scope(time).unwrap_or_else(|e| fail(&e));
                seconds.push(elapsed.as_secs_f64() / calls as f64);
                elapsed
            });
        });
        // The last are the samples, those before only warmed up. A trial run has none.
        let Some((checked, first)) = checked.zip(seconds.len().checked_sub(SAMPLES)) else {
            return;
        };
        let seconds = order(seconds.split_off(first));
        let roof = self.roof.get_or_insert_with(roof::measure);
        let share = share(operation.products(tokens), checked.bytes(), roof, seconds[0]);
        let [median, least, most] = seconds.map(|seconds| seconds * 1e6);
        let row = format!("| {name} | {tokens} | {median:.2} | {least:.2}–{most:.2} | {share} |");
        println!("{row}\n");
        self.rows.push(row);
    }

    /// Prints all that was measured.
    pub fn finish(self) {
        self.criterion.final_summary();
        let Some(roof) = self.roof else { return };
        let (isa, threads) = (Isa::best(), rayon::current_num_threads());
        println!("{isa}, {threads} threads; roof: {roof}\n");
        println!(
            "| operation | tokens | µs, median | range | of the roof |\n|---|---|---|---|---|"
        );
        self.rows.iter().for_each(|row| println!("{row}"));
    }
}

/// The share of the roof that stands lower: of products, or of the memory's bandwidth. What caches hold may go beyond
/// the latter.
fn share(products: f64, bytes: usize, roof: &Roof, seconds: f64) -> String {
    let of_products = (products / 1e9 / roof.gflops, roof.gflops, "GFLOP/s");
    let of_memory = (bytes as f64 / 1e9 / roof.gigabytes, roof.gigabytes, "GB/s");
    let slower = if of_products.0 > of_memory.0 { of_products } else { of_memory };
    let (least, rate, unit) = slower;
    format!("{:.0} % of {rate:.0} {unit}", least / seconds * 100.0)
}
