//! In operations on rows, and in what all kernels stand on.

use super::{Fault, fault};

/// In what all kernels stand on, seen through the norms.
const fn of_norms(name: &'static str, edit: (&'static str, &'static str)) -> Fault {
    Fault { name, sources: ("device.cuh", "numeric/norm.cu"), edit }
}

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
        "a warp of a norm takes the group of its neighbour",
        "numeric/norm.cu",
        ("* (THREADS / WARP) + THREAD / WARP;", "* (THREADS / WARP) + (THREAD + 1) / WARP;"),
    ),
    fault(
        "a norm's last elements are left out",
        "numeric/norm.cu",
        ("if (first(k) < of.width) f(", "if (first(k) + 4 < of.width) f("),
    ),
    of_norms(
        "four of bf16 are stored at once where two are aligned",
        ("count >= 4 && (reinterpret_cast<u64>(to) & 7) == 0", "count >= 4"),
    ),
    fault(
        "rows of bf16 lie as far apart as those of f32",
        "numeric/norm.cu",
        ("    out += row * width;\n", "    out += row * width * (4 / sizeof(Y));\n"),
    ),
    fault(
        "a row of bf16 that a norm works on in place is half as long",
        "numeric/norm.cu",
        ("x + row * groups * width + first", "x + row * groups * width * sizeof(T) / 4 + first"),
    ),
    fault(
        "the gate of a linear unit is read with the other's stride",
        "numeric/activation.cu",
        ("load_four(gate + row * gate_stride", "load_four(gate + row * width"),
    ),
    fault(
        "a square is taken beyond the row",
        "numeric/activation.cu",
        (
            "if (i >= width) return;\n    float* const own",
            "if (i >= width + 4) return;\n    width += 4;\n    float* const own",
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
];
