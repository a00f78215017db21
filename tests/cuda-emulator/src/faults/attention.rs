//! In attention.

use super::{Fault, fault};

const fn prefill(name: &'static str, edit: (&'static str, &'static str)) -> Fault {
    fault(name, "attention/grouped_query_attention.cu", edit)
}

const fn decode(name: &'static str, edit: (&'static str, &'static str)) -> Fault {
    fault(name, "attention/decode.cu", edit)
}

/// In a header of attention, seen through the kernels for many queries.
const fn of_prefill(
    header: &'static str,
    name: &'static str,
    edit: (&'static str, &'static str),
) -> Fault {
    Fault { name, sources: (header, "attention/grouped_query_attention.cu"), edit }
}

pub const FAULTS: &[Fault] = &[
    prefill(
        "keys are read before other warps' copies have arrived",
        ("barrier();  // These have arrived for all, and nobody reads those before any more.", ""),
    ),
    prefill(
        "keys are read before they have arrived",
        (
            "copy_async_wait<0>();\n        barrier();  // These",
            "copy_async_wait<1>();\n        barrier();  // These",
        ),
    ),
    prefill(
        "queries are still read while keys take their place",
        (
            "query_lines, within + tile * 16, k);\n        barrier();",
            "query_lines, within + tile * 16, k);",
        ),
    ),
    prefill(
        "only one place for keys",
        ("u16* const to = stages + first / KEYS % 2 * 2 * STAGE;", "u16* const to = stages;"),
    ),
    of_prefill(
        "attention/softmax.cuh",
        "a query sees one key more than it may",
        ("key >= range.end", "key > range.end"),
    ),
    of_prefill(
        "attention/sequence.cuh",
        "a window of one key more",
        ("return {max(0, end - of.window), end};", "return {max(0, end - of.window - 1), end};"),
    ),
    of_prefill(
        "attention/softmax.cuh",
        "queries are read from another lane's row",
        (
            "place<D>(row + lane % 16, k * 2 + lane / 16)",
            "place<D>(row + (lane ^ 8) % 16, k * 2 + lane / 16)",
        ),
    ),
    of_prefill(
        "attention/softmax.cuh",
        "the largest score of half of a row's lanes",
        ("        largest = fmaxf(largest, shuffle_xor(largest, 2));\n", ""),
    ),
    of_prefill(
        "attention/softmax.cuh",
        "the total does not follow the largest score",
        ("state.total[tile][half] * factor", "state.total[tile][half]"),
    ),
    decode(
        "values are read before they have arrived",
        (
            "copy_async_wait<BUFFERS - 2>();\n        warp_barrier();\n",
            "copy_async_wait<BUFFERS - 1>();\n        warp_barrier();\n",
        ),
    ),
    decode(
        "sums of warps take the place of keys that others still read",
        ("barrier();  // What was shared is no longer read.", ""),
    ),
    decode(
        "sums of warps are read before they are written",
        ("    barrier();\n    for (int item = THREAD;", "    for (int item = THREAD;"),
    ),
    decode(
        "parts that are empty are combined, too",
        (
            "const int count = (present.end - 1) / PART - present.first / PART + 1;",
            "const int count = max(parts, present.end / PART);",
        ),
    ),
    decode("parts weigh the same", ("exp2_fast(own[part].largest - origin(largest))", "1.0f")),
    decode(
        "a warp's last keys are left out",
        (
            "max(0, present.end - base) + STRIDE - 1) / STRIDE",
            "max(0, present.end - base)) / STRIDE",
        ),
    ),
    Fault {
        name: "keys that should wait go to the cache",
        sources: ("attention/sequence.cuh", "attention/rope.cu"),
        edit: ("return in.tokens > 1 && in.position + in.tokens > of.cache_rows;", "return false;"),
    },
    fault("sines are read before they are written", "attention/rope.cu", ("    barrier();\n", "")),
    fault(
        "the oldest of the keys that fit is not stored",
        "attention/kv_cache.cu",
        ("in.tokens - token <= of.cache_rows", "in.tokens - token < of.cache_rows"),
    ),
];
