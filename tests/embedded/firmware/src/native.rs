//! The program on the host: what a firmware's output is compared with.

use std::env;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use longseq_embedded::program::{Device, run};

use super::{Room, image::IMAGE};

static MEMORY: Mutex<Room> = Mutex::new(Room::new());

/// Counts nothing.
struct Host;

impl Device for Host {
    fn instructions(&mut self) -> Option<u64> {
        None
    }
}

struct Stdout(io::Stdout);

impl fmt::Write for Stdout {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Runs the command on the command line; 2 if it fails.
pub fn main() -> ExitCode {
    let line = env::args().skip(1).collect::<Vec<_>>().join(" ");
    let Ok(mut memory) = MEMORY.lock() else { return ExitCode::from(2) };
    match run(&line, &IMAGE, &mut memory, &mut Stdout(io::stdout()), &mut Host) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Into a closed pipe nothing can be said.
            let _ = writeln!(io::stdout(), "error: {failure}");
            ExitCode::from(2)
        }
    }
}
