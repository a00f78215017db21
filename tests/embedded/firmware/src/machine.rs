//! What any program needs of an Arm Cortex-M without an operating system: what it used of flash, memory and stack, and an
//! end. Both go through semihosting, to a debugger or to QEMU.

use core::fmt::Write;
use core::panic::PanicInfo;
use core::ptr::addr_of;

use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hio;

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
