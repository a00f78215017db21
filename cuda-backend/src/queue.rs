//! The way to the runtime. Launches and products go there at once, or, while a pass is recorded, at its end: as one graph
//! where exactly the same has been asked for before. All else goes there at once, after what waits.

use crate::{
    Cuda, CudaError, Result,
    runtime::{Gemm, Launch, Runtime},
    steps::Steps,
};

/// Passes that are remembered, at most: those of the batches that come one after the other.
const REMEMBERED: usize = 16;

/// The runtime, and what it is going to be asked for.
#[derive(Debug)]
pub(crate) struct Queue<R: Runtime> {
    recording: bool,
    /// None of the pass's steps has been submitted yet.
    whole: bool,
    /// They wait to be submitted.
    steps: Steps,
    /// The pass that was recorded last comes first.
    passes: Vec<Pass<R::Graph>>,
    graphs: Graphs<R::Error>,
    runtime: R,
}

/// A pass that has been recorded before, and from the second time on its graph.
#[derive(Debug)]
struct Pass<G> {
    steps: Steps,
    graph: Option<G>,
}

/// How recorded passes were submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graphs<E> {
    /// Launches and products of the last pass that was recorded.
    pub steps: usize,
    /// Graphs that were made.
    pub made: u64,
    /// Passes that were submitted as a graph.
    pub replayed: u64,
    /// Why there are no more graphs: the runtime could not make one, or not replay it. Nothing is recorded then.
    pub refused: Option<E>,
}

impl<R: Runtime> Queue<R> {
    pub(crate) fn new(runtime: R) -> Self {
        let graphs = Graphs { steps: 0, made: 0, replayed: 0, refused: None };
        let (steps, passes) = (Steps::default(), Vec::new());
        Self { recording: false, whole: false, steps, passes, graphs, runtime }
    }

    pub(crate) const fn runtime(&self) -> &R {
        &self.runtime
    }

    /// The runtime, once it has been asked for all that waits: for what cannot wait itself, and before memory is freed that
    /// a step may use.
    pub(crate) fn now(&mut self) -> Result<&mut R, R::Error> {
        self.whole &= self.steps.is_empty();
        self.submit()?;
        Ok(&mut self.runtime)
    }

    /// # Safety
    /// As [`Runtime::launch`], and that memory is not freed before [`Self::now`] or the end of the pass, either.
    pub(crate) unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result<(), R::Error> {
        if self.recording {
            self.steps.launch(launch);
            return Ok(());
        }
        // SAFETY: the caller's.
        unsafe { self.runtime.launch(launch) }.map_err(CudaError::Runtime)
    }

    /// # Safety
    /// As [`Runtime::gemm`], and that memory is not freed before [`Self::now`] or the end of the pass, either.
    pub(crate) unsafe fn gemm(&mut self, gemm: &Gemm) -> Result<(), R::Error> {
        if self.recording {
            self.steps.gemm(gemm);
            return Ok(());
        }
        // SAFETY: the caller's.
        unsafe { self.runtime.gemm(gemm) }.map_err(CudaError::Runtime)
    }

    /// Asks for what waits, step by step.
    fn submit(&mut self) -> Result<(), R::Error> {
        // SAFETY: who added a step answered for it.
        let submitted = unsafe { self.steps.submit(&mut self.runtime) };
        self.steps.clear();
        submitted.map_err(CudaError::Runtime)
    }

    /// Ends the pass: asks for what waits, as a graph if it is the whole pass and the same has been asked for before.
    fn end(&mut self) -> Result<(), R::Error> {
        self.recording = false;
        self.graphs.steps = self.steps.len();
        if !self.whole || self.steps.is_empty() {
            return self.submit();
        }
        let Some(place) = self.passes.iter().position(|pass| pass.steps == self.steps) else {
            let steps = self.steps.clone();
            self.submit()?;
            self.passes.truncate(REMEMBERED - 1);
            self.passes.insert(0, Pass { steps, graph: None });
            return Ok(());
        };
        self.passes[..=place].rotate_right(1);
        match self.replay() {
            Ok(()) => self.steps.clear(),
            Err(refused) => {
                self.graphs.refused = Some(refused);
                self.passes.clear();
                self.submit()?;
            }
        }
        Ok(())
    }

    /// Replays the graph of the first of the passes, which is the one that waits; makes it first, the first time.
    fn replay(&mut self) -> core::result::Result<(), R::Error> {
        let Pass { steps, graph } = &mut self.passes[0];
        let graph = match graph {
            Some(graph) => graph,
            None => {
                // SAFETY: these are the steps that wait, and who added them answered for them.
                let made = unsafe { self.runtime.graph(steps) }?;
                self.graphs.made += 1;
                graph.insert(made)
            }
        };
        // SAFETY: as above.
        unsafe { self.runtime.replay(graph) }?;
        self.graphs.replayed += 1;
        Ok(())
    }
}

/// A pass that is being recorded. If it does not come to its end, what waits is dropped.
struct Recording<'c, R: Runtime>(&'c mut Cuda<R>);

impl<R: Runtime> Drop for Recording<'_, R> {
    fn drop(&mut self) {
        self.0.queue.recording = false;
        self.0.queue.steps.clear();
    }
}

impl<R: Runtime> Cuda<R> {
    /// How recorded passes were submitted so far.
    pub const fn graphs(&self) -> &Graphs<R::Error> {
        &self.queue.graphs
    }

    /// Makes a pass whose launches and products are submitted together at its end: as a graph, which takes the host one call,
    /// if exactly the same launches and products have been recorded before. `failed` makes its error of what they fail
    /// with. Whatever else the pass asks for takes place in its order; then it is no graph.
    ///
    /// # Errors
    /// The pass's; what was not submitted yet is dropped then. The device's.
    ///
    /// # Safety
    /// Buffers and weights that operations of the pass are given are not freed before this returns.
    pub unsafe fn recorded<T, E>(
        &mut self,
        pass: impl FnOnce(&mut Self) -> core::result::Result<T, E>,
        failed: impl FnOnce(CudaError<R::Error>) -> E,
    ) -> core::result::Result<T, E> {
        if self.queue.recording || self.queue.graphs.refused.is_some() {
            return pass(self);
        }
        (self.queue.recording, self.queue.whole) = (true, true);
        let recording = Recording(self);
        let passed = pass(recording.0)?;
        recording.0.queue.end().map_err(failed)?;
        Ok(passed)
    }
}
