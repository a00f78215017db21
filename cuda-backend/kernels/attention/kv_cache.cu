// Staged keys and values, to the cache when all queries have read what was there: the newest that it has rows for.
// Memory bound: read once and written once.
//
// kv_cache_store:
//   _ref  one thread an element;
//   fast  one thread 16 bytes, where heads and slots allow it.
#include "device.cuh"
#include "attention/sequence.cuh"

// A token whose key and value are to be stored, if they are.
struct Move {
    bool stored;
    Line from, to;
};
DEVICE Move move_of(const Call& of, int row) {
    const Sequence in = sequence_of_row(of, row);
    const int token = row - in.row;
    const bool stored = is_staged(of, in) && in.tokens - token <= of.cache_rows;
    return {stored, staged_line(of, row), cached_line(of, in, in.position + token)};
}

KERNEL(256) kv_cache_store_ref(int rows, CALL_PARAMETERS) {
    const Call of = CALL;
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD, width = kv_width(of);
    if (index >= rows * width) return;
    const Move move = move_of(of, index / width);
    const i64 i = index % width;
    if (!move.stored) return;
    set_element(of, cache, move.to.key + i, element(of, rotated, move.from.key + i));
    set_element(of, cache, move.to.value + i, element(of, rotated, move.from.value + i));
}

// The same; D, slot_offset and slot_stride are multiples of 16 bytes.
KERNEL(256) kv_cache_store(int rows, CALL_PARAMETERS) {
    const Call of = CALL;
    const int bytes = wide ? 4 : 2;
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD, pieces = kv_width(of) * bytes / 16;
    if (index >= rows * pieces) return;
    const Move move = move_of(of, index / pieces);
    const i64 i = index % pieces * 16;
    if (!move.stored) return;
    const auto copy = [&](i64 from, i64 to) {
        const void* const piece = static_cast<const u8*>(rotated) + from * bytes + i;
        *reinterpret_cast<Four*>(static_cast<u8*>(cache) + to * bytes + i) = *static_cast<const Four*>(piece);
    };
    copy(move.from.key, move.to.key);
    copy(move.from.value, move.to.value);
}
