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

#[cfg(test)]
mod tests {
    use longseq_core::numeric::tensor::Dtype;

    use super::*;
    use crate::{kernels::KERNELS, runtime::Matrix};

    const ARGUMENTS: [Argument; 4] =
        [Argument::Address(16), Argument::I32(1), Argument::I64(2), Argument::F32(0.0)];

    const LAUNCH: Launch<'_> = Launch {
        kernel: &KERNELS[0],
        blocks: [2, 1, 1],
        threads: 32,
        dynamic_shared: 0,
        arguments: &ARGUMENTS,
    };

    const MATRIX: Matrix = Matrix { address: 64, row_stride: 4, batch_stride: 16 };

    const GEMM: Gemm = Gemm {
        batch: 1,
        rows: 2,
        inputs: 4,
        outputs: 4,
        dtype: Dtype::Bf16,
        x: MATRIX,
        weight: MATRIX,
        out: MATRIX,
        accumulate: false,
    };

    fn steps(launch: &Launch<'_>, gemm: &Gemm) -> Steps {
        let mut steps = Steps::default();
        steps.launch(launch);
        steps.gemm(gemm);
        steps
    }

    #[test]
    fn lists_are_equal_only_if_nothing_differs() {
        let list = steps(&LAUNCH, &GEMM);
        assert_eq!(list, steps(&LAUNCH, &GEMM));
        let others = [
            Argument::Address(32),
            Argument::I32(2),
            Argument::I64(3),
            Argument::F32(-0.0),
            Argument::I64(1),
        ];
        for (place, other) in [0, 1, 2, 3, 1].into_iter().zip(others) {
            let mut arguments = ARGUMENTS;
            arguments[place] = other;
            assert_ne!(list, steps(&Launch { arguments: &arguments, ..LAUNCH }, &GEMM));
        }
        for launch in [
            Launch { kernel: &KERNELS[1], ..LAUNCH },
            Launch { blocks: [1, 2, 1], ..LAUNCH },
            Launch { threads: 64, ..LAUNCH },
            Launch { dynamic_shared: 16, ..LAUNCH },
            Launch { arguments: &ARGUMENTS[..3], ..LAUNCH },
        ] {
            assert_ne!(list, steps(&launch, &GEMM));
        }
        for gemm in [
            Gemm { batch: 2, ..GEMM },
            Gemm { rows: 1, ..GEMM },
            Gemm { inputs: 3, ..GEMM },
            Gemm { outputs: 3, ..GEMM },
            Gemm { dtype: Dtype::F32, ..GEMM },
            Gemm { x: Matrix { address: 80, ..MATRIX }, ..GEMM },
            Gemm { weight: Matrix { row_stride: 5, ..MATRIX }, ..GEMM },
            Gemm { out: Matrix { batch_stride: 17, ..MATRIX }, ..GEMM },
            Gemm { accumulate: true, ..GEMM },
        ] {
            assert_ne!(list, steps(&LAUNCH, &gemm));
        }
        let mut longer = list.clone();
        longer.gemm(&GEMM);
        assert_ne!(list, longer);
        // The same steps in another order.
        let mut turned = Steps::default();
        turned.gemm(&GEMM);
        turned.launch(&LAUNCH);
        assert_ne!(list, turned);
        longer.clear();
        assert!(longer.is_empty() && list.len() == 2);
    }

    #[test]
    fn no_two_kernels_have_one_name() {
        let mut names: Vec<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KERNELS.len());
    }
}
