//! What `longseq run` would take of memory.

use std::fmt;

use indicatif::HumanBytes;
use serde_json::{Value, json};

use crate::{
    args::{inspect::InspectArgs, run::BackendArg},
    checkpoint::Checkpoint,
    engine::{computing::Computing, memory::Memory},
    error::Result,
    table::Table,
};

/// The lengths whose memory is shown, in tokens.
const LENGTHS: [usize; 8] =
    [1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 17];

/// The memory of a run on the CPU backend, by length. Displays as a table.
#[derive(Debug)]
pub struct RunMemory {
    backend: String,
    threads: usize,
    sequences: usize,
    lengths: [(usize, Memory); LENGTHS.len()],
}

impl RunMemory {
    /// Of a model.
    pub fn new(args: &InspectArgs, checkpoint: &Checkpoint) -> Result<Self> {
        let computing = Computing::new(BackendArg::Cpu, None, args.compute)?;
        let (config, packing) = (checkpoint.config(), computing.packing(checkpoint)?);
        let sequences = args.sequences.get();
        let of = |length| computing.memory(config, &packing, (sequences, length));
        let first = of(LENGTHS[0])?;
        let mut lengths = LENGTHS.map(|length| (length, first));
        for (length, memory) in &mut lengths[1..] {
            *memory = of(*length)?;
        }
        let (backend, threads) = (computing.backend(), rayon::current_num_threads());
        Ok(Self { backend, threads, sequences, lengths })
    }

    /// For every length that of one sequence.
    pub fn of_a_sequence(&self) -> Vec<Value> {
        let of = |(tokens, memory): &(usize, Memory)| json!({"tokens": tokens, "state_bytes": memory.state, "cache_bytes": memory.cache});
        self.lengths.iter().map(of).collect()
    }

    /// All of it.
    pub fn of_a_run(&self) -> Value {
        let Memory { program, weights, packing, .. } = self.lengths[0].1;
        let of = |(tokens, memory): &(usize, Memory)| {
            let total = memory.total(self.sequences);
            json!({"tokens": tokens, "working_bytes": memory.buffers, "total_bytes": total})
        };
        json!({
            "backend": self.backend, "threads": self.threads, "sequences": self.sequences,
            "program_bytes": program, "weights_bytes": weights, "packing_bytes": packing,
            "lengths": self.lengths.iter().map(of).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for RunMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, threads, sequences, lengths } = self;
        let Memory { program, weights, .. } = lengths[0].1;
        let [weights, program] = [weights, program].map(HumanBytes);
        writeln!(
            f,
            "Memory of a run, {backend}, threads {threads}, sequences at once {sequences}: weights \
             {weights}, the program itself {program},\nand by length (state, keys and values of one \
             sequence, in f32):"
        )?;
        let header = ["tokens", "recurrent state", "keys and values", "working memory", "in all"];
        let cells = |(length, memory): &(usize, Memory)| {
            let Memory { state, cache, buffers, .. } = *memory;
            let bytes = [state, cache, buffers, memory.total(*sequences)].map(HumanBytes);
            [length.to_string()].into_iter().chain(bytes.map(|bytes| bytes.to_string())).collect()
        };
        let header = header.map(str::to_owned).to_vec();
        f.write_str(&Table { header, rows: lengths.iter().map(cells).collect() }.to_text(true))
    }
}
