//! What computes a model, and in which precision: as asked for, resolved.

use longseq_core::state::StateLayout;
use longseq_cpu::{isa::Isa, weight::Compute};

use super::{
    Engine, cpu,
    cpu::{CpuEngine, Packed},
    native::{self, Native},
    worker::internal,
};
use crate::{
    args::run::{BackendArg, ComputeArg, PrecisionArg},
    checkpoint::{Checkpoint, Weights},
    error::{Error, Result},
};

/// What computes, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computing {
    /// longseq-cpu.
    Cpu(Compute),
    /// The plain functions, in 32 or 64 bits.
    Reference(PrecisionArg),
}

/// Bytes that a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Of the weights, as they are computed with.
    pub weights: u64,
    /// Of one slot's recurrent state.
    pub state: u64,
    /// Of one slot's keys and values.
    pub cache: u64,
    /// Of everything else.
    pub buffers: u64,
}

impl Memory {
    /// Of one slot.
    pub fn slot(&self) -> u64 {
        self.state.saturating_add(self.cache)
    }

    /// All of it, for so many slots.
    pub fn total(&self, slots: usize) -> u64 {
        let slots = self.slot().saturating_mul(slots as u64);
        self.weights.saturating_add(self.buffers).saturating_add(slots)
    }
}

impl Computing {
    /// What the options come to.
    ///
    /// # Errors
    /// An option of another backend.
    pub fn new(
        backend: BackendArg,
        precision: Option<PrecisionArg>,
        compute: Option<ComputeArg>,
    ) -> Result<Self> {
        let refuse = |option: &str, backend: &str| {
            Err(Error::new(format!("{option} is an option of the {backend} backend"))
                .help(format!("leave it out, or add --backend {backend}")))
        };
        match (backend, precision, compute) {
            (BackendArg::Cpu, Some(_), _) => refuse("--precision", "reference"),
            (BackendArg::Reference, _, Some(_)) => refuse("--compute", "cpu"),
            (BackendArg::Cpu, None, compute) => Ok(Self::Cpu(match compute {
                None | Some(ComputeArg::Auto) => Compute::Exact,
                Some(ComputeArg::Bf16) => Compute::Bf16,
                Some(ComputeArg::F32) => Compute::F32,
            })),
            (BackendArg::Reference, precision, None) => {
                Ok(Self::Reference(precision.unwrap_or(PrecisionArg::F32)))
            }
        }
    }

    /// The name in plans and reports. Results depend on the instruction set.
    pub fn backend(self) -> String {
        match self {
            Self::Cpu(_) => format!("cpu {}", Isa::best()),
            Self::Reference(_) => "reference".to_owned(),
        }
    }

    /// The precision in plans and reports: of the weights, as products are computed with them.
    pub fn precision(self, checkpoint: &Checkpoint) -> &'static str {
        match self {
            Self::Reference(precision) => precision.name(),
            Self::Cpu(Compute::Bf16) => "bf16",
            Self::Cpu(Compute::F32) => "f32",
            Self::Cpu(Compute::Exact) if stored_in_bf16(checkpoint) => "bf16",
            Self::Cpu(Compute::Exact) => "bf16 where exact, else f32",
        }
    }

    /// A sequence that is cut into calls at multiples of this many tokens gets the same bits as in one.
    pub fn grid(self) -> usize {
        match self {
            Self::Cpu(_) => longseq_cpu::GRID,
            Self::Reference(_) => 1,
        }
    }

    /// What a model takes, for `slots` sequences of at most `capacity` tokens.
    pub fn memory(self, checkpoint: &Checkpoint, slots: usize, capacity: usize) -> Result<Memory> {
        let config = checkpoint.config();
        let element = match self {
            Self::Reference(PrecisionArg::F64) => size_of::<f64>() as u64,
            _ => size_of::<f32>() as u64,
        };
        let layout = StateLayout::new(config, 1, capacity).map_err(internal)?;
        let (state, cache) = layout.slot_elements();
        let [state, cache] = [state, cache].map(|n| (n as u64).saturating_mul(element));
        let (weights, buffers) = match self {
            Self::Reference(_) => {
                let threads = rayon::current_num_threads().min(slots) as u64;
                let worker = native::worker_elements(config, capacity) as u64;
                (checkpoint.bytes(), worker.saturating_mul(element).saturating_mul(threads))
            }
            Self::Cpu(compute) => {
                let buffers = cpu::buffer_bytes(config, capacity, slots);
                (packed_bytes(checkpoint, compute), buffers)
            }
        };
        Ok(Memory { weights, state, cache, buffers })
    }

    /// A model's slots.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn engine<'a>(
        self,
        weights: &'a Weights<'a>,
        slots: usize,
        capacity: usize,
    ) -> Result<Box<dyn Engine + 'a>> {
        Ok(match self {
            Self::Cpu(compute) => {
                Box::new(CpuEngine::new(Packed::new(weights, compute)?, slots, capacity)?)
            }
            Self::Reference(PrecisionArg::F32) => {
                Box::new(Native::<f32>::new(weights, slots, capacity)?)
            }
            Self::Reference(PrecisionArg::F64) => {
                Box::new(Native::<f64>::new(weights, slots, capacity)?)
            }
        })
    }
}

fn stored_in_bf16(checkpoint: &Checkpoint) -> bool {
    checkpoint.parameters_by_dtype().keys().all(|dtype| dtype == "bf16")
}

/// Bytes of the packed weights. The embedding is read where it lies. Where f16 or f32 may turn out to be
/// exact in bf16, it is taken not to be.
fn packed_bytes(checkpoint: &Checkpoint, compute: Compute) -> u64 {
    let config = checkpoint.config();
    let table = (config.vocabulary as u64).saturating_mul(config.width as u64);
    let packed = checkpoint.parameters() - if config.tied_head { 0 } else { table };
    let bf16 = match compute {
        Compute::Bf16 => true,
        Compute::F32 => false,
        Compute::Exact => stored_in_bf16(checkpoint),
    };
    packed.saturating_mul(if bf16 { 2 } else { 4 })
}
