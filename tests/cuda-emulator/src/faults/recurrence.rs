//! In operations that carry a state.

use super::{Fault, fault};

const CONVOLUTION: &str = "recurrence/causal_conv1d.cu";
const SHIFT: &str = "recurrence/token_shift.cu";
const RG_LRU: &str = "recurrence/rg_lru.cu";
const WKV6: &str = "recurrence/wkv6.cu";
const SSD: &str = "recurrence/ssd_chunk.cu";

pub const FAULTS: &[Fault] = &[
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
    Fault {
        name: "two neighbours of bf16 change places",
        sources: ("device.cuh", SSD),
        edit: (
            "*reinterpret_cast<u32*>(to) = bf16_pair(x, y);",
            "*reinterpret_cast<u32*>(to) = bf16_pair(y, x);",
        ),
    },
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
];
