//! Ctrl-C ends a run cleanly, a second one at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    error::{Error, Result},
    progress::say,
};

/// Exit code of an interrupted run: 128 plus the number of SIGINT, as shells have it.
pub const EXIT_CODE: u8 = 130;

/// A flag that the first Ctrl-C (SIGINT, SIGTERM, SIGHUP) raises. Nothing is lost at the second:
/// every finished line of the journal is in its file.
pub fn flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let handler = move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
        say("stopping; Ctrl-C again stops at once\n");
    };
    ctrlc::set_handler(handler)
        .map_err(|source| Error::new(format!("cannot watch for Ctrl-C: {source}")))?;
    Ok(flag)
}
