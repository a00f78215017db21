//! In the kernels that test the emulator.

use super::{Fault, fault};

pub const FAULTS: &[Fault] = &[
    fault(
        "one group of copies too many is left on its way",
        "probes/tiles.cu",
        ("copy_async_wait<1>()", "copy_async_wait<2>()"),
    ),
    fault(
        "tiles are read before all have copied theirs",
        "probes/tiles.cu",
        ("barrier();  // the tiles of this step are there", ""),
    ),
    fault(
        "tiles are overwritten while others read them",
        "probes/tiles.cu",
        ("barrier();  // and have been read", ""),
    ),
    fault(
        "both steps use the same tiles",
        "probes/tiles.cu",
        ("begin_tiles(tiles[next % 2]", "begin_tiles(tiles[step % 2]"),
    ),
    fault(
        "a lane names the row of its neighbour",
        "probes/tiles.cu",
        ("lane % 16][lane / 16 * 8]", "(lane + 1) % 16][lane / 16 * 8]"),
    ),
    fault(
        "one row more than there is",
        "probes/tiles.cu",
        ("inside && a_row < m", "inside && a_row <= m"),
    ),
    fault(
        "a result is written beyond the last row",
        "probes/tiles.cu",
        ("if (row < m && column < n)", "if (row <= m && column < n)"),
    ),
    fault(
        "threads stand at different barriers",
        "probes/scan.cu",
        (
            "barrier();  // the totals are there",
            "if (warp == 0)\n        barrier();\n    else\n        barrier();",
        ),
    ),
    fault(
        "some lanes are missing from a shuffle",
        "probes/scan.cu",
        (
            "const float before = shuffle_up(sum, distance);",
            "const float before = lane > 0 ? shuffle_up(sum, distance) : 0;",
        ),
    ),
    fault(
        "a shared array is read beyond its end",
        "probes/scan.cu",
        ("i < warp; i++) sum += totals[i]", "i < warp; i++) sum += totals[i + 1024]"),
    ),
    fault(
        "a shared array is written before its beginning",
        "probes/scan.cu",
        ("totals[warp] = sum", "totals[warp - 1] = sum"),
    ),
    fault(
        "an access of eight bytes is not aligned",
        "probes/scan.cu",
        ("out[at] = sum;", "*reinterpret_cast<i64*>(out + at) = 0;"),
    ),
];
