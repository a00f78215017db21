//! The program on an Arm Cortex-M without an operating system.

use core::fmt::Write;

use cortex_m_rt::entry;
use cortex_m_semihosting::hio;
use longseq_embedded::program::run;

use super::machine::{Counter, command_line, end, report};
use super::{Room, image::IMAGE};

#[entry]
fn main() -> ! {
    static mut MEMORY: Room = Room::new();
    let mut buffer = [0; 256];
    let line = command_line(&mut buffer);
    let (Some(mut counter), Ok(mut out)) = (Counter::start(), hio::hstdout()) else { end(false) };
    let done = run(line, &IMAGE, MEMORY, &mut out, &mut counter);
    let said = match &done {
        Ok(()) => Ok(()),
        Err(failure) => writeln!(out, "error: {failure}"),
    };
    let reported = report(IMAGE.weights.len(), size_of::<Room>(), &mut out);
    end(done.is_ok() && said.is_ok() && reported.is_ok())
}
