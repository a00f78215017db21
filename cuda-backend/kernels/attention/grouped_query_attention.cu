// Causal attention of rotated queries to keys and values of the cache, and of the call where they are staged.
//
// grouped_query_attention_ref   one thread a token and head; any size, bf16 or f32
// prefill_D                     many queries, heads of size D: the schedule of FlashAttention-2 (Dao 2023)
//
// Prefill is bound by the tensor cores, 4 D FLOP a query head and key. A block of 128 rows reads a key and value, 4 D
// bytes, once for 512 D FLOP. A warp of 32 rows reads 256 bytes of shared memory for 8,192 FLOP, for which a
// multiprocessor takes 2 clocks of the one and (estimated, with mma.sync) 3 of the other. At D = 256 the sums of 32
// rows do not fit in registers: a warp has 16, so that shared memory is the bound, and only 16 keys at a time, because
// with 32 registers spill on sm_80.
#include "device.cuh"
#include "attention/sequence.cuh"
#include "attention/softmax.cuh"

// out [rows, H, D], f32 or bf16; sums, as many f32, is where it is added up: out itself where that is f32.
KERNEL(128)
grouped_query_attention_ref(float* sums, void* out, int out_is_bf16, int rows, CALL_PARAMETERS) {
    const Call of = CALL;
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (index >= static_cast<i64>(rows) * heads) return;
    const int row = index / heads, head = index % heads;
    const Sequence in = sequence_of_row(of, row);
    const Range keys = seen(of, in, row - in.row);
    const i64 query = row * qkv_width(of) + static_cast<i64>(head) * head_dim;
    const i64 offset = static_cast<i64>(head / (heads / kv_heads)) * head_dim;
    const auto score = [&](const Line& line) {
        float sum = 0.0f;
        for (int i = 0; i < head_dim; i++)
            sum += element(of, rotated, query + i) * element(of, line.base, line.key + offset + i);
        return sum;
    };
    float largest = minus_infinity(), total = 0.0f;
    for (int key = keys.first; key < keys.end; key++) largest = fmaxf(largest, score(line(of, in, key)));
    sums += index * head_dim;
    for (int i = 0; i < head_dim; i++) sums[i] = 0.0f;
    for (int key = keys.first; key < keys.end; key++) {
        const Line at = line(of, in, key);
        const float weight = exp2f(score(at) - largest);
        total += weight;
        for (int i = 0; i < head_dim; i++) sums[i] += weight * element(of, at.base, at.value + offset + i);
    }
    for (int i = 0; i < head_dim; i++) Output{out, out_is_bf16}.set(index * head_dim + i, sums[i] / total);
}

