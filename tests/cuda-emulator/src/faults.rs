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
        "a warp of a norm takes the group of its neighbour",
        "numeric/norm.cu",
        ("* (THREADS / WARP) + THREAD / WARP;", "* (THREADS / WARP) + (THREAD + 1) / WARP;"),
    ),
    fault(
        "a norm's last elements are left out",
        "numeric/norm.cu",
        ("if (first(k) < of.width) f(", "if (first(k) + 4 < of.width) f("),
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
        "the inputs before a run are those of a token earlier",
        CONVOLUTION,
        ("load_four(x + (from - PAST + j)", "load_four(x + (from - PAST + j - 1)"),
    ),
    fault(
        "a convolution of one token more than there is",
        CONVOLUTION,
        ("min(from + RUN, of.tokens)", "min(from + RUN, of.tokens + 1)"),
    ),
    fault(
        "a state is written while another run reads it",
        CONVOLUTION,
        ("if (of.tokens > RUN) return;", ""),
    ),
    fault(
        "the token before a later run is the state",
        SHIFT,
        ("load_four(from == 0 ? own", "load_four(from <= RUN ? own"),
    ),
    fault(
        "the second stream has the proportions of the first",
        SHIFT,
        ("load_four(second + first, count)", "load_four(mu + first, count)"),
    ),
    fault(
        "what warps have scanned is read before it is there",
        RG_LRU,
        ("inputs[THREAD] = all.input;\n        barrier();", "inputs[THREAD] = all.input;"),
    ),
    fault(
        "what warps have scanned is overwritten while it is read",
        RG_LRU,
        ("barrier();  // those of the tile before have been read", ""),
    ),
    fault("a tile's last warp is left out", RG_LRU, ("s < SEGMENTS; s++", "s < SEGMENTS - 1; s++")),
    fault(
        "the second token is taken for the first",
        RG_LRU,
        ("of.position + begin + j == 0", "of.position + begin + j == 1"),
    ),
    fault(
        "tokens are worked on before they are there",
        WKV6,
        ("put(next, stage(number + 1));\n        barrier();", "put(next, stage(number + 1));"),
    ),
    fault(
        "tokens are overwritten while they are worked on",
        WKV6,
        ("stages + number % 2 * STAGE", "stages"),
    ),
    fault(
        "half of the keys are left out of a sum",
        WKV6,
        ("return a + shuffle_xor(a, 8);", "return a;"),
    ),
    fault("a lane writes another's column", WKV6, ("own % 2 * 2 + own / 2", "own")),
    fault(
        "one token more than there is",
        WKV6,
        ("min(TOKENS, of.tokens - token)", "min(TOKENS, of.tokens - token + 1)"),
    ),
    fault(
        "copies of a chunk are not waited for",
        SSD,
        ("copy_async_wait<0>()", "copy_async_wait<1>()"),
    ),
    fault(
        "a chunk is read before all have copied theirs",
        SSD,
        ("barrier();  // this chunk's tiles", "// this chunk's tiles"),
    ),
    fault(
        "scores are read before they are there",
        SSD,
        ("barrier();  // the scores are there", ""),
    ),
    fault("all chunks use the same tiles", SSD, ("other = 1 - stage", "other = stage")),
    fault("a token sees the next", SSD, ("column <= row ?", "column <= row + 1 ?")),
    fault(
        "lanes name each other's rows",
        SSD,
        ("return lane % 16 * pitch", "return (lane ^ 1) % 16 * pitch"),
    ),
    fault(
        "a chunk has one token more than there is",
        SSD,
        ("next_count = min(rest, CHUNK)", "next_count = min(rest + 1, CHUNK)"),
    ),
    fault(
        "an access of eight bytes is not aligned",
        "probes/scan.cu",
        ("out[at] = sum;", "*reinterpret_cast<i64*>(out + at) = 0;"),
    ),
];

const CONVOLUTION: &str = "recurrence/causal_conv1d.cu";
const SHIFT: &str = "recurrence/token_shift.cu";
const RG_LRU: &str = "recurrence/rg_lru.cu";
const WKV6: &str = "recurrence/wkv6.cu";
const SSD: &str = "recurrence/ssd_chunk.cu";
