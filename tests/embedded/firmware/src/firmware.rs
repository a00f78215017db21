//! The program on an Arm Cortex-M without an operating system.

use core::fmt::Write;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::Peripherals;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::{hio, nr, syscall};
use longseq_embedded::program::{Device, run};

use super::machine::{end, report};
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

/// The words after the program's name.
fn command_line(buffer: &mut [u8]) -> &str {
    let block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the debugger writes at most as many bytes as the block says to where the block says, which is
    // `buffer`, not otherwise used meanwhile.
    let status = unsafe { syscall(nr::GET_CMDLINE, &block) };
    if status != 0 {
        return "";
    }
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(0);
    let line = core::str::from_utf8(&buffer[..end]).unwrap_or_default();
    line.split_once(' ').map_or("", |(_, words)| words)
}

/// QEMU with `-icount shift=0` runs one instruction a nanosecond of virtual time, and the boards' SysTick counts at
/// 25 MHz: a tick is 40 instructions.
const INSTRUCTIONS_PER_TICK: u64 = 40;
const RELOAD: u32 = 0x00FF_FFFF;

static WRAPS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    // Not `fetch_add`, which a Cortex-M0 lacks; nothing else writes it.
    WRAPS.store(WRAPS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Counts instructions by SysTick.
struct Counter(SYST);

impl Counter {
    fn start() -> Option<Self> {
        let mut timer = Peripherals::take()?.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(RELOAD);
        timer.clear_current();
        timer.enable_counter();
        timer.enable_interrupt();
        Some(Self(timer))
    }
}

impl Device for Counter {
    fn instructions(&mut self) -> Option<u64> {
        loop {
            let wraps = WRAPS.load(Ordering::Relaxed);
            let ticks = RELOAD - self.0.cvr.read();
            if wraps == WRAPS.load(Ordering::Relaxed) {
                let ticks = u64::from(wraps) * (u64::from(RELOAD) + 1) + u64::from(ticks);
                return Some(ticks * INSTRUCTIONS_PER_TICK);
            }
        }
    }
}
