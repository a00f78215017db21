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

use super::libraries::{self, Found, Library};
use crate::{
    error::GpuError,
    runtime::{Address, Gemm, Matrix},
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

/// Strides of a matrix, and a power of two that divides its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Operand {
    row_stride: usize,
    batch_stride: usize,
    alignment: u32,
}

impl From<Matrix> for Operand {
    fn from(matrix: Matrix) -> Self {
        let Matrix { address, row_stride, batch_stride } = matrix;
        // More than 16 bytes make no difference to a load.
        Self { row_stride, batch_stride, alignment: 1 << address.trailing_zeros().min(4) }
    }
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

/// Sums in f32, scaled in f32, of a transposed first factor.
#[derive(Debug)]
struct Product(sys::cublasLtMatmulDesc_t);

impl Product {
    fn new() -> Result<Self, CublasError> {
        use sys::{
            cublasComputeType_t::CUBLAS_COMPUTE_32F,
            cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_TRANSA,
        };
        let product = result::create_matmul_desc(CUBLAS_COMPUTE_32F, cudaDataType::CUDA_R_32F)?;
        let product = Self(product);
        // `CUBLAS_OP_T`.
        let transposed = 1i32;
        // SAFETY: the attribute is a number of 32 bits.
        unsafe {
            let value = ptr::from_ref(&transposed).cast();
            let bytes = size_of_val(&transposed);
            result::set_matmul_desc_attribute(
                product.0,
                CUBLASLT_MATMUL_DESC_TRANSA,
                value,
                bytes,
            )?;
        }
        Ok(product)
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // SAFETY: it is not used after.
        let _ = unsafe { result::destroy_matmul_desc(self.0) };
    }
}

/// A matrix, or several, in columns.
#[derive(Debug)]
struct Layout(sys::cublasLtMatrixLayout_t);

impl Layout {
    fn new(
        dtype: cudaDataType,
        (column, columns): (usize, usize),
        operand: Operand,
        batch: usize,
    ) -> Result<Self, CublasError> {
        use sys::cublasLtMatrixLayoutAttribute_t::{
            CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
        };
        let invalid = |_| CublasError(sys::cublasStatus_t::CUBLAS_STATUS_INVALID_VALUE);
        // Of a single column the distance to the next does not matter, but is looked at.
        let stride = if columns == 1 { column } else { operand.row_stride };
        let stride = i64::try_from(stride).map_err(invalid)?;
        let layout = result::create_matrix_layout(dtype, column as u64, columns as u64, stride)?;
        let layout = Self(layout);
        if batch > 1 {
            let count = i32::try_from(batch).map_err(invalid)?;
            let offset = i64::try_from(operand.batch_stride).map_err(invalid)?;
            let (count, offset) = (ptr::from_ref(&count), ptr::from_ref(&offset));
            // SAFETY: the first attribute is a number of 32 bits, the second one of 64.
            unsafe {
                let (name, value) = (CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, count.cast());
                result::set_matrix_layout_attribute(layout.0, name, value, 4)?;
                let (name, value) = (CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, offset.cast());
                result::set_matrix_layout_attribute(layout.0, name, value, 8)?;
            }
        }
        Ok(layout)
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        // SAFETY: it is not used after.
        let _ = unsafe { result::destroy_matrix_layout(self.0) };
    }
}

/// What an algorithm may count on.
struct Preference(sys::cublasLtMatmulPreference_t);

impl Preference {
    /// For weight, x and out.
    fn new(operands: [Operand; 3]) -> Result<Self, CublasError> {
        use sys::cublasLtMatmulPreferenceAttributes_t as Name;
        let preference = Self(result::create_matmul_pref()?);
        let [weight, x, out] = operands.map(|operand| operand.alignment);
        // SAFETY: the first attribute is a `size_t`, the others are numbers of 32 bits.
        unsafe {
            let set = |name, value: *const c_void, bytes| {
                result::set_matmul_pref_attribute(preference.0, name, value, bytes)
            };
            let workspace = ptr::from_ref(&WORKSPACE).cast();
            set(Name::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace, size_of::<usize>())?;
            for (name, alignment) in [
                (Name::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, weight),
                (Name::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, x),
                (Name::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, out),
                (Name::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, out),
            ] {
                set(name, ptr::from_ref(&alignment).cast(), size_of::<u32>())?;
            }
        }
        Ok(preference)
    }
}

impl Drop for Preference {
    fn drop(&mut self) {
        // SAFETY: it is not used after.
        let _ = unsafe { result::destroy_matmul_pref(self.0) };
    }
}
