//! This program was built without its CUDA backend.

use serde_json::json;

use super::Fact;
use crate::engine::choice::WITHOUT_CUDA;

/// Says so.
pub fn facts() -> Vec<Fact> {
    let text = WITHOUT_CUDA.to_owned();
    let help = "build it with the feature `cuda`, which is on by default";
    let json = json!({"error": text, "help": help});
    vec![Fact { name: "gpu", text, help: Some(help.to_owned()), json }]
}
