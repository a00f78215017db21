//! What `longseq run` would take of memory, on the CPU and on a GPU.

use std::fmt;

use indicatif::HumanBytes;
use serde_json::{Value, json};

#[cfg(feature = "cuda")]
use crate::engine::{computing::compute, cuda};
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

/// The memory of a run, by length. Displays as a table.
#[derive(Debug)]
pub struct RunMemory {
    place: Place,
    sequences: usize,
    lengths: [(usize, Memory); LENGTHS.len()],
}

/// Where it runs.
#[derive(Debug)]
enum Place {
    Cpu {
        backend: String,
        threads: usize,
    },
    /// The GPU that there is, with the bytes of it that are free; in what keys and values are held.
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "there is none"))]
    Gpu {
        found: Option<(String, u64)>,
        cache: String,
    },
}

impl RunMemory {
    /// Of a model on the CPU.
    pub fn new(args: &InspectArgs, checkpoint: &Checkpoint) -> Result<Self> {
        let computing = Computing::new(BackendArg::Cpu, None, args.compute)?;
        let (config, packing) = (checkpoint.config(), computing.packing(checkpoint)?);
        let (backend, threads) = (computing.backend(), rayon::current_num_threads());
        Self::by_length(args, Place::Cpu { backend, threads }, |extents| {
            computing.memory(config, &packing, extents)
        })
    }

    /// Of a model on the GPU that there is, or on one whose memory suffices; nothing if this program computes on none.
    #[cfg(feature = "cuda")]
    pub fn on_gpu(args: &InspectArgs, checkpoint: &Checkpoint) -> Result<Option<Self>> {
        let (config, compute) = (checkpoint.config(), compute(args.compute));
        let packing = cuda::packing(checkpoint, compute)?;
        let found = cuda::find().ok().map(|found| (found.name().to_owned(), found.free));
        let free = found.as_ref().map_or(u64::MAX, |(_, free)| *free);
        let place = Place::Gpu { found, cache: cuda::rounded_to(compute).to_string() };
        let of = |extents| cuda::memory((config, compute), &packing, extents, free);
        Self::by_length(args, place, of).map(Some)
    }

    #[cfg(not(feature = "cuda"))]
    pub fn on_gpu(_: &InspectArgs, _: &Checkpoint) -> Result<Option<Self>> {
        Ok(None)
    }

    fn by_length(
        args: &InspectArgs,
        place: Place,
        of: impl Fn((usize, usize)) -> Result<Memory>,
    ) -> Result<Self> {
        let sequences = args.sequences.get();
        let mut lengths = LENGTHS.map(|length| (length, Memory::default()));
        for (length, memory) in &mut lengths {
            *memory = of((sequences, *length))?;
        }
        Ok(Self { place, sequences, lengths })
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
        let lengths: Vec<_> = self.lengths.iter().map(of).collect();
        match &self.place {
            Place::Cpu { backend, threads } => json!({
                "backend": backend, "threads": threads, "sequences": self.sequences,
                "program_bytes": program, "weights_bytes": weights, "packing_bytes": packing,
                "lengths": lengths,
            }),
            Place::Gpu { found, cache } => json!({
                "backend": "cuda", "gpu": found.as_ref().map(|(name, _)| name),
                "free_bytes": found.as_ref().map(|(_, free)| free), "sequences": self.sequences,
                "weights_bytes": weights, "cache_dtype": cache, "sequence": self.of_a_sequence(),
                "lengths": lengths,
            }),
        }
    }
}

impl fmt::Display for RunMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, sequences, lengths } = self;
        let Memory { program, weights, .. } = lengths[0].1;
        let [weights, program] = [weights, program].map(HumanBytes);
        match place {
            Place::Cpu { backend, threads } => writeln!(
                f,
                "Memory of a run, {backend}, threads {threads}, sequences at once {sequences}: weights \
                 {weights}, the program itself {program},\nand by length (state, keys and values of one \
                 sequence, in f32):"
            )?,
            Place::Gpu { found, cache } => {
                let place = match found {
                    Some((name, free)) => format!("on {name}, {} free", HumanBytes(*free)),
                    None => "on a GPU (there is none here)".to_owned(),
                };
                writeln!(
                    f,
                    "Memory of a run {place}, sequences at once {sequences}: weights {weights},\nand by \
                     length (of one sequence the state in f32, keys and values in {cache}):"
                )?;
            }
        }
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
