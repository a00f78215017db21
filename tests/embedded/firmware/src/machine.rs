//! What a program needs of an Arm Cortex-M without an operating system: output and command line, through semihosting to
//! a debugger or to QEMU; a counter of instructions; what is used of flash, memory and stack; an end.

use core::fmt::Write;
use core::panic::PanicInfo;
use core::ptr::addr_of;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::Peripherals;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::{hio, nr, syscall};
use longseq_embedded::program::Device;

/// What the program took of the machine, in bytes.
pub fn report(weights: usize, memory: usize, out: &mut dyn Write) -> core::fmt::Result {
    unsafe extern "C" {
        static __vector_table: u8;
        static __erodata: u8;
        static __sdata: u8;
        static __edata: u8;
        static __ebss: u8;
    }
    // The linker's symbols are addresses, and nothing is read.
    let [start, rodata, data, data_end, bss_end] = [
        addr_of!(__vector_table),
        addr_of!(__erodata),
        addr_of!(__sdata),
        addr_of!(__edata),
        addr_of!(__ebss),
    ]
    .map(|symbol| symbol as usize);
    let flash = rodata - start + (data_end - data);
    writeln!(out, "device flash {flash}, of which weights {weights}")?;
    writeln!(out, "device static memory {}, of which state and buffers {memory}", bss_end - data)?;
    writeln!(out, "device peak stack {}", peak_stack())
}

/// Bytes between the first word above the static memory that is not as the start-up code painted it, and the
/// stack's start.
fn peak_stack() -> usize {
    unsafe extern "C" {
        static mut _stack_end: u32;
        static mut _stack_start: u32;
    }
    let (mut word, start) = (addr_of!(_stack_end), addr_of!(_stack_start));
    // SAFETY: the words between these two symbols are memory that the linker script keeps for the stack, and all of
    // them were written by the start-up code.
    while word < start && unsafe { word.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    start as usize - word as usize
}

/// The words after the program's name.
pub fn command_line(buffer: &mut [u8]) -> &str {
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
pub struct Counter(SYST);

impl Counter {
    pub fn start() -> Option<Self> {
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

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if let Ok(mut out) = hio::hstdout() {
        let _ = writeln!(out, "error: {info}");
    }
    end(false)
}

/// Ends the emulation.
pub fn end(done: bool) -> ! {
    debug::exit(if done { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}
