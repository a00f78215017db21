// What the kernels of attention know of a call: its sequences, who sees what, and where keys and values lie. Included
// after device.cuh.
#pragma once

// A call of H query heads and Hkv key-value heads of size D. Scalars are bf16, or f32 where they are `wide`.
struct Call {
    // Of every sequence: its first row, and the end; its slot; how many tokens that held before.
    const int *starts, *slots, *positions;
    int sequences;
    void* rotated;  // [rows, H·D + 2 Hkv·D]: q, scaled so that scores count in units of ln 2; k and v where staged
    void* cache;    // of slot i, from slot_offset + i · slot_stride on: keys [cache_rows, Hkv, D], then values
    i64 slot_offset, slot_stride;
    int wide, cache_rows, heads, kv_heads, head_dim, window, cuts_prompt;
};

#define CALL_PARAMETERS                                                                                    \
    const int *starts, const int *slots, const int *positions, int sequences, void *rotated, void *cache, \
        i64 slot_offset, i64 slot_stride, int wide, int cache_rows, int heads, int kv_heads,              \
        int head_dim, int window, int cuts_prompt
#define CALL                                                                                              \
    Call {                                                                                                \
        starts, slots, positions, sequences, rotated, cache, slot_offset, slot_stride, wide, cache_rows, \
            heads, kv_heads, head_dim, window, cuts_prompt                                                \
    }

DEVICE i64 query_width(const Call& of) { return of.heads * of.head_dim; }
DEVICE i64 kv_width(const Call& of) { return of.kv_heads * of.head_dim; }
DEVICE i64 qkv_width(const Call& of) { return (of.heads + 2 * of.kv_heads) * of.head_dim; }

DEVICE float element(const Call& of, const void* from, i64 at) {
    return of.wide ? static_cast<const float*>(from)[at] : float_of_bf16(static_cast<const u16*>(from)[at]);
}
DEVICE void set_element(const Call& of, void* to, i64 at, float x) {
    if (of.wide)
        static_cast<float*>(to)[at] = x;
    else
        static_cast<u16*>(to)[at] = bf16_of_float(x);
}

DEVICE Sequence sequence(const Call& of, int index) { return sequence_of(of.starts, of.slots, of.positions, index); }
// That of a row of the call.
DEVICE Sequence sequence_of_row(const Call& of, int row) {
    int first = 0, end = of.sequences;
    while (end - first > 1) {
        const int middle = (first + end) / 2;
        if (of.starts[middle] <= row)
            first = middle;
        else
            end = middle;
    }
    return sequence(of, first);
}

struct Range {
    int first, end;
};
// The positions that a token of the call sees, as AttentionDims::seen and seen_in_cut_prompt have it. Neither the first
// nor the end of a later token comes earlier. Without a window it is 2³¹ − 1.
DEVICE Range seen(const Call& of, const Sequence& in, int token) {
    const int end = in.position + token + 1;
    if (of.cuts_prompt && in.position == 0 && in.tokens > of.window) {
        const int first = in.tokens - of.window;
        return {first, first + min(of.window, end)};
    }
    return {max(0, end - of.window), end};
}

// Whether a later token of the call may take the place of a key that an earlier one still sees. Then keys and values of
// the call stay beside its queries, and go to the cache when all have been read.
DEVICE bool is_staged(const Call& of, const Sequence& in) {
    return in.tokens > 1 && in.position + in.tokens > of.cache_rows;
}

// Where the key and the value of a token lie, [Hkv, D] each.
struct Line {
    void* base;
    i64 key, value;
};
DEVICE Line staged_line(const Call& of, int row) {
    const i64 key = row * qkv_width(of) + query_width(of);
    return {of.rotated, key, key + kv_width(of)};
}
DEVICE Line cached_line(const Call& of, const Sequence& in, int position) {
    const i64 slot = of.slot_offset + in.slot * of.slot_stride;
    const i64 key = slot + position % of.cache_rows * kv_width(of);
    return {of.cache, key, key + of.cache_rows * kv_width(of)};
}
DEVICE Line line(const Call& of, const Sequence& in, int position) {
    if (is_staged(of, in) && position >= in.position) return staged_line(of, in.row + position - in.position);
    return cached_line(of, in, position);
}

// The same for one key-value head, in bf16, of which many are read: few registers, and no division each time.
struct Lines {
    const u16 *cached, *staged;  // the key of the cache's first row, and of position 0 if all before were staged, too
    int row_of_zero;             // the row of position 0 in the ring that the newest position ends, or that − rows
    int staged_first;            // from this position on they are staged
};
DEVICE Lines lines(const Call& of, const Sequence& in, int kv_head) {
    const bool staged = is_staged(of, in);
    const int end = in.position + (staged ? 0 : in.tokens);
    const i64 offset = static_cast<i64>(kv_head) * of.head_dim;
    const u16* const own = static_cast<const u16*>(of.rotated) + staged_line(of, in.row).key + offset;
    return {static_cast<const u16*>(of.cache) + cached_line(of, in, 0).key + offset, own - in.position * qkv_width(of),
            end % of.cache_rows - end, staged ? in.position : 0x7fffffff};
}
// Of a position that is there: one of the newest `cache_rows`, or staged.
DEVICE const u16* line_at(const Call& of, const Lines& in, int position, bool value) {
    if (position >= in.staged_first) return in.staged + position * qkv_width(of) + (value ? kv_width(of) : 0);
    int row = position + in.row_of_zero;
    row += row < 0 ? of.cache_rows : 0;
    return in.cached + (row + (value ? static_cast<i64>(of.cache_rows) : 0)) * kv_width(of);
}

// Queries of one key-value head, token by token: row r is head r mod G of the group, of token r / G.
struct Queries {
    int kv_head, group, rows;
};
DEVICE Queries queries(const Call& of, const Sequence& in, int kv_head) {
    const int group = of.heads / of.kv_heads;
    return {kv_head, group, in.tokens * group};
}
// Where a row's query begins in `rotated`, and its result in out [rows, H, D].
DEVICE i64 query_of_row(const Call& of, const Sequence& in, const Queries& all, int row) {
    const int head = all.kv_head * all.group + row % all.group;
    return (in.row + row / all.group) * qkv_width(of) + static_cast<i64>(head) * of.head_dim;
}
DEVICE i64 out_of_row(const Call& of, const Sequence& in, const Queries& all, int row) {
    const int head = all.kv_head * all.group + row % all.group;
    return (in.row + row / all.group) * query_width(of) + static_cast<i64>(head) * of.head_dim;
}
// What is seen by any of the rows from `first` on, of which the first exists.
DEVICE Range seen_by_any(const Call& of, const Sequence& in, const Queries& all, int first, int end) {
    const int last = min(end, all.rows) - 1;
    return {seen(of, in, first / all.group).first, seen(of, in, last / all.group).end};
}

// Whether so few queries read the keys that reading is what takes time: they are decoded, in parts. Depends on the
// sequence alone, so that its results do not depend on what else is in the batch.
constexpr int FEW = 64;
DEVICE bool is_few(const Call& of, const Sequence& in) {
    return in.tokens == 1 || static_cast<i64>(in.tokens) * (of.heads / of.kv_heads) <= FEW;
}
