//! Every kernel compiles for every architecture, without spilling, within its budget of registers and shared memory. Needs
//! NVRTC and no GPU; where there is no NVRTC, nothing is tested, and that is said.

use std::env;

use longseq_cuda::{
    driver::{
        compile::Compiler,
        libraries,
        modules::{sources, unit},
        resources::Resources,
    },
    kernels::KERNELS,
};

/// Registers of a multiprocessor, of every architecture since 8.0.
const REGISTERS: u32 = 65_536;

/// Compiles for a compute capability whose blocks can have so many bytes of shared memory.
fn check(capability: (u32, u32), most_shared: u32) {
    let compiler = match Compiler::new() {
        Ok(compiler) => compiler,
        Err(missing) => {
            assert!(env::var_os(libraries::VARIABLE).is_none(), "{missing}");
            println!("skipped: {missing}");
            return;
        }
    };
    let architecture = match compiler.architecture(capability) {
        Ok(architecture) => architecture,
        Err(unknown) => {
            println!("skipped: {unknown}");
            return;
        }
    };
    let mut wrong = Vec::new();
    for source in sources() {
        let compiled = compiler.compile(&unit(&source, &architecture));
        let reported = compiled.unwrap_or_else(|error| panic!("{error}")).kernels;
        let listed: Vec<_> = KERNELS.iter().filter(|kernel| kernel.source == source).collect();
        let mut names = [reported.iter().map(|of| &of.kernel[..]).collect::<Vec<_>>(), vec![]];
        names[1].extend(listed.iter().map(|kernel| kernel.name));
        names.iter_mut().for_each(|names| names.sort_unstable());
        assert_eq!(names[0], names[1], "{}: kernels of the source, and of the table", source.path);
        for kernel in listed {
            let of = reported.iter().find(|of| of.kernel == kernel.name);
            let of: &Resources = of.expect("it is listed");
            let fits = of.fits_registers()
                && of.registers > 0
                && of.registers <= kernel.registers
                && of.shared <= kernel.static_shared;
            let block = kernel.registers * kernel.threads;
            let possible =
                block <= REGISTERS && kernel.static_shared + kernel.dynamic_shared <= most_shared;
            if !(fits && possible) {
                let [registers, fixed, dynamic] =
                    [kernel.registers, kernel.static_shared, kernel.dynamic_shared];
                wrong.push(format!(
                    "{}: {of:?}, of {registers} registers, {fixed} and {dynamic} bytes",
                    source.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{architecture}: {wrong:#?}");
}

#[test]
fn ampere() {
    check((8, 0), 163 << 10);
}

#[test]
fn ada() {
    check((8, 9), 99 << 10);
}

#[test]
fn hopper() {
    check((9, 0), 227 << 10);
}

#[test]
fn blackwell() {
    check((10, 0), 227 << 10);
}
