//! Launches and products as one graph: captured from the stream as it is asked for them, so that the driver has all of
//! them ready and is asked once.
//!
//! Every driver that is new enough for [`GpuError::DriverTooOld`] not to be raised has the functions that are called here.

use std::{fmt, sync::Arc};

use cudarc::driver::{
    CudaGraph, CudaStream,
    sys::{CUgraphInstantiate_flags as Flags, CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED},
};

use super::device::failed;
use crate::error::GpuError;

/// A graph, with what it takes on the GPU.
pub struct Graph(CudaGraph);

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").finish_non_exhaustive()
    }
}

impl Graph {
    /// Captures what `submit` asks the stream for, which is not done.
    ///
    /// # Errors
    /// What `submit` fails with; the driver's.
    pub(super) fn capture(
        stream: &Arc<CudaStream>,
        submit: impl FnOnce() -> Result<(), GpuError>,
    ) -> Result<Self, GpuError> {
        let failed = failed("make a graph");
        // What libraries do beside, such as loading a kernel late, is not looked at: the stream is all that is captured.
        stream.begin_capture(CU_STREAM_CAPTURE_MODE_RELAXED).map_err(&failed)?;
        let submitted = submit();
        // In any case, or the stream would go on capturing.
        let graph = stream.end_capture(Flags(0));
        submitted?;
        let graph = graph.map_err(&failed)?.ok_or_else(|| GpuError::Driver {
            doing: "make a graph",
            code: "it is empty".to_owned(),
        })?;
        // Now rather than in the first launch, where there may be too little memory for it.
        graph.upload().map_err(&failed)?;
        Ok(Self(graph))
    }

    /// Asks the stream that it was captured from for all of it.
    ///
    /// # Errors
    /// The driver's; then none of it is done.
    pub(super) fn launch(&self) -> Result<(), GpuError> {
        self.0.launch().map_err(failed("launch a graph"))
    }
}
