//! The forward pass, recorded where it writes.

use longseq_core::{
    batch::Batch,
    hybrid::{ForwardError, forward, weights::Model},
    scratch::Scratch,
    state::State,
};

use crate::{Cuda, CudaError, buffer::Buffer, runtime::Runtime, weight::Weight};

impl<R: Runtime> Cuda<R> {
    /// [`forward`], with the same results. A pass of one token of each sequence launches many kernels that have little to do
    /// each: it is recorded ([`Self::recorded`]).
    ///
    /// # Errors
    /// As [`forward`].
    pub fn forward(
        &mut self,
        model: &Model<'_, Weight<R::Memory>>,
        batch: &Batch<'_>,
        state: &mut State<'_, Buffer<R::Memory>>,
        scratch: &mut Scratch<'_, Buffer<R::Memory>>,
        logits: &mut Buffer<R::Memory>,
    ) -> Result<(), ForwardError<CudaError<R::Error>>> {
        if batch.tokens().len() > batch.slots().len() {
            return forward(self, model, batch, state, scratch, logits);
        }
        // An upload would cut the pass in two.
        self.stage(batch, state.positions()).map_err(ForwardError::Backend)?;
        let pass = |cuda: &mut Self| forward(cuda, model, batch, state, scratch, logits);
        // SAFETY: all that the pass is given is lent to this function.
        unsafe { self.recorded(pass, ForwardError::Backend) }
    }
}
