//! Kernels that test the emulator itself.
//!
//! Stands alone, as the table of the shipped kernels does, so that `build.rs` reads it, too.

use super::kernels::{Kernel, Source};

/// A product on the tensor cores, with asynchronous copies.
pub const TILE_PRODUCT: Kernel = Kernel {
    name: "tile_product",
    source: Source { path: "probes/tiles.cu", text: include_str!("../probes/tiles.cu") },
    threads: 64,
    registers: 64,
    static_shared: 4608,
    dynamic_shared: 0,
};

const SCAN_SOURCE: Source =
    Source { path: "probes/scan.cu", text: include_str!("../probes/scan.cu") };

/// Running sums.
pub const SCAN: Kernel = Kernel {
    name: "scan",
    source: SCAN_SOURCE,
    threads: 256,
    registers: 64,
    static_shared: 128,
    dynamic_shared: 0,
};

/// Indices of grid and block.
pub const INDICES: Kernel = Kernel {
    name: "indices",
    source: SCAN_SOURCE,
    threads: 64,
    registers: 64,
    static_shared: 0,
    dynamic_shared: 256,
};

/// All of them.
pub const PROBES: &[Kernel] = &[TILE_PRODUCT, SCAN, INDICES];
