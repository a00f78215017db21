//! RULER's tasks and scores (Hsieh et al. 2024; generator behaviour of NVIDIA/RULER).

pub mod corpus;
pub mod lowercase;
pub mod score;
