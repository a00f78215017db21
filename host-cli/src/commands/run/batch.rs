//! How many samples are answered together where nothing is said.

use crate::{
    engine::{
        computing::Computing,
        memory::{self, Memory},
    },
    error::Result,
    run::cell::Schedule,
};

/// As many as pay.
pub fn most(computing: Computing) -> usize {
    match computing {
        Computing::Cpu(_) => Schedule::PAYS,
        // One slot a thread.
        Computing::Reference(_) => rayon::current_num_threads(),
    }
}

/// Of those the ones that fit, with everything else, into half of the memory that is free.
///
/// # Errors
/// Those of `memory`, which says what so many slots take.
pub fn fitting(mut schedule: Schedule, memory: impl Fn(usize) -> Result<Memory>) -> Result<usize> {
    let Some(free) = memory::free() else { return Ok(schedule.batch) };
    while schedule.batch > 1 && memory(schedule.slots())?.total(schedule.slots()) > free / 2 {
        schedule.batch -= 1;
    }
    Ok(schedule.batch)
}
