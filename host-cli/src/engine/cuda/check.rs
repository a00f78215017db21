//! Whether a GPU computes what the CPU does: logits of small models, read as a prompt and token by token. It takes a second.

use longseq_core::{
    backend::{Backend, Storage},
    hybrid::config::ModelConfig,
    numeric::compute::Compute,
};
use longseq_cuda::{
    Cuda, CudaError,
    buffer::Buffer,
    error::GpuError,
    runtime::Runtime,
    weight::{Load, Weight},
};

use super::{
    CudaEngine, explain,
    made::{Made, VOCABULARY, configurations},
    memory,
};
use crate::{
    engine::{
        native::{self, Rows},
        worker::internal,
    },
    error::{Error, Result},
};

/// Tokens of the prompt: more than count as few queries, whole chunks and tiles of scans and a part of one.
const PROMPT: usize = 150;

/// Tokens that follow it, each by itself.
const FOLLOWING: usize = 4;

/// In which precisions, and how far the logits of a row may be off, as root mean square relative to that of all logits:
/// docs/numerics.md.
const PRECISIONS: [(Compute, &str, f64); 2] =
    [(Compute::F32, "f32", 1e-4), (Compute::Exact, "bf16", 2e-2)];

/// Compares the backend with the reference.
///
/// # Errors
/// [`GpuError::WrongResults`]; the GPU's.
pub fn compare<R>(mut backend: Cuda<R>) -> Result<()>
where
    R: Runtime,
    Cuda<R>: Backend
        + Storage<Buffer = Buffer<R::Memory>, Weight = Weight<R::Memory>, Error = CudaError<R::Error>>,
{
    let tokens: Vec<u32> =
        (0..(PROMPT + FOLLOWING) as u32).map(|i| i * i * 7 % VOCABULARY as u32).collect();
    let text = tokens.split_at(PROMPT);
    for (seed, config) in (1..).zip(configurations()) {
        let made = Made::new(&config, seed)?;
        let expected = expected(&config, &made, text)?;
        for (compute, precision, bound) in PRECISIONS {
            let found;
            (backend, found) = found_by(backend, (&config, &made), compute, text)?;
            let error = error(&found, &expected);
            if error > bound {
                let of = format!("a small {} model in {precision}", config.family);
                let (error, bound) = (format!("{error:.1e}"), format!("{bound:.0e}"));
                return Err(Error::gpu(&GpuError::WrongResults { of, error, bound }));
            }
        }
    }
    Ok(())
}

type Text<'t> = (&'t [u32], &'t [u32]);

fn expected(config: &ModelConfig, made: &Made, (prompt, following): Text<'_>) -> Result<Vec<f32>> {
    let weights = made.weights(config).map_err(internal)?;
    let mut logits = Vec::new();
    native::logits::<f32>(&weights, (prompt, Rows::Every, following), None, |rows| {
        logits.extend_from_slice(rows);
        Ok(())
    })?;
    Ok(logits)
}

/// The backend's logits, and the backend again.
fn found_by<R>(
    mut backend: Cuda<R>,
    (config, made): (&ModelConfig, &Made),
    compute: Compute,
    text: Text<'_>,
) -> Result<(Cuda<R>, Vec<f32>)>
where
    R: Runtime,
    Cuda<R>: Backend
        + Storage<Buffer = Buffer<R::Memory>, Weight = Weight<R::Memory>, Error = CudaError<R::Error>>,
{
    let weights = made.weights(config).map_err(internal)?;
    let mut load = Load::new(&mut backend, compute);
    let ends = weights.ends.map(&mut load).map_err(|source| explain(&source))?;
    let layers = weights.layers.iter().map(|layer| layer.map(&mut load));
    let layers = layers.collect::<Result<_, _>>().map_err(|source| explain(&source))?;
    let most = memory::FEWEST_TOKENS;
    let extents = (1, PROMPT + FOLLOWING, most);
    let precision = (compute, load.factors());
    let mut engine = CudaEngine::with(config, (ends, layers), precision, backend, extents)?;
    let mut logits = Vec::new();
    engine.logits(text, |rows| {
        logits.extend_from_slice(rows);
        Ok(())
    })?;
    Ok((engine.into_backend(), logits))
}

/// Of the row that is furthest off; infinite where anything is no number.
fn error(found: &[f32], expected: &[f32]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let rows = expected.len() / VOCABULARY;
    let size = squares(&mut expected.iter().map(|&x| x.into())) / rows as f64;
    let rows = found.chunks(VOCABULARY).zip(expected.chunks(VOCABULARY));
    let errors = rows.map(|(found, expected)| {
        let differences = found.iter().zip(expected).map(|(&a, &b)| f64::from(a) - f64::from(b));
        (squares(&mut differences.into_iter()) / size).sqrt()
    });
    errors.fold(0.0, |worst, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) })
}
