//! The study that this program can repeat: J. Huang, *How Well Can a Long Sequence Model Model Long
//! Sequences?* (COLING 2025). Its systems, its protocol, and its figures as published.

pub mod figures;
pub mod preset;
pub mod systems;
