//! Compiles every kernel for the emulator: as it is, and once more with each planted fault.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "src/faults/mod.rs"]
mod faults;
#[allow(dead_code, reason = "the table is longseq-cuda's; only names and sources are read here")]
#[path = "../../cuda-backend/src/kernels/mod.rs"]
mod kernels;
#[allow(dead_code, reason = "as above")]
#[path = "src/probes.rs"]
mod probes;

use faults::{Fault, faults};
use kernels::{HEADERS, KERNELS, Kernel};
use probes::PROBES;

fn main() {
    // Contexts are switched as glibc has it; elsewhere the crate is empty.
    let of_target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if of_target("OS") != "linux" || of_target("ENV") != "gnu" {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let kernels = Path::new("../../cuda-backend/kernels");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").include("cpp").include(kernels).include(".");
    build.define("LONGSEQ_EMULATOR", None).define("_FORTIFY_SOURCE", "0");
    for flag in [
        "-Wno-unknown-pragmas",
        "-Wno-unused-function",
        "-Wno-unused-parameter",
        "-ffp-contract=off",
        "-pthread",
        // What a GPU does not forgive, as traps that need no library.
        "-fsanitize=alignment,bounds,shift,integer-divide-by-zero",
        "-fsanitize-undefined-trap-on-error",
    ] {
        build.flag(flag);
    }
    // What has a fault runs little: it is to be built quickly.
    let mut faulty = build.clone();
    faulty.opt_level(0);
    build.opt_level(2);
    let mut registry = Registry::default();
    for path in paths() {
        let unit = registry.unit(path, None, &format!("#include \"{path}\"\n"));
        write(&out.join(format!("kernels_{}.cpp", registry.units)), &unit, &mut build);
    }
    for (number, fault) in faults().enumerate() {
        let folder = out.join(format!("fault_{number}"));
        fs::create_dir_all(&folder).expect("a folder for a fault");
        let (kernels, headers) = edited(fault);
        for (path, header) in headers {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for a header");
            fs::write(path, header).expect("a header with a fault");
        }
        let unit = registry.unit(fault.sources.1, Some(fault.name), &kernels);
        write(&folder.join("kernels.cpp"), &unit, &mut faulty);
    }
    write(&out.join("registry.cpp"), &registry.finish(), &mut build);
    build.file("cpp/emulator.cpp").compile("longseq_cuda_emulator");
    faulty.compile("longseq_cuda_emulator_faults");
    for watched in
        ["cpp", "src/faults", "../../cuda-backend/kernels", "../../cuda-backend/src/kernels"]
    {
        println!("cargo::rerun-if-changed={watched}");
    }
}

/// The shipped kernels, and those that test the emulator.
fn all() -> impl Iterator<Item = &'static Kernel> {
    KERNELS.iter().chain(PROBES)
}

/// Every source once.
fn paths() -> BTreeSet<&'static str> {
    all().map(|kernel| kernel.source.path).collect()
}

fn text(path: &str) -> &'static str {
    let of = all().find(|kernel| kernel.source.path == path);
    of.unwrap_or_else(|| panic!("no kernels in {path}")).source.text
}

/// The kernels and the headers with a fault.
fn edited(fault: &Fault) -> (String, Vec<(&'static str, String)>) {
    let (at, kernels) = fault.sources;
    let edit = |path: &str, text: &str| {
        if path != at {
            return text.to_owned();
        }
        let places = text.matches(fault.edit.0).count();
        assert_eq!(places, 1, "{}: {path} has {places} places for it", fault.name);
        text.replace(fault.edit.0, fault.edit.1)
    };
    let known = at == kernels || HEADERS.iter().any(|&(path, _)| path == at);
    assert!(known, "{}: nothing in {kernels} has it", fault.name);
    let headers = HEADERS.iter().map(|&(path, header)| (path, edit(path, header)));
    (edit(kernels, text(kernels)), headers.collect())
}

fn write(path: &Path, text: &str, build: &mut cc::Build) {
    fs::write(path, text).expect("a source to compile");
    build.file(path);
}

/// The table of what can be launched.
#[derive(Default)]
struct Registry {
    units: usize,
    declarations: String,
    entries: String,
    count: usize,
}

impl Registry {
    /// A source that holds these kernels and their entries.
    fn unit(&mut self, path: &str, fault: Option<&str>, kernels: &str) -> String {
        self.units += 1;
        // Every unit by itself: a fault in one is none in another.
        let mut unit = format!(
            "#include \"emulator.hpp\"\nnamespace {{\n#include \"device.cuh\"\n{kernels}\n}}\n"
        );
        for kernel in all().filter(|kernel| kernel.source.path == path) {
            let (name, fault) = (kernel.name, fault.unwrap_or(""));
            let entry = format!("entry_{}_{name}", self.units);
            writeln!(
                unit,
                "extern const emulator::Entry {entry} = emulator::Kernel<{name}>::entry(\"{name}\", \"{fault}\");"
            )
            .expect("text");
            writeln!(self.declarations, "extern const emulator::Entry {entry};").expect("text");
            writeln!(self.entries, "    &{entry},").expect("text");
            self.count += 1;
        }
        unit
    }

    fn finish(&self) -> String {
        let Self { declarations, entries, count, .. } = self;
        format!(
            "#include \"launch.hpp\"\n{declarations}extern \"C\" {{\n\
             extern const emulator::Entry* const emulator_entries[] = {{\n{entries}}};\n\
             extern const int emulator_entry_count = {count};\n}}\n"
        )
    }
}
