//! The kernels, compiled and loaded.

use std::{collections::HashMap, sync::Arc};

use cudarc::{
    driver::{
        CudaContext, CudaFunction, DriverError, sys::CUfunction_attribute as FunctionAttribute,
    },
    nvrtc::Ptx,
};

use super::{
    Ready,
    cache::{Cache, Compiling},
    compile::Unit,
};
use crate::{
    error::GpuError,
    kernels::{HEADERS, KERNELS, OPTIONS, Source},
};

/// Shared memory that a block may have without asking for it.
const SHARED_UNASKED: u32 = 48 << 10;

/// Every source of the kernels, compiled.
pub(super) fn cubins(
    ready: &Ready,
    progress: &mut dyn FnMut(Compiling<'_>),
) -> Result<Vec<(Source, Vec<u8>)>, GpuError> {
    let sources = sources();
    let units: Vec<_> = sources.iter().map(|source| unit(source, &ready.architecture)).collect();
    let cubins = Cache::of_user().cubins(&ready.compiler, &units, progress)?;
    Ok(sources.into_iter().zip(cubins).collect())
}

/// Every source of [`KERNELS`], once.
pub fn sources() -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for kernel in KERNELS {
        if !sources.contains(&kernel.source) {
            sources.push(kernel.source);
        }
    }
    sources
}

/// What is compiled of a source.
pub fn unit<'a>(source: &Source, architecture: &'a str) -> Unit<'a> {
    Unit {
        name: source.path,
        source: source.text,
        headers: HEADERS,
        architecture,
        options: OPTIONS,
    }
}

/// Every kernel, loaded; those that may have more shared memory than usual are allowed to.
pub(super) fn functions(
    context: &Arc<CudaContext>,
    cubins: &[(Source, Vec<u8>)],
) -> Result<HashMap<&'static str, CudaFunction>, GpuError> {
    let mut functions = HashMap::new();
    for (source, cubin) in cubins {
        let refused = |name: &str, DriverError(code): DriverError| GpuError::Load {
            kernel: name.to_owned(),
            code: format!("{code:?}"),
        };
        let module = context
            .load_module(Ptx::from_binary(cubin.clone()))
            .map_err(|code| refused(source.path, code))?;
        for kernel in KERNELS.iter().filter(|kernel| kernel.source == *source) {
            let function = module.load_function(kernel.name);
            let function = function.map_err(|code| refused(kernel.name, code))?;
            if kernel.static_shared + kernel.dynamic_shared > SHARED_UNASKED {
                let most = FunctionAttribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                let bytes = i32::try_from(kernel.dynamic_shared).unwrap_or(i32::MAX);
                let allowed = function.set_attribute(most, bytes);
                allowed.map_err(|code| refused(kernel.name, code))?;
            }
            functions.insert(kernel.name, function);
        }
    }
    Ok(functions)
}
