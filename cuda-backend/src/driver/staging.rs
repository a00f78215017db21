//! Bytes on their way to the GPU: memory that the operating system does not move, so that the caller's bytes may change as
//! soon as a copy has been asked for, and large copies are as fast as the bus.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError, PinnedHostSlice, result};

use crate::runtime::Address;

/// Bytes of each half.
const HALF: usize = 4 << 20;

/// Two halves: one is filled while the other is copied from.
#[derive(Debug)]
pub(super) struct Staging {
    halves: [Half; 2],
    next: usize,
}

#[derive(Debug)]
struct Half {
    memory: PinnedHostSlice<u8>,
    /// The last copy from it is done.
    done: CudaEvent,
}

impl Half {
    fn new(context: &Arc<CudaContext>) -> Result<Self, DriverError> {
        // SAFETY: the memory is set below, before it is read.
        let mut memory = unsafe { context.alloc_pinned(HALF) }?;
        let first: *mut u8 = memory.as_mut_ptr()?;
        // SAFETY: so many bytes are there.
        unsafe { first.write_bytes(0, HALF) };
        Ok(Self { memory, done: context.new_event(None)? })
    }
}

impl Staging {
    pub(super) fn new(context: &Arc<CudaContext>) -> Result<Self, DriverError> {
        Ok(Self { halves: [Half::new(context)?, Half::new(context)?], next: 0 })
    }

    /// Copies bytes to the device, in the order of the stream.
    ///
    /// # Safety
    /// There is memory of so many bytes at the address, which is not freed before the copy is done.
    pub(super) unsafe fn upload(
        &mut self,
        stream: &CudaStream,
        bytes: &[u8],
        to: Address,
    ) -> Result<(), DriverError> {
        for (number, bytes) in bytes.chunks(HALF).enumerate() {
            let Half { memory, done } = &mut self.halves[self.next];
            self.next = 1 - self.next;
            done.synchronize()?;
            let staged = &mut memory.as_mut_slice()?[..bytes.len()];
            staged.copy_from_slice(bytes);
            let to = to + (number * HALF) as u64;
            // SAFETY: the caller's; and what is copied from stays as it is until `done`.
            unsafe { result::memcpy_htod_async(to, staged, stream.cu_stream()) }?;
            done.record(stream)?;
        }
        Ok(())
    }
}
