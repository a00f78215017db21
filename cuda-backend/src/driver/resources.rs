//! What a compiled kernel takes of a multiprocessor, from ptxas's own report.

/// One kernel of a compiled file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Its name.
    pub kernel: String,
    /// Registers of a thread.
    pub registers: u32,
    /// Bytes of shared memory of a block that are fixed when it is compiled.
    pub shared: u32,
    /// Bytes of a thread's stack.
    pub stack: u32,
    /// Bytes that a thread writes to memory because registers do not suffice.
    pub spill_stores: u32,
    /// Bytes that it reads back.
    pub spill_loads: u32,
}

impl Resources {
    /// Whether registers suffice.
    pub const fn fits_registers(&self) -> bool {
        self.spill_stores == 0 && self.spill_loads == 0
    }
}

/// Reads the report of `--ptxas-options=-v`: for each kernel a line that names it, one of its stack and spills, one of
/// its registers and shared memory. Other lines, of device functions and warnings, are passed over.
pub fn read(log: &str) -> Vec<Resources> {
    let mut kernels: Vec<Resources> = Vec::new();
    // A device function that is not inlined has a report of its own, under its own name.
    let mut within = false;
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let kernel = rest.split('\'').next().unwrap_or_default().to_owned();
            kernels.push(Resources { kernel, ..Resources::default() });
        }
        let Some(kernel) = kernels.last_mut() else { continue };
        if let Some((_, name)) = line.split_once("Function properties for ") {
            within = name.trim() == kernel.kernel;
        }
        if within && line.contains("bytes spill stores") {
            kernel.stack = number_before(line, " bytes stack frame");
            kernel.spill_stores = number_before(line, " bytes spill stores");
            kernel.spill_loads = number_before(line, " bytes spill loads");
        }
        if line.contains(": Used ") {
            kernel.registers = number_before(line, " registers");
            kernel.shared = number_before(line, " bytes smem");
        }
    }
    kernels
}

/// The number that stands before some words; 0 without them.
fn number_before(line: &str, words: &str) -> u32 {
    let before = line.split(words).next().filter(|before| before.len() < line.len());
    let number = before.and_then(|before| before.rsplit([' ', ',']).next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_two_kernels() {
        let log = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_90a'
ptxas info    : Function properties for first
ptxas         .     16 bytes stack frame, 328 bytes spill stores, 332 bytes spill loads
ptxas info    : Function properties for __internal_helper
ptxas         .     8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 16 bytes cumulative stack size, 1024 bytes smem
ptxas info    : Compile time = 3.210 ms
ptxas info    : Compiling entry function 'second' for 'sm_90a'
ptxas info    : Function properties for second
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 13 registers, used 0 barriers, 380 bytes cmem[0]
";
        let first = Resources {
            kernel: "first".to_owned(),
            registers: 255,
            shared: 1024,
            stack: 16,
            spill_stores: 328,
            spill_loads: 332,
        };
        let second =
            Resources { kernel: "second".to_owned(), registers: 13, ..Resources::default() };
        assert_eq!(read(log), [first, second]);
        assert!(!read(log)[0].fits_registers() && read(log)[1].fits_registers());
    }
}
