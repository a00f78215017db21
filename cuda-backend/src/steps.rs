//! What is asked of a runtime in a forward pass, written down instead of asked for.

use crate::{
    kernels::Kernel,
    runtime::{Argument, Gemm, Launch, Runtime},
};

/// Launches and products in their order. Two lists are equal if the device would do exactly the same: the same kernels
/// on as many blocks, with the same addresses and numbers, to the bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    steps: Vec<Step>,
    /// Of all launches, one after the other.
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Launch {
        kernel: Kernel,
        blocks: [u32; 3],
        threads: u32,
        dynamic_shared: u32,
        /// How many.
        arguments: usize,
    },
    Gemm(Gemm),
}

impl Steps {
    /// Launches and products.
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.arguments.clear();
    }

    /// Adds a launch.
    pub fn launch(&mut self, launch: &Launch<'_>) {
        let Launch { kernel, blocks, threads, dynamic_shared, arguments } = *launch;
        self.arguments.extend_from_slice(arguments);
        let (kernel, arguments) = (*kernel, arguments.len());
        self.steps.push(Step::Launch { kernel, blocks, threads, dynamic_shared, arguments });
    }

    /// Adds a product.
    pub fn gemm(&mut self, gemm: &Gemm) {
        self.steps.push(Step::Gemm(*gemm));
    }

    /// Asks a runtime for all of them.
    ///
    /// # Errors
    /// The first that fails; those behind it are not asked for.
    ///
    /// # Safety
    /// As [`Runtime::launch`] and [`Runtime::gemm`], for each.
    pub unsafe fn submit<R: Runtime>(&self, runtime: &mut R) -> Result<(), R::Error> {
        let mut rest = &self.arguments[..];
        for step in &self.steps {
            match *step {
                Step::Launch { ref kernel, blocks, threads, dynamic_shared, arguments } => {
                    let (arguments, later) = rest.split_at(arguments);
                    rest = later;
                    let launch = Launch { kernel, blocks, threads, dynamic_shared, arguments };
                    // SAFETY: the caller's.
                    unsafe { runtime.launch(&launch) }?;
                }
                // SAFETY: the caller's.
                Step::Gemm(ref gemm) => unsafe { runtime.gemm(gemm) }?,
            }
        }
        Ok(())
    }
}
