//! What computes a model, and in which precision: as asked for, resolved.

use longseq_core::{hybrid::config::ModelConfig, state::StateLayout};
use longseq_cpu::{isa::Isa, weight::Compute};

#[cfg(feature = "cuda")]
use super::cuda;
use super::{
    Engine, choice,
    cpu::{self, CpuEngine},
    memory::{self, Memory},
    native::{self, Native},
    packed::{Packed, Packing},
    worker::internal,
};
use crate::{
    args::run::{BackendArg, ComputeArg, PrecisionArg},
    checkpoint::Checkpoint,
    error::{Error, Result},
};

/// What computes, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computing {
    /// longseq-cpu.
    Cpu(Compute),
    /// longseq-cuda, on the GPU that was found.
    #[cfg(feature = "cuda")]
    Cuda(Compute),
    /// The plain functions, in 32 or 64 bits.
    Reference(PrecisionArg),
}

impl Computing {
    /// What the options come to. Of `auto`, a line on stderr says it.
    ///
    /// # Errors
    /// An option of another backend; no GPU where one is asked for.
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
            (BackendArg::Reference, _, Some(_)) => return refuse("--compute", "cpu"),
            (BackendArg::Reference, precision, None) => {
                return Ok(Self::Reference(precision.unwrap_or(PrecisionArg::F32)));
            }
            (_, Some(_), _) => return refuse("--precision", "reference"),
            _ => {}
        }
        let compute = self::compute(compute);
        match backend {
            BackendArg::Cuda => Self::cuda(compute),
            BackendArg::Auto if choice::takes_cuda() => Self::cuda(compute),
            _ => Ok(Self::Cpu(compute)),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda(compute: Compute) -> Result<Self> {
        cuda::checked().map(|_| Self::Cuda(compute)).map_err(Clone::clone)
    }

    #[cfg(not(feature = "cuda"))]
    fn cuda(_: Compute) -> Result<Self> {
        Err(Error::new(choice::WITHOUT_CUDA)
            .help("build it with the feature `cuda`, or compute with --backend cpu"))
    }

    /// The name in plans and reports. Results depend on the instruction set, or on the GPU's architecture and
    /// cuBLASLt.
    pub fn backend(self) -> String {
        match self {
            Self::Cpu(_) => format!("cpu {}", Isa::best()),
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => cuda::find().map_or("cuda".to_owned(), cuda::Found::backend),
            Self::Reference(_) => "reference".to_owned(),
        }
    }

    /// The precision in plans and reports: of the weights, as products are computed with them.
    pub fn precision(self, checkpoint: &Checkpoint) -> &'static str {
        let compute = match self {
            Self::Reference(precision) => return precision.name(),
            Self::Cpu(compute) => compute,
            #[cfg(feature = "cuda")]
            Self::Cuda(compute) => compute,
        };
        match compute {
            Compute::Bf16 => "bf16",
            Compute::F32 => "f32",
            Compute::Exact if stored_in_bf16(checkpoint) => "bf16",
            Compute::Exact => "bf16 where exact, else f32",
        }
    }

    /// A sequence that is cut into calls at multiples of this many tokens gets the same bits as in one; on a GPU the same
    /// but for the order in which products are summed.
    pub fn grid(self) -> usize {
        match self {
            Self::Cpu(_) => longseq_cpu::GRID,
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => cuda::GRID,
            Self::Reference(_) => 1,
        }
    }

    /// What the weights of a checkpoint come to.
    ///
    /// # Errors
    /// Weights of odd shapes.
    pub fn packing(self, checkpoint: &Checkpoint) -> Result<Packing> {
        match self {
            Self::Cpu(compute) => Packing::of(checkpoint, compute),
            #[cfg(feature = "cuda")]
            Self::Cuda(compute) => cuda::packing(checkpoint, compute),
            // They are read where they lie.
            Self::Reference(_) => {
                let bytes = usize::try_from(checkpoint.bytes()).unwrap_or(usize::MAX);
                Ok(Packing { program: memory::taken(), bytes, peak: bytes, ..Packing::default() })
            }
        }
    }

    /// What a model takes, for `slots` sequences of at most `capacity` tokens.
    ///
    /// # Errors
    /// A configuration that describes no model.
    pub fn memory(
        self,
        config: &ModelConfig,
        packing: &Packing,
        (slots, capacity): (usize, usize),
    ) -> Result<Memory> {
        #[cfg(feature = "cuda")]
        if let Self::Cuda(compute) = self {
            let free = cuda::find().map_err(Error::gpu)?.free;
            return cuda::memory((config, compute), packing, (slots, capacity), free);
        }
        let element = match self {
            Self::Reference(PrecisionArg::F64) => size_of::<f64>() as u64,
            _ => size_of::<f32>() as u64,
        };
        let layout = StateLayout::new(config, 1, capacity).map_err(internal)?;
        let (state, cache) = layout.slot_elements();
        let [state, cache] = [state, cache].map(|n| (n as u64).saturating_mul(element));
        let buffers = match self {
            Self::Reference(_) => {
                let threads = rayon::current_num_threads().min(slots) as u64;
                let worker = native::worker_elements(config, capacity) as u64;
                worker.saturating_mul(element).saturating_mul(threads)
            }
            _ => cpu::buffer_bytes(config, packing, (slots, capacity)),
        };
        let (program, weights) = (packing.program, packing.bytes as u64);
        let packing = (packing.peak as u64).saturating_sub(weights);
        Ok(Memory { program, weights, packing, state, cache, buffers })
    }

    /// Bytes that a model may take where nothing is said: half of the memory that is free, or most of a GPU's. Unknown
    /// where the operating system does not tell.
    pub fn usable(self) -> Option<u64> {
        #[cfg(feature = "cuda")]
        if let Self::Cuda(_) = self {
            return Some(cuda::usable(cuda::find().ok()?.free));
        }
        memory::free().map(|free| free / 2)
    }

    /// A model's slots.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn engine<'a>(
        self,
        checkpoint: &'a Checkpoint,
        slots: usize,
        capacity: usize,
    ) -> Result<Box<dyn Engine + 'a>> {
        Ok(match self {
            Self::Cpu(compute) => {
                Box::new(CpuEngine::new(Packed::new(checkpoint, compute)?, slots, capacity)?)
            }
            #[cfg(feature = "cuda")]
            Self::Cuda(compute) => cuda::engine(checkpoint, compute, (slots, capacity))?,
            Self::Reference(PrecisionArg::F32) => {
                Box::new(Native::<f32>::new(checkpoint.weights()?, slots, capacity)?)
            }
            Self::Reference(PrecisionArg::F64) => {
                Box::new(Native::<f64>::new(checkpoint.weights()?, slots, capacity)?)
            }
        })
    }
}

/// In what products with weights are computed.
pub fn compute(asked: Option<ComputeArg>) -> Compute {
    match asked {
        None | Some(ComputeArg::Auto) => Compute::Exact,
        Some(ComputeArg::Bf16) => Compute::Bf16,
        Some(ComputeArg::F32) => Compute::F32,
    }
}

fn stored_in_bf16(checkpoint: &Checkpoint) -> bool {
    checkpoint.parameters_by_dtype().keys().all(|dtype| dtype == "bf16")
}
