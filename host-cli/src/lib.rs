//! The host side of longseq: files, tokenizers, planning, running, reports.
//!
//! Data flows one way: `Args → Plan → Sample → Encoded → Completion → Scored → Report`.

pub mod args;
pub mod checkpoint;
pub mod commands;
pub mod completion;
pub mod corpora;
pub mod digest;
pub mod engine;
pub mod error;
pub mod files;
pub mod generate;
pub mod journal;
pub mod paper;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod python_json;
pub mod quirks;
pub mod report;
pub mod run;
pub mod sample;
pub mod score;
pub mod sentences;
pub mod study;
pub mod table;
pub mod template;
pub mod tokenizer;
