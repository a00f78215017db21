//! How many samples are answered together where nothing is said.

use crate::{
    engine::{computing::Computing, memory::Memory},
    error::Result,
    run::cell::Schedule,
};

/// As many as pay.
pub fn most(computing: Computing) -> usize {
    match computing {
        Computing::Cpu(_) => Schedule::PAYS,
        #[cfg(feature = "cuda")]
        Computing::Cuda(_) => Schedule::PAYS_ON_A_GPU,
        // One slot a thread.
        Computing::Reference(_) => rayon::current_num_threads(),
    }
}

/// Of those the ones that fit, with everything else, into the memory that may be taken.
///
/// # Errors
/// Those of `memory`, which says what so many slots take.
pub fn fitting(
    mut schedule: Schedule,
    usable: Option<u64>,
    memory: impl Fn(usize) -> Result<Memory>,
) -> Result<usize> {
    let Some(usable) = usable else { return Ok(schedule.batch) };
    while schedule.batch > 1 && memory(schedule.slots())?.total(schedule.slots()) > usable {
        schedule.batch -= 1;
    }
    Ok(schedule.batch)
}