// Block (tile of rows, key-value head, sequence) of WARPS warps, each with TILES tiles of 16 rows. KEYS keys and values
// at a time are copied while those before are used. Queries stay in shared memory, or in registers where there is room
// for them; then they arrive where keys will be.
// The grid of keys is that of positions, so a row's result depends neither on its neighbours nor on where calls begin.
template <int D, int WARPS, int TILES, int KEYS, bool HELD>
DEVICE void prefill(const Output& out, const Call& of) {
    constexpr int WIDTH = WARPS * WARP, ROWS = WARPS * TILES * 16, STAGE = KEYS * LINE<D>;
    DYNAMIC_SHARED(u16, stages);  // [2][keys, values][KEYS, LINE<D>], and [ROWS, LINE<D>] unless HELD
    SHARED(Range, ranges, ROWS);
    const Sequence in = sequence(of, BLOCK.z);
    const Queries all = queries(of, in, BLOCK.y);
    const int blocks = (all.rows + ROWS - 1) / ROWS, block = blocks - 1 - static_cast<int>(BLOCK.x);
    if (is_few(of, in) || block < 0) return;
    const int first_row = block * ROWS;  // Those that see most begin first.
    const int lane = THREAD % WARP, within = THREAD / WARP * TILES * 16, own = first_row + within;

    u16* const query_lines = HELD ? stages : stages + 4 * STAGE;
    copy_queries<D, ROWS, WIDTH>(query_lines, of, in, all, first_row);
    copy_async_commit();
    for (int row = THREAD; row < ROWS; row += WIDTH)
        ranges[row] = seen(of, in, min(first_row + row, all.rows - 1) / all.group);
    u32 held[HELD ? TILES : 1][HELD ? D / 16 : 1][4];
    if constexpr (HELD) {
        copy_async_wait<0>();
        barrier();
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
            for (int k = 0; k < D / 16; k++) load_query<D>(held[tile][k], query_lines, within + tile * 16, k);
        barrier();
    }
    const auto columns_of = [&](u32(&q)[4], int tile, int k) {
        if constexpr (HELD) {
#pragma unroll
            for (int j = 0; j < 4; j++) q[j] = held[tile][k][j];
        } else {
            load_query<D>(q, query_lines, within + tile * 16, k);
        }
    };

    const Lines from = lines(of, in, all.kv_head);
    const Range present = seen_by_any(of, in, all, first_row, first_row + ROWS);
    const auto copy = [&](int first) {
        u16* const to = stages + first / KEYS % 2 * 2 * STAGE;
        copy_lines<D, KEYS, WIDTH>(to, of, from, false, first, present, THREAD);
        copy_lines<D, KEYS, WIDTH>(to + STAGE, of, from, true, first, present, THREAD);
    };
    const auto range_of = [&](int tile, int half) { return ranges[within + tile * 16 + half * 8 + lane / 4]; };
    Softmax<D, TILES> state;
    begin(state);
    const int first_keys = present.first / KEYS * KEYS;
    copy(first_keys);
    copy_async_commit();
    for (int first = first_keys; first < present.end; first += KEYS) {
        copy_async_wait<0>();
        barrier();  // These have arrived for all, and nobody reads those before any more.
        if (first + KEYS < present.end) copy(first + KEYS);
        copy_async_commit();
        const Range oldest = ranges[within], newest = ranges[within + TILES * 16 - 1];
        if (first >= newest.end || first + KEYS <= oldest.first) continue;
        const u16* const keys = stages + first / KEYS % 2 * 2 * STAGE;
        float scores[TILES][KEYS / 8][4];
        score<D, TILES, KEYS>(scores, keys, columns_of);
        if (first < newest.first || first + KEYS > oldest.end)
            mask<TILES, KEYS>(scores, first, range_of);
        weigh<D, TILES, KEYS>(state, scores);
        add_values<D, TILES, KEYS>(state, scores, keys + STAGE);
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int row = own + tile * 16 + half * 8 + lane / 4;
            const float factor = 1.0f / whole_total(state.total[tile][half]);
            if (row >= all.rows) continue;
            const i64 to = out_of_row(of, in, all, row) + lane % 4 * 2;
#pragma unroll
            for (int i = 0; i < D / 8; i++) {
                const float(&sum)[4] = state.sum[tile][i];
                out.set_two(to + i * 8, sum[2 * half] * factor, sum[2 * half + 1] * factor);
            }
        }
}

#define PREFILL(D, WARPS, TILES, KEYS, HELD)                                      \
    KERNEL(32 * WARPS) prefill_##D(void* out, int out_is_bf16, CALL_PARAMETERS) { \
        prefill<D, WARPS, TILES, KEYS, HELD>(Output{out, out_is_bf16}, CALL);     \
    }
PREFILL(16, 4, 2, 64, true)
PREFILL(32, 4, 2, 64, true)
PREFILL(64, 4, 2, 32, true)
PREFILL(80, 4, 2, 32, true)
PREFILL(96, 4, 2, 32, false)
PREFILL(128, 4, 2, 32, false)
PREFILL(256, 8, 1, 16, true)
