//! What `--backend auto` takes: CUDA where a GPU and all that it needs are there and compute rightly, else the CPU.

use std::sync::OnceLock;

use longseq_cpu::isa::Isa;

use crate::progress::say;

/// Why nothing runs on a GPU.
#[cfg(not(feature = "cuda"))]
pub const WITHOUT_CUDA: &str = "this program was built without its CUDA backend";

/// Whether CUDA is taken. The first time, a line on stderr says what is, and why.
pub fn takes_cuda() -> bool {
    static TAKEN: OnceLock<bool> = OnceLock::new();
    *TAKEN.get_or_init(|| {
        let chosen = gpu();
        say(&match &chosen {
            Ok(gpu) => format!("backend    {gpu}\n"),
            Err(why) => format!("backend    cpu {}; no GPU is used: {why}\n", Isa::best()),
        });
        chosen.is_ok()
    })
}

/// The GPU, or why there is none.
#[cfg(feature = "cuda")]
fn gpu() -> Result<String, String> {
    let found = super::cuda::checked().map_err(|error| error.what().to_owned())?;
    Ok(format!("{}, on the GPU {}", found.backend(), found.name()))
}

/// Why there is none.
#[cfg(not(feature = "cuda"))]
fn gpu() -> Result<String, String> {
    Err(WITHOUT_CUDA.to_owned())
}
