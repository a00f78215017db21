//! Every operation of the CPU backend by itself, in the sizes of models of 130M parameters: first compared with the
//! reference on the same inputs, then measured beside what the machine can do.
//!
//! Files are named as in `longseq-core` and `longseq-cpu`. Weights are in bf16, and so are products without one.
//! Look-ups of rows are not measured: they are copies.

mod activation;
mod bench;
mod case;
mod causal_conv1d;
mod grouped_query_attention;
mod linear;
mod low_rank;
mod norm;
mod operation;
mod rg_lru;
mod ssd;
mod token_shift;
mod weights;
mod wkv6;

fn main() {
    let mut bench = bench::Bench::from_args();
    linear::bench(&mut bench);
    low_rank::bench(&mut bench);
    norm::bench(&mut bench);
    activation::bench(&mut bench);
    causal_conv1d::bench(&mut bench);
    ssd::bench(&mut bench);
    wkv6::bench(&mut bench);
    rg_lru::bench(&mut bench);
    token_shift::bench(&mut bench);
    grouped_query_attention::bench(&mut bench);
    bench.finish();
}
