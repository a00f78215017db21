//! What cuBLASLt is told of a product, in objects of its own, which end with these.

use std::{ffi::c_void, ptr};

use cudarc::cublaslt::{
    result::{self, CublasError},
    sys::{self, cudaDataType},
};

use super::gemm::WORKSPACE;
use crate::runtime::Matrix;

/// Strides of a matrix, and a power of two that divides its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operand {
    pub row_stride: usize,
    pub batch_stride: usize,
    pub alignment: u32,
}

impl From<Matrix> for Operand {
    fn from(matrix: Matrix) -> Self {
        let Matrix { address, row_stride, batch_stride } = matrix;
        // More than 16 bytes make no difference to a load.
        Self { row_stride, batch_stride, alignment: 1 << address.trailing_zeros().min(4) }
    }
}

/// Sums in f32, scaled in f32, of a transposed first factor.
#[derive(Debug)]
pub struct Product(pub sys::cublasLtMatmulDesc_t);

impl Product {
    pub fn new() -> Result<Self, CublasError> {
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
pub struct Layout(pub sys::cublasLtMatrixLayout_t);

impl Layout {
    pub fn new(
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
pub struct Preference(pub sys::cublasLtMatmulPreference_t);

impl Preference {
    /// For weight, x and out.
    pub fn new(operands: [Operand; 3]) -> Result<Self, CublasError> {
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
