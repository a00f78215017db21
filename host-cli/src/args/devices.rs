//! `longseq devices`

use clap::Args;

/// How to show them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq devices
  LONGSEQ_CUDA_LIBRARIES=/opt/cuda/lib64 longseq devices --json

Needs nothing: what is missing is said, with what to do about it. LONGSEQ_CUDA_LIBRARIES names folders, separated by
colons, in which NVRTC and cuBLASLt are looked for first; then come the system's loader, the folders of
Python's packages, and /usr/local/cuda/lib64.")]
pub struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
