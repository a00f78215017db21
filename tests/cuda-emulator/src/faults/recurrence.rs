//! In operations that carry a state.

use super::{Fault, fault};

const CONVOLUTION: &str = "recurrence/causal_conv1d.cu";
const SHIFT: &str = "recurrence/token_shift.cu";
const RG_LRU: &str = "recurrence/rg_lru.cu";
const WKV6: &str = "recurrence/wkv6.cu";
const WKV6_CHUNK: &str = "recurrence/wkv6_chunk.cu";
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
        "what is prepared is multiplied before it is there",
        WKV6_CHUNK,
        ("void meet() { barrier(); }", "void meet() {}"),
    ),
    fault(
        "what is prepared takes the place of what is multiplied",
        WKV6_CHUNK,
        ("shared.chunks[number % 2]", "shared.chunks[number % 1]"),
    ),
    fault(
        "keys are read before other lanes have written them",
        WKV6_CHUNK,
        ("warp_barrier();  // k and w of all lanes are there", ""),
    ),
    fault(
        "a token sees itself twice",
        WKV6_CHUNK,
        ("if (s < own[half])\n", "if (s <= own[half])\n"),
    ),
    fault(
        "a key decays by its own token, too",
        WKV6_CHUNK,
        (
            "decayed.at[c] = k.at[i].at[c] * after.at[c];\n            after.at[c] *= w.at[c];",
            "after.at[c] *= w.at[c];\n            decayed.at[c] = k.at[i].at[c] * after.at[c];",
        ),
    ),
    fault(
        "the later half of a chunk decays by the earlier",
        WKV6_CHUNK,
        ("lane < 16 ? other : 1.0f", "lane < 16 ? 1.0f : other"),
    ),
    fault(
        "scores are read from another lane's row",
        WKV6_CHUNK,
        ("left_row(lane, SCORES)", "left_row(lane ^ 1, SCORES)"),
    ),
    fault(
        "a sum over half of a row's lanes",
        WKV6_CHUNK,
        ("    sum += shuffle_xor(sum, 2);\n", ""),
    ),
    fault(
        "the output of a token that is not there",
        WKV6_CHUNK,
        ("row + half * 8 >= of.tokens", "row + half * 8 > of.tokens"),
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
    Fault {
        name: "lanes name each other's rows",
        sources: ("recurrence/chunk.cuh", SSD),
        edit: ("return lane % 16 * pitch", "return (lane ^ 1) % 16 * pitch"),
    },
    fault(
        "a chunk has one token more than there is",
        SSD,
        ("next_count = min(rest, CHUNK)", "next_count = min(rest + 1, CHUNK)"),
    ),
];
