//! Faults planted in kernels, one at a time, which the tests have to report.
//!
//! `build.rs` compiles each beside the kernels as they are.

/// One fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// The source it is planted in, and a source with the kernels that then have it.
    pub sources: (&'static str, &'static str),
    /// The text that is replaced, which the source has once, and what takes its place.
    pub edit: (&'static str, &'static str),
}

const fn fault(
    name: &'static str,
    source: &'static str,
    edit: (&'static str, &'static str),
) -> Fault {
    Fault { name, sources: (source, source), edit }
}

/// In what all kernels stand on, seen through the norms.
const fn of_norms(name: &'static str, edit: (&'static str, &'static str)) -> Fault {
    Fault { name, sources: ("device.cuh", "numeric/norm.cu"), edit }
}

/// All of them.
pub const FAULTS: &[Fault] = &[
    of_norms(
        "sums of warps are read before they are written",
        ("partial[warp] = v;\n    barrier();", "partial[warp] = v;"),
    ),
    of_norms(
        "sums of warps are written while the last are read",
        ("barrier();  // what an earlier call left has been read", ""),
    ),
    of_norms(
        "a sum over one warp more than there is",
        ("lane < warps ? partial[lane]", "lane <= warps ? partial[lane]"),
    ),
    of_norms(
        "a sum over every other lane",
        ("mask /= 2) v += shuffle_xor(v, mask);", "mask /= 4) v += shuffle_xor(v, mask);"),
    ),
    fault(
        "a norm's sum counts one element beyond the row",
        "numeric/norm.cu",
        ("i + j < of.width ? x.at[j] - mean", "i + j <= of.width ? x.at[j] - mean"),
    ),
    fault(
        "a norm's last elements are left out",
        "numeric/norm.cu",
        ("if (i < of.width) f(i, x[k], gate[k]);", "if (i + 4 < of.width) f(i, x[k], gate[k]);"),
    ),
    fault(
        "the gate of a linear unit is read with the other's stride",
        "numeric/activation.cu",
        ("load_four(gate + row * gate_stride", "load_four(gate + row * width"),
    ),
    fault(
        "a square of one row more than there is",
        "numeric/activation.cu",
        (
            "if (row >= rows) return;\n    float* const own",
            "if (row > rows) return;\n    float* const own",
        ),
    ),
    fault(
        "a soft cap of four elements where there are fewer",
        "numeric/activation.cu",
        ("store_four(x + i, four, elements - i);", "store_four(x + i, four, 4);"),
    ),
    fault(
        "a bias is added twice",
        "numeric/linear.cu",
        ("sum.at[j] += before.at[j];", "sum.at[j] += before.at[j] + sum.at[j];"),
    ),
    fault("of equals the last is chosen", "numeric/softmax.cu", ("b.at < a.at", "b.at > a.at")),
    fault(
        "the choices of warps are read before they are written",
        "numeric/softmax.cu",
        ("    barrier();\n", ""),
    ),
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
];
