// Attention of some rows of queries to some keys in shared memory, by one warp on the tensor cores, with online softmax
// (Milakov and Gimelshein 2018; Dao 2023): factors bf16, sums and statistics f32. Included after sequence.cuh.
#pragma once

DEVICE float minus_infinity() { return float_of_bits(0xff800000u); }

// Lines of D elements in shared memory. Eight lines that are read together are to lie in different banks: where a line
// is a multiple of all banks its 16-byte chunks are permuted, elsewhere there is a chunk between lines.
template <int D>
constexpr int LINE = D % 64 == 0 ? D : D + 8;
template <int D>
DEVICE int place(int line, int chunk) {
    if (D % 64 != 0) return line * LINE<D> + chunk * 8;
    return line * LINE<D> + (chunk & ~7) * 8 + ((chunk & 7) ^ (line & 7)) * 8;
}

// Copies the keys or values of KEYS positions from `first` on, by WIDTH threads, of which this is `thread`; zeros where
// they are not among `present`.
template <int D, int KEYS, int WIDTH>
DEVICE void copy_lines(u16* to, const Call& of, const Lines& from, bool value, int first, const Range& present,
                       int thread) {
    constexpr int PIECES = KEYS * D / 8;
#pragma unroll
    for (int i = 0; i < (PIECES + WIDTH - 1) / WIDTH; i++) {
        const int piece = i * WIDTH + thread, key = piece / (D / 8), chunk = piece % (D / 8);
        if (PIECES % WIDTH != 0 && piece >= PIECES) continue;
        const bool valid = first + key >= present.first && first + key < present.end;
        const u16* const line = valid ? line_at(of, from, first + key, value) + chunk * 8 : from.cached;
        copy_async_16(to + place<D>(key, chunk), line, valid);
    }
}

// Copies ROWS queries from `first` on, by WIDTH threads, zeros where there are none.
template <int D, int ROWS, int WIDTH>
DEVICE void copy_queries(u16* to, const Call& of, const Sequence& in, const Queries& all, int first) {
    const u16* const from = static_cast<const u16*>(of.rotated);
#pragma unroll
    for (int i = 0; i < ROWS * D / 8 / WIDTH; i++) {
        const int piece = i * WIDTH + THREAD, row = first + piece / (D / 8), chunk = piece % (D / 8);
        const bool valid = row < all.rows;
        const i64 at = query_of_row(of, in, all, valid ? row : 0);
        copy_async_16(to + place<D>(row - first, chunk), from + at + chunk * 8, valid);
    }
}

// TILES tiles of 16 rows, as the warp holds them: lane l has rows l / 4 and l / 4 + 8 of each, of every eight columns
// 2 (l mod 4) and the next. `total` is what the lane's own columns contribute.
template <int D, int TILES>
struct Softmax {
    float sum[TILES][D / 8][4], largest[TILES][2], total[TILES][2];
};

template <int D, int TILES>
DEVICE void begin(Softmax<D, TILES>& state) {
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            state.largest[tile][half] = minus_infinity();
            state.total[tile][half] = 0.0f;
        }
#pragma unroll
        for (int i = 0; i < D / 8; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) state.sum[tile][i][j] = 0.0f;
    }
}

// What scores are reckoned from: where nothing has been seen all weights are 2^−∞ = 0.
DEVICE float origin(float largest) { return largest == minus_infinity() ? 0.0f : largest; }

// Sixteen columns of queries in shared memory, from chunk 2 k on, as lanes hold them: of 16 rows from `row` on.
template <int D>
DEVICE void load_query(u32 (&q)[4], const u16* queries, int row, int k) {
    const int lane = THREAD % WARP;
    load_matrices(q, queries + place<D>(row + lane % 16, k * 2 + lane / 16));
}

