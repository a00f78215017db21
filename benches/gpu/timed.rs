//! A GPU that takes the time of everything it is asked for, by name: a profile of a forward pass without a profiler.

use std::{cell::RefCell, collections::BTreeMap, ops::Range, rc::Rc};

use longseq::{
    checkpoint::Checkpoint,
    engine::{
        Engine,
        cuda::{CudaEngine, Sizes, tokens_of_a_pass},
    },
    error::{Error, Result},
};
use longseq_core::{
    hybrid::config::ModelConfig,
    numeric::{compute::Compute, tensor::Dtype},
};
use longseq_cuda::{
    Cuda,
    driver::{
        gpu::{DeviceMemory, Gpu, Mark},
        graph::Graph,
    },
    error::GpuError,
    runtime::{Gemm, Launch, Runtime},
    steps::Steps,
};
use serde_json::{Value, json};

use super::floors::{Pass, floors, product};
use crate::roof::Roof;

/// What was asked for while it was listening.
#[derive(Debug, Default)]
struct Log {
    /// Whether it listens. Marks take some time of their own, so it begins without.
    listens: bool,
    spans: Vec<Span>,
}

/// A log that is read while the engine writes it.
type SharedLog = Rc<RefCell<Log>>;

#[derive(Debug)]
struct Span {
    name: String,
    marks: [Mark; 2],
}

/// All calls of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    /// How many.
    calls: usize,
    /// Seconds of all together, from the one before to the end of each: where the GPU waits for the program, this is in it.
    seconds: f64,
}

impl Log {
    /// The totals since the last time, by name. Waits for the GPU.
    fn take(&mut self) -> Result<BTreeMap<String, Total>> {
        let mut totals: BTreeMap<String, Total> = BTreeMap::new();
        for Span { name, marks: [start, end] } in self.spans.drain(..) {
            let milliseconds = start.milliseconds_to(&end).map_err(|source| Error::gpu(&source))?;
            let total = totals.entry(name).or_default();
            total.calls += 1;
            total.seconds += f64::from(milliseconds) / 1e3;
        }
        Ok(totals)
    }
}

/// What a model asked for in its passes.
#[derive(Clone)]
pub struct Kernels {
    log: SharedLog,
    /// Tokens of a pass, at most.
    most: usize,
    precision: (Compute, Dtype),
}

impl Kernels {
    /// Whether it listens from now on.
    pub fn listen(&self, listens: bool) {
        self.log.borrow_mut().listens = listens;
    }

    /// The passes of a prompt.
    pub fn passes(&self, length: usize) -> Vec<Pass> {
        let pass = |context| {
            let tokens = self.most.min(length - context);
            Pass { sequences: 1, tokens, context, logits: usize::from(context + tokens == length) }
        };
        (0..length).step_by(self.most).map(pass).collect()
    }

    /// A line of JSON of each name since the last time, which are those of these passes: how often, how long, its floor and
    /// what share of the time the roof would have taken for that. Waits for the GPU.
    ///
    /// # Errors
    /// The GPU's.
    pub fn lines(
        &self,
        work: &str,
        (config, passes): (&ModelConfig, &[Pass]),
        roof: &Roof,
    ) -> Result<Vec<Value>> {
        let floors = floors(config, self.precision, passes);
        let tokens: usize = passes.iter().map(|pass| pass.sequences * pass.tokens).sum();
        let line = |(name, Total { calls, seconds }): (String, Total)| {
            // Of other calls than were counted nothing is known.
            let floor = floors.get(&name).filter(|floor| floor.calls == calls);
            json!({"kernel": name, "work": work, "tokens": tokens, "calls": calls,
                "microseconds": seconds * 1e6, "bytes": floor.map(|floor| floor.bytes),
                "flops": floor.map(|floor| floor.flops),
                "share": floor.map(|floor| floor.seconds(roof) / seconds)})
        };
        Ok(self.log.borrow_mut().take()?.into_iter().map(line).collect())
    }
}

