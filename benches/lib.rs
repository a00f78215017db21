//! Benchmarks of longseq.
