//! RULER's tasks and scores (Hsieh et al. 2024; generator behaviour of NVIDIA/RULER).
//!
//! A [`task::Task`] and [`options::Options`] make a [`generator::Generator`] over a caller's
//! [`options::Corpora`] and [`options::Workspace`]; it fits the haystack to a length in tokens
//! ([`budget`]) and draws prompts, which become text as they are written.
//! [`score`] says what an answer is worth.

pub mod budget;
mod cell;
mod common_words;
pub mod corpus;
mod depth;
mod frequent_words;
pub mod generator;
mod haystack;
pub mod lowercase;
pub mod needle;
mod niah;
pub mod options;
pub mod profile;
mod prompt;
mod question_answering;
mod repr;
pub mod rng;
pub mod score;
mod search;
pub mod sizes;
pub mod task;
pub mod template;
mod tracking_example;
mod tracking_prompt;
mod variable_tracking;
pub mod words;

pub use prompt::{Reference, is_space};