/// The GPU and its log.
#[derive(Debug)]
struct Timed {
    gpu: Gpu,
    log: SharedLog,
}

/// A model's slots on the GPU, at most `capacity` tokens each, and the log of what it is asked for.
///
/// # Errors
/// No GPU; not enough memory.
pub fn engine<'a>(
    checkpoint: &'a Checkpoint,
    compute: Compute,
    (slots, capacity): (usize, usize),
) -> Result<(Box<dyn Engine + 'a>, Kernels)> {
    let (found, gpu) = super::open()?;
    let log = SharedLog::default();
    let backend = Cuda::new(Timed { gpu, log: log.clone() });
    let most = tokens_of_a_pass(checkpoint.config(), capacity, found.free);
    let engine = CudaEngine::new(checkpoint, compute, backend, (slots, capacity, most))?;
    let precision = (compute, Sizes::of(checkpoint, compute)?.factors);
    Ok((Box::new(engine), Kernels { log, most, precision }))
}

impl Timed {
    fn timed(
        &mut self,
        name: impl FnOnce() -> String,
        what: impl FnOnce(&mut Gpu) -> Result<(), GpuError>,
    ) -> Result<(), GpuError> {
        if !self.log.borrow().listens {
            return what(&mut self.gpu);
        }
        let start = self.gpu.mark()?;
        what(&mut self.gpu)?;
        let marks = [start, self.gpu.mark()?];
        self.log.borrow_mut().spans.push(Span { name: name(), marks });
        Ok(())
    }
}

fn named(name: &str) -> impl FnOnce() -> String {
    || name.to_owned()
}

impl Runtime for Timed {
    type Memory = DeviceMemory;
    /// With its steps, which are asked for one by one while their times are taken.
    type Graph = (Graph, Steps);
    type Error = GpuError;

    fn allocate(&mut self, bytes: usize) -> Result<DeviceMemory, GpuError> {
        self.gpu.allocate(bytes)
    }

    fn upload(&mut self, bytes: &[u8], to: &DeviceMemory, offset: usize) -> Result<(), GpuError> {
        self.timed(named("upload"), |gpu| gpu.upload(bytes, to, offset))
    }

    fn download(
        &mut self,
        from: &DeviceMemory,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), GpuError> {
        self.timed(named("download"), |gpu| gpu.download(from, offset, bytes))
    }

    fn clear(&mut self, memory: &DeviceMemory, range: Range<usize>) -> Result<(), GpuError> {
        self.timed(named("clear"), |gpu| gpu.clear(memory, range))
    }

    fn copy(
        &mut self,
        from: (&DeviceMemory, Range<usize>),
        to: (&DeviceMemory, usize),
    ) -> Result<(), GpuError> {
        self.timed(named("copy"), |gpu| gpu.copy(from, to))
    }

    unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result<(), GpuError> {
        // SAFETY: the caller's.
        self.timed(named(launch.kernel.name), |gpu| unsafe { gpu.launch(launch) })
    }

    unsafe fn gemm(&mut self, gemm: &Gemm) -> Result<(), GpuError> {
        let &Gemm { batch, inputs, outputs, dtype, .. } = gemm;
        let name = || product(dtype, batch, inputs, outputs);
        // SAFETY: the caller's.
        self.timed(name, |gpu| unsafe { gpu.gemm(gemm) })
    }

    unsafe fn graph(&mut self, steps: &Steps) -> Result<(Graph, Steps), GpuError> {
        // SAFETY: the caller's.
        let graph = unsafe { self.gpu.graph(steps) }?;
        Ok((graph, steps.clone()))
    }

    unsafe fn replay(&mut self, (graph, steps): &(Graph, Steps)) -> Result<(), GpuError> {
        // SAFETY: the caller's.
        unsafe {
            if self.log.borrow().listens { steps.submit(self) } else { self.gpu.replay(graph) }
        }
    }

    fn multiprocessors(&self) -> usize {
        self.gpu.multiprocessors()
    }
}
