// Attention of few queries to many keys: split-K (Flash-Decoding).
//
// decode_D        one block a part of 256 keys, for 16 rows of a key-value head's queries
// decode_combine  the parts of a row together
// Their plain version is grouped_query_attention_ref.
//
// Memory bound: a key and value, 4 D bytes, are read once for all heads of a group; a block of D = 64 or more has up to
// 24 KB to 48 KB on its way. Parts lie at multiples of 256 positions, so a row's result does not depend on what else is
// in the batch.
#include "device.cuh"
#include "attention/sequence.cuh"
#include "attention/softmax.cuh"

constexpr int PART = 256, WARPS = 4, KEYS = 16, ROWS = 16;

// The left factor: queries of 16 rows from `first` on as lanes hold them, zeros where there are none.
template <int D>
DEVICE void load_queries(u32 (&q)[D / 16][4], const Call& of, const Sequence& in, const Queries& all, int first) {
    const int lane = THREAD % WARP;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = first + half * 8 + lane / 4;
        const i64 at = query_of_row(of, in, all, min(row, all.rows - 1)) + lane % 4 * 2;
        const u32* const from = reinterpret_cast<const u32*>(static_cast<const u16*>(of.rotated) + at);
#pragma unroll
        for (int k = 0; k < D / 16; k++) {
            q[k][half] = row < all.rows ? from[k * 8] : 0;
            q[k][half + 2] = row < all.rows ? from[k * 8 + 4] : 0;
        }
    }
}

// Of each row, the largest score and the total of its weights relative to that.
struct alignas(8) Statistics {
    float largest, total;
};

// Where the parts of a row lie among [sequences, Hkv, most_rows, parts].
DEVICE i64 parts_of_row(const Call& of, int sequence, int kv_head, int row, int most_rows, int parts) {
    return ((static_cast<i64>(sequence) * of.kv_heads + kv_head) * most_rows + row) * parts;
}

// The sums of all warps, in their order, relative to the largest score of any.
template <int D>
DEVICE void combine_warps(float* sums, Statistics* statistics, i64 parts, u16* shared, const Softmax<D, 1>& state,
                          int rows) {
    constexpr int PITCH = D + 8;  // rows of sums that are written together lie in different banks
    float* const all = reinterpret_cast<float*>(shared);  // [WARPS, ROWS, PITCH]
    SHARED(float, largest, WARPS * ROWS);
    SHARED(float, total, WARPS * ROWS);
    const int lane = THREAD % WARP, warp = THREAD / WARP;
    barrier();  // What was shared is no longer read.
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = half * 8 + lane / 4;
        const float whole = whole_total(state.total[0][half]);
        if (lane % 4 == 0) {
            largest[warp * ROWS + row] = state.largest[0][half];
            total[warp * ROWS + row] = whole;
        }
        if (row >= rows) continue;
#pragma unroll
        for (int i = 0; i < D / 8; i++)
#pragma unroll
            for (int j = 0; j < 2; j++)
                all[(warp * ROWS + row) * PITCH + i * 8 + lane % 4 * 2 + j] = state.sum[0][i][2 * half + j];
    }
    barrier();
    for (int item = THREAD; item < rows * D; item += WARPS * WARP) {
        const int row = item / D, i = item % D;
        float most = minus_infinity();
        for (int w = 0; w < WARPS; w++) most = fmaxf(most, largest[w * ROWS + row]);
        float sum = 0.0f, whole = 0.0f;
        for (int w = 0; w < WARPS; w++) {
            const float factor = exp2_fast(largest[w * ROWS + row] - origin(most));
            sum += factor * all[(w * ROWS + row) * PITCH + i];
            whole += factor * total[w * ROWS + row];
        }
        const i64 to = parts + row * static_cast<i64>(BLOCKS.x);
        sums[to * D + i] = sum;
        if (i == 0) statistics[to] = {most, whole};
    }
}