// scores = q kᵀ, of KEYS keys; columns_of(k, tile) are the queries' columns from 16 k on.
template <int D, int TILES, int KEYS, class F>
DEVICE void score(float (&scores)[TILES][KEYS / 8][4], const u16* keys, F columns_of) {
    const int lane = THREAD % WARP, key = lane % 8 + lane / 16 * 8, chunk = lane / 8 % 2;
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < KEYS / 8; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) scores[tile][i][j] = 0.0f;
#pragma unroll
    for (int k = 0; k < D / 16; k++) {
        u32 q[TILES][4];
#pragma unroll
        for (int tile = 0; tile < TILES; tile++) columns_of(q[tile], tile, k);
#pragma unroll
        for (int i = 0; i < KEYS / 8; i += 2) {
            u32 of[4];
            load_matrices(of, keys + place<D>(i * 8 + key, k * 2 + chunk));
#pragma unroll
            for (int tile = 0; tile < TILES; tile++) {
                multiply_add(scores[tile][i], q[tile], of[0], of[1]);
                multiply_add(scores[tile][i + 1], q[tile], of[2], of[3]);
            }
        }
    }
}

// Scores of keys from `first` on become −∞ where they are not in range_of(tile, half of the tile) of the lane's rows.
template <int TILES, int KEYS, class F>
DEVICE void mask(float (&scores)[TILES][KEYS / 8][4], int first, F range_of) {
    first += THREAD % WARP % 4 * 2;
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const Range range = range_of(tile, half);
#pragma unroll
            for (int i = 0; i < KEYS / 8; i++)
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    const int key = first + i * 8 + j;
                    if (key < range.first || key >= range.end) scores[tile][i][2 * half + j] = minus_infinity();
                }
        }
}

// Turns scores into weights relative to the largest so far; those of keys that a row does not see are −∞.
template <int D, int TILES, int KEYS>
DEVICE void weigh(Softmax<D, TILES>& state, float (&scores)[TILES][KEYS / 8][4]) {
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float largest = state.largest[tile][half];
#pragma unroll
            for (int i = 0; i < KEYS / 8; i++)
                largest = fmaxf(largest, fmaxf(scores[tile][i][2 * half], scores[tile][i][2 * half + 1]));
            largest = fmaxf(largest, shuffle_xor(largest, 1));
            largest = fmaxf(largest, shuffle_xor(largest, 2));
            const float from = origin(largest), factor = exp2_fast(state.largest[tile][half] - from);
            float total = state.total[tile][half] * factor;
#pragma unroll
            for (int i = 0; i < KEYS / 8; i++)
#pragma unroll
                for (int j = 2 * half; j < 2 * half + 2; j++) {
                    scores[tile][i][j] = exp2_fast(scores[tile][i][j] - from);
                    total += scores[tile][i][j];
                }
            state.largest[tile][half] = largest;
            state.total[tile][half] = total;
#pragma unroll
            for (int i = 0; i < D / 8; i++) {
                state.sum[tile][i][2 * half] *= factor;
                state.sum[tile][i][2 * half + 1] *= factor;
            }
        }
}

// sum += weights · v. The weights lie in the lanes as a left factor's elements do.
template <int D, int TILES, int KEYS>
DEVICE void add_values(Softmax<D, TILES>& state, const float (&weights)[TILES][KEYS / 8][4], const u16* values) {
    const int lane = THREAD % WARP, key = lane % 16, chunk = lane / 16;
#pragma unroll
    for (int k = 0; k < KEYS / 16; k++) {
        u32 left[TILES][4];
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const float(&pair)[4] = weights[tile][2 * k + j / 2];
                left[tile][j] = bf16_pair(pair[j % 2 * 2], pair[j % 2 * 2 + 1]);
            }
#pragma unroll
        for (int i = 0; i < D / 8; i += 2) {
            u32 of[4];
            load_matrices_transposed(of, values + place<D>(k * 16 + key, i + chunk));
#pragma unroll
            for (int tile = 0; tile < TILES; tile++) {
                multiply_add(state.sum[tile][i], left[tile], of[0], of[1]);
                multiply_add(state.sum[tile][i + 1], left[tile], of[2], of[3]);
            }
        }
    }
}

// The total of all columns of a row.
DEVICE float whole_total(float own) {
    own += shuffle_xor(own, 1);
    return own + shuffle_xor(own, 2);
}
