//! `longseq devices`: what this machine has to compute with.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(not(feature = "cuda"))]
#[path = "devices/without_cuda.rs"]
mod cuda;

use longseq_cpu::isa::Isa;
use serde_json::{Value, json};

use super::{Outcome, print};
use crate::{args::devices::DevicesArgs, error::Result, plan::cpu_model};

/// Something that there may be: its name, what it is or why it is not there, and the same as data.
struct Fact {
    name: &'static str,
    text: String,
    /// What to do where it is missing.
    help: Option<String>,
    json: Value,
}

/// Runs the subcommand.
pub fn run(args: &DevicesArgs) -> Result<Outcome> {
    let facts: Vec<Fact> = [cpu()].into_iter().chain(cuda::facts()).collect();
    print(&if args.json {
        let facts = facts.into_iter().map(|fact| (fact.name.to_owned(), fact.json));
        format!("{:#}\n", Value::Object(facts.collect()))
    } else {
        facts.iter().map(Fact::to_text).collect()
    })?;
    Ok(Outcome::Done)
}

impl Fact {
    fn to_text(&self) -> String {
        let help = self.help.as_ref().map(|help| format!("help: {help}"));
        let lines = self.text.lines().chain(help.as_deref());
        let names = [self.name].into_iter().chain(std::iter::repeat(""));
        names.zip(lines).map(|(name, line)| format!("{name:<10}{line}\n")).collect()
    }
}

/// The processor, and what the CPU backend makes of it.
fn cpu() -> Fact {
    let (model, threads) = (cpu_model(), rayon::current_num_threads());
    let sets: Vec<_> = Isa::all().iter().map(|isa| isa.name()).collect();
    let backend = format!("cpu {}", Isa::best());
    Fact {
        name: "cpu",
        text: format!(
            "{model}, threads {threads}\ninstructions {}; backend: {backend}",
            sets.join(", ")
        ),
        help: None,
        json: json!({
            "model": model, "threads": threads, "instructions": sets, "backend": backend,
        }),
    }
}