// Block (part, key-value head and tile of rows, sequence). Every warp has 16 of each 64 keys and a ring of BUFFERS
// places of its own, for keys, values, the next keys and so on: it waits for nobody until the end. Queries are in
// registers, or in shared memory where those are few.
template <int D, int BUFFERS, bool HELD>
DEVICE void decode(float* sums, Statistics* statistics, int most_rows, const Call& of) {
    constexpr int BUFFER = KEYS * LINE<D>;
    DYNAMIC_SHARED(u16, shared);  // [WARPS, BUFFERS, KEYS, LINE<D>], and [ROWS, LINE<D>] unless HELD
    SHARED(Range, ranges, ROWS);
    const int lane = THREAD % WARP, warp = THREAD / WARP, kv_head = BLOCK.y % of.kv_heads;
    const Sequence in = sequence(of, BLOCK.z);
    const Queries all = queries(of, in, kv_head);
    const int first_row = BLOCK.y / of.kv_heads * ROWS;
    if (!is_few(of, in) || first_row >= all.rows) return;
    const Range present = seen_by_any(of, in, all, first_row, first_row + ROWS);
    const int part = (present.first / PART + static_cast<int>(BLOCK.x)) * PART;
    if (part >= present.end) return;
    for (int row = THREAD; row < ROWS; row += WARPS * WARP)
        ranges[row] = seen(of, in, min(first_row + row, all.rows - 1) / all.group);
    u16* const query_lines = shared + WARPS * BUFFERS * BUFFER;
    u32 q[HELD ? D / 16 : 1][4];
    if constexpr (HELD) {
        load_queries<D>(q, of, in, all, first_row);
    } else {
        copy_queries<D, ROWS, WARPS * WARP>(query_lines, of, in, all, first_row);
        copy_async_commit();
        copy_async_wait<0>();
    }
    barrier();

    // This warp's keys: KEYS from base + i · STRIDE on, for the i of `own`.
    constexpr int STRIDE = WARPS * KEYS;
    const int base = part + warp * KEYS;
    const Range own = {max(0, present.first - base + STRIDE - KEYS) / STRIDE,
                       min(PART, max(0, present.end - base) + STRIDE - 1) / STRIDE};
    const int copies = max(0, own.end - own.first) * 2;
    u16* const ring = shared + warp * BUFFERS * BUFFER;
    const auto buffer = [&](int copy) { return ring + copy % BUFFERS * BUFFER; };
    const Lines from = lines(of, in, kv_head);
    const auto begin_copy = [&](int copy) {
        const int first = base + (own.first + copy / 2) * STRIDE;
        if (copy < copies) copy_lines<D, KEYS, WARP>(buffer(copy), of, from, copy % 2 != 0, first, present, lane);
        copy_async_commit();
    };
    for (int copy = 0; copy < BUFFERS - 1; copy++) begin_copy(copy);
    const auto range_of = [&](int, int half) { return ranges[half * 8 + lane / 4]; };
    const auto columns_of = [&](u32(&to)[4], int, int k) {
        if constexpr (HELD) {
#pragma unroll
            for (int j = 0; j < 4; j++) to[j] = q[k][j];
        } else {
            load_query<D>(to, query_lines, 0, k);
        }
    };
    Softmax<D, 1> state;
    begin(state);
    for (int copy = 0; copy < copies; copy += 2) {
        copy_async_wait<BUFFERS - 2>();
        warp_barrier();  // The keys are here, and the values before them have been read.
        begin_copy(copy + BUFFERS - 1);
        float scores[1][KEYS / 8][4];
        score<D, 1, KEYS>(scores, buffer(copy), columns_of);
        const int first = base + (own.first + copy / 2) * STRIDE;
        mask<1, KEYS>(scores, first, range_of);
        weigh<D, 1, KEYS>(state, scores);
        copy_async_wait<BUFFERS - 2>();
        warp_barrier();
        begin_copy(copy + BUFFERS);
        add_values<D, 1, KEYS>(state, scores, buffer(copy + 1));
    }
    const i64 parts = parts_of_row(of, BLOCK.z, kv_head, first_row, most_rows, BLOCKS.x) + BLOCK.x;
    combine_warps<D>(sums, statistics, parts, shared, state, min(ROWS, all.rows - first_row));
}

// At least RESIDENT blocks of a multiprocessor, so that enough keys are on their way.
#define DECODE(D, BUFFERS, HELD, RESIDENT)                                                                    \
    KERNEL(32 * WARPS, RESIDENT) decode_##D(float* sums, float* statistics, int most_rows, CALL_PARAMETERS) { \
        decode<D, BUFFERS, HELD>(sums, reinterpret_cast<Statistics*>(statistics), most_rows, CALL);           \
    }
DECODE(16, 4, true, 4)
DECODE(32, 4, true, 4)
DECODE(64, 4, true, 4)
DECODE(80, 4, true, 3)
DECODE(96, 4, true, 3)
DECODE(128, 4, true, 3)
DECODE(256, 2, false, 2)

// Block (row of a key-value head's queries, key-value head, sequence): a thread has four channels.
KERNEL(128)
decode_combine(void* out, int out_is_bf16, const float* sums, const float* statistics, int parts, int most_rows,
               CALL_PARAMETERS) {
    const Call of = CALL;
    const Sequence in = sequence(of, BLOCK.z);
    const Queries all = queries(of, in, BLOCK.y);
    const int row = BLOCK.x;
    if (!is_few(of, in) || row >= all.rows) return;
    const int first_row = row / ROWS * ROWS;
    const Range present = seen_by_any(of, in, all, first_row, first_row + ROWS);
    const int count = (present.end - 1) / PART - present.first / PART + 1;
    const i64 first = parts_of_row(of, BLOCK.z, all.kv_head, row, most_rows, parts);
    const Statistics* const own = reinterpret_cast<const Statistics*>(statistics) + first;
    float largest = minus_infinity();
    for (int part = 0; part < count; part++) largest = fmaxf(largest, own[part].largest);
    for (int i = THREAD * 4; i < head_dim; i += THREADS * 4) {
        Four sum = {};
        float total = 0.0f;
        for (int part = 0; part < count; part++) {
            const float factor = exp2_fast(own[part].largest - origin(largest));
            const Four of_part = load_four(sums + (first + part) * head_dim + i, head_dim - i);
            total += factor * own[part].total;
#pragma unroll
            for (int j = 0; j < 4; j++) sum.at[j] += factor * of_part.at[j];
        }
#pragma unroll
        for (int j = 0; j < 4; j++) sum.at[j] /= total;
        Output{out, out_is_bf16}.set_four(out_of_row(of, in, all, row) + i, sum, head_dim - i);
    }
}
