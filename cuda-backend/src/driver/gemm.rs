//! Matrix products with cuBLASLt. Asking it how to make a product takes longer than many products do, so it is asked once
//! for every shape, and the answer is kept.

use std::{collections::HashMap, ffi::c_void, ptr};

use cudarc::{
    cublaslt::{
        result::{self, CublasError},
        sys::{self, cudaDataType},
    },
    driver::sys::CUstream,
};
use longseq_core::numeric::tensor::Dtype;

use super::{
    described::{Layout, Operand, Preference, Product},
    libraries::{self, Found, Library},
};
use crate::{
    error::GpuError,
    runtime::{Address, Gemm},
};

/// Bytes of device memory that products work in: what NVIDIA recommends for Hopper.
pub(crate) const WORKSPACE: usize = 32 << 20;

/// Shapes that are kept, at most: ragged batches have ever new numbers of rows.
const MOST_PLANS: usize = 4096;

/// Version of cuBLASLt, and where it was found.
///
/// # Errors
/// [`GpuError::NoLibrary`], [`GpuError::LibraryTooOld`].
pub fn version() -> Result<(String, &'static Found), GpuError> {
    let found = Library::CublasLt.load()?;
    // SAFETY: the library is loaded; the function takes nothing and needs no GPU.
    let number = unsafe { sys::cublasLtGetVersion() };
    let major = number / 10_000;
    let version = format!("{major}.{}.{}", number / 100 % 100, number % 100);
    if major < libraries::OLDEST as usize {
        let (library, found) = (Library::CublasLt, found.to_string());
        return Err(GpuError::LibraryTooOld { library, version, found });
    }
    Ok((version, found))
}

/// cuBLASLt on one GPU.
#[derive(Debug)]
pub(crate) struct Products {
    handle: sys::cublasLtHandle_t,
    plans: HashMap<Shape, Plan>,
}

/// All that the way to make a product depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    batch: usize,
    rows: usize,
    inputs: usize,
    outputs: usize,
    bf16: bool,
    weight: Operand,
    x: Operand,
    out: Operand,
}

impl Shape {
    fn of(gemm: &Gemm) -> Self {
        let &Gemm { batch, rows, inputs, outputs, dtype, x, weight, out, .. } = gemm;
        let [weight, x, out] = [weight, x, out].map(Operand::from);
        Self { batch, rows, inputs, outputs, bf16: dtype == Dtype::Bf16, weight, x, out }
    }
}

/// How a product of one shape is made.
///
/// cuBLASLt thinks in columns: a row-major matrix \[rows, columns\] is to it one of \[columns, rows\]. So out = x Wᵀ is
/// outᵀ = (Wᵀ)ᵀ xᵀ: its A is W, transposed, its B is x, its C and D are out.
#[derive(Debug)]
struct Plan {
    product: Product,
    weight: Layout,
    x: Layout,
    out: Layout,
    algorithm: sys::cublasLtMatmulAlgo_t,
}

impl Plan {
    fn new(handle: sys::cublasLtHandle_t, shape: &Shape) -> Result<Self, CublasError> {
        let &Shape { batch, rows, inputs, outputs, bf16, .. } = shape;
        let factor = if bf16 { cudaDataType::CUDA_R_16BF } else { cudaDataType::CUDA_R_32F };
        let product = Product::new()?;
        let weight = Layout::new(factor, (inputs, outputs), shape.weight, batch)?;
        let x = Layout::new(factor, (inputs, rows), shape.x, batch)?;
        let out = Layout::new(cudaDataType::CUDA_R_32F, (outputs, rows), shape.out, batch)?;
        let preference = Preference::new([shape.weight, shape.x, shape.out])?;
        // SAFETY: all of these are alive.
        let found = unsafe {
            result::get_matmul_algo_heuristic(
                handle,
                product.0,
                weight.0,
                x.0,
                out.0,
                out.0,
                preference.0,
            )
        };
        Ok(Self { product, weight, x, out, algorithm: found?.algo })
    }
}

impl Products {
    /// On the GPU that is current.
    pub(crate) fn new() -> Result<Self, GpuError> {
        version()?;
        let handle = result::create_handle().map_err(|code| failed(None, code))?;
        Ok(Self { handle, plans: HashMap::new() })
    }

    /// Products, in the order of a stream of the GPU.
    ///
    /// # Safety
    /// The matrices lie in memory of the GPU that is not freed before the product is made; at `workspace` are
    /// [`WORKSPACE`] bytes of it.
    pub(crate) unsafe fn multiply(
        &mut self,
        gemm: &Gemm,
        workspace: Address,
        stream: CUstream,
    ) -> Result<(), GpuError> {
        if gemm.batch == 0 || gemm.rows == 0 || gemm.outputs == 0 {
            return Ok(());
        }
        let shape = Shape::of(gemm);
        if self.plans.len() >= MOST_PLANS && !self.plans.contains_key(&shape) {
            self.plans.clear();
        }
        let plan = match self.plans.entry(shape) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let plan = Plan::new(self.handle, &shape);
                entry.insert(plan.map_err(|code| failed(Some(gemm), code))?)
            }
        };
        let (one, kept) = (1.0f32, if gemm.accumulate { 1.0f32 } else { 0.0 });
        let [weight, x, out] =
            [gemm.weight, gemm.x, gemm.out].map(|matrix| matrix.address as *mut c_void);
        // SAFETY: handle and plan are alive, the matrices lie as the layouts say, and the caller keeps them.
        let made = unsafe {
            result::matmul(
                self.handle,
                plan.product.0,
                ptr::from_ref(&one).cast(),
                ptr::from_ref(&kept).cast(),
                weight,
                plan.weight.0,
                x,
                plan.x.0,
                out,
                plan.out.0,
                out,
                plan.out.0,
                &plan.algorithm,
                workspace as *mut c_void,
                WORKSPACE,
                stream.cast(),
            )
        };
        made.map_err(|code| failed(Some(gemm), code))
    }
}

impl Drop for Products {
    fn drop(&mut self) {
        // SAFETY: it is not used after.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

fn failed(gemm: Option<&Gemm>, CublasError(code): CublasError) -> GpuError {
    let shape = gemm.map(|gemm| [gemm.rows, gemm.outputs, gemm.inputs]);
    GpuError::Product { shape, code: format!("{code:?}") }
}
