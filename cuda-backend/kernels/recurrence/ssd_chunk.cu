// The recurrence of Mamba-2 (ssd.cu) over chunks of 64 tokens, as products of bf16 on the tensor cores. With S the state
// before a chunk and c(j, i) the sum of Δ A from after token j to token i:
// y(i) = e^c(0, i) S C(i) + Σ (C(i)·B(j)) e^c(j, i) Δ(j) x(j) + D x(i),
// S ← e^c(0, 64) S + Σ e^c(j, 64) Δ(j) x(j) ⊗ B(j).
//
// ssd_chunks_N  heads of 64 × N: one block a head of a sequence, the state in f32 registers from the first token to the
//               last. The plain version is ssd_ref. x and y move once, 384 bytes a token and head with y in bf16; B and
//               C, in bf16, come out of the cache for all heads but the first; 64 (3 N + 64) multiply-adds a token and
//               head, less what causality saves. Memory bound with enough sequences; with few, bound by how long a
//               chunk takes, since a head's chunks follow each other.
#include "device.cuh"
#include "recurrence/chunk.cuh"

constexpr int ROWS = 64;   // P, channels of a head
constexpr int CHUNK = 64;  // tokens of a chunk
constexpr int WARPS = 4;   // of a block

// With c(i) = Σ Δ A log₂ e up to token i of a chunk the decay from j to i is 2^(c(i) − c(j)), whose digits a strong
// decay before j must not take: c is summed in f64 and kept in two parts.
struct Decays {
    float *high, *low;  // c = high + low
    float* step;        // Δ
    float* begin;       // 2^c: what is left of the state before the chunk
    float* weight;      // Δ 2^(c(last) − c): what enters the state after it
};

DEVICE Decays decays_at(float* at) { return {at, at + CHUNK, at + 2 * CHUNK, at + 3 * CHUNK, at + 4 * CHUNK}; }

// dt + bias of a lane's two neighbouring tokens of a chunk of `count`.
struct Raw {
    float at[2];
};

DEVICE Raw read_steps(const float* dt, i64 stride, int lane, int count) {
    Raw raw = {};
#pragma unroll
    for (int e = 0; e < 2; e++)
        if (2 * lane + e < count) raw.at[e] = dt[(2 * lane + e) * stride];
    return raw;
}

// By one warp. Tokens that are not there have Δ = 0: they decay nothing and add nothing.
DEVICE void write_decays(const Decays& to, const Raw& raw, float bias, double rate, int lane, int count) {
    float step[2];
#pragma unroll
    for (int e = 0; e < 2; e++) step[e] = 2 * lane + e < count ? softplus(raw.at[e] + bias) : 0.0f;
    const double one = step[0] * rate, two = one + step[1] * rate;
    double before = two;
#pragma unroll
    for (int distance = 1; distance < WARP; distance *= 2) {
        const double other = shuffle_up(before, distance);
        if (lane >= distance) before += other;
    }
    const double last = shuffle(before, WARP - 1);
    before = shuffle_up(before, 1);
    if (lane == 0) before = 0.0;
#pragma unroll
    for (int e = 0; e < 2; e++) {
        const double c = before + (e == 0 ? one : two);
        const int i = 2 * lane + e;
        to.high[i] = static_cast<float>(c);
        to.low[i] = static_cast<float>(c - to.high[i]);
        to.step[i] = step[e];
        to.begin[i] = exp2_fast(to.high[i]);
        to.weight[i] = step[e] * exp2_fast(static_cast<float>(last - c));
    }
}

// Begins to copy rows of N to shared memory; zeros for those from `count` on.
template <int N>
DEVICE void fetch(u16* to, const u16* from, i64 stride, int count) {
#pragma unroll
    for (int i = 0; i < CHUNK * N / 8 / (WARPS * WARP); i++) {
        const int at = i * WARPS * WARP + static_cast<int>(THREAD), row = at / (N / 8), column = at % (N / 8) * 8;
        copy_async_16(to + row * (N + PAD) + column, from + (row < count ? row : 0) * stride + column, row < count);
    }
}

// Where lane's row of the four 8 × 8 matrices of a 16 × 16 block lies, of a right side held by columns.
DEVICE int right_row(int lane, int pitch) { return (lane % 8 + lane / 16 * 8) * pitch + lane / 8 % 2 * 8; }

// The warp's 16 rows of (C Bᵀ) ∘ decays ∘ Δ, to shared memory; what is above the diagonal blocks is not written.
template <int N>
DEVICE void scores(const u16* c, const u16* b, const Decays& decays, u16* to, int warp, int lane) {
    constexpr int PITCH = N + PAD, TILES = CHUNK / 8;
    float sum[TILES][4] = {};
#pragma unroll
    for (int k = 0; k < N; k += 16) {
        u32 left[4], right[4];
        load_matrices(left, c + warp * 16 * PITCH + k + left_row(lane, PITCH));
#pragma unroll
        for (int i = 0; i < TILES; i += 2) {
            if (i > 2 * warp) continue;  // later tokens than any of the rows
            load_matrices(right, b + i * 8 * PITCH + k + right_row(lane, PITCH));
            multiply_add(sum[i], left, right[0], right[1]);
            multiply_add(sum[i + 1], left, right[2], right[3]);
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = warp * 16 + lane / 4 + half * 8;
        const float high = decays.high[row], low = decays.low[row];
#pragma unroll
        for (int i = 0; i < TILES; i++) {
            if (i > 2 * warp + 1) continue;
            float weighed[2];
#pragma unroll
            for (int e = 0; e < 2; e++) {
                const int column = i * 8 + lane % 4 * 2 + e;
                const float decay = exp2_fast((high - decays.high[column]) + (low - decays.low[column]));
                weighed[e] = column <= row ? sum[i][2 * half + e] * decay * decays.step[column] : 0.0f;
            }
            u16* const at = to + row * (CHUNK + PAD) + i * 8 + lane % 4 * 2;
            *reinterpret_cast<u32*>(at) = bf16_pair(weighed[0], weighed[1]);
        }
    }
}

// Σ over the state before and the chunk's inputs: y [64 tokens, the warp's 16 channels].
template <int N>
DEVICE void outputs(float (&y)[CHUNK / 16][2][4], const State<N>& s, const u16* c, const u16* weighed,
                    const u32 (&x)[CHUNK / 16][4], const Decays& decays, int lane) {
    constexpr int PITCH = N + PAD;
#pragma unroll
    for (int k = 0; k < N / 16; k++) {
        u32 left[4], right[4];
        round_state(right, s, k);
#pragma unroll
        for (int m = 0; m < CHUNK / 16; m++) {
            load_matrices(left, c + m * 16 * PITCH + k * 16 + left_row(lane, PITCH));
            add_state(y[m], left, right);
        }
    }
#pragma unroll
    for (int m = 0; m < CHUNK / 16; m++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            const float begin = decays.begin[m * 16 + lane / 4 + e / 2 * 8];
            y[m][0][e] *= begin;
            y[m][1][e] *= begin;
        }
#pragma unroll
        for (int k = 0; k <= m; k++) {
            u32 left[4];
            load_matrices(left, weighed + (m * 16) * (CHUNK + PAD) + k * 16 + left_row(lane, CHUNK + PAD));
            add_inputs(y[m], left, x[k]);
        }
    }
}

// S ← 2^c(last) S + Σ weight · x ⊗ B. Tokens that are not there have no weight, and no decay.
template <int N>
DEVICE void advance(State<N>& s, const u32 (&x)[CHUNK / 16][4], const u16* b, const Decays& decays, int lane) {
    const float left_over = decays.begin[CHUNK - 1];
#pragma unroll
    for (int i = 0; i < N / 8; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) s.at[i][e] *= left_over;
#pragma unroll
    for (int k = 0; k < CHUNK / 16; k++) {
        u32 left[4];
#pragma unroll
        for (int r = 0; r < 4; r++) {
            const int token = k * 16 + r / 2 * 8 + lane % 4 * 2;
            const u32 pair = x[k][r];
            left[r] = bf16_pair(float_of_bits(pair << 16) * decays.weight[token],
                                float_of_bits(pair & 0xffff0000u) * decays.weight[token + 1]);
        }
        add_outer(s, left, b + k * 16 * (N + PAD), lane);
    }
}

// What ssd_ref takes but for its sizes, and `pairs` [T, 2 groups · N], B and C in bf16. Only sequences of at least
// `least` tokens. Chunks end at positions that are multiples of 64, so that cuts there change nothing.
#define CHUNK_PARAMETERS                                                                                           \
    const float *xbc, const float *dt, i64 dt_stride, const float *dt_bias, const float *a_log, const float *skip, \
        void *y, int y_is_bf16, SEQUENCES, float *state, i64 state_stride, int heads, int groups,                  \
        const u16 *pairs, int least

template <int N>
DEVICE void chunks(CHUNK_PARAMETERS) {
    constexpr int TILE = CHUNK * (N + PAD);
    DYNAMIC_SHARED(u16, tiles);  // two stages of C and B, then the scores, then two stages of decays
    u16* const weighed = tiles + 4 * TILE;
    float* const decays = reinterpret_cast<float*>(weighed + CHUNK * (CHUNK + PAD));
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.y);
    if (of.tokens < least) return;
    const int head = BLOCK.x, lane = THREAD % WARP, warp = THREAD / WARP, group = head / (heads / groups);
    const i64 inner = static_cast<i64>(heads) * ROWS, all = static_cast<i64>(groups) * N, width = inner + 2 * all;
    const i64 channel = static_cast<i64>(head) * ROWS + warp * 16;
    const double rate = -static_cast<double>(expf(a_log[head])) * 1.4426950408889634;
    const float bias = dt_bias[head], d = skip[head];
    const u16* const b_at = pairs + of.row * 2 * all + group * N;
    const float* const x_at = xbc + of.row * width + channel;
    const float* const dt_at = dt + of.row * dt_stride + head;
    float* const own = state + of.slot * state_stride + (channel + lane / 4) * N + lane % 4 * 2;
    const i64 y_at = of.row * inner + channel + lane % 4 * 2;
    const auto c_tile = [&](int stage) { return tiles + stage * 2 * TILE; };
    const auto b_tile = [&](int stage) { return tiles + (stage * 2 + 1) * TILE; };
    const auto fetch_tiles = [&](int token, int count, int stage) {
        fetch<N>(c_tile(stage), b_at + all + token * 2 * all, 2 * all, count);
        fetch<N>(b_tile(stage), b_at + token * 2 * all, 2 * all, count);
        copy_async_commit();
    };
    const auto decays_of = [&](int stage) { return decays_at(decays + stage * 5 * CHUNK); };

    int token = 0, count = min(of.tokens, CHUNK - of.position % CHUNK), stage = 0;
    fetch_tiles(token, count, stage);
    if (warp == 0)
        write_decays(decays_of(stage), read_steps(dt_at, dt_stride, lane, count), bias, rate, lane, count);
    Inputs inputs[CHUNK / 16];
    const auto read_x = [&](int token, int count) {
#pragma unroll
        for (int k = 0; k < CHUNK / 16; k++)
            inputs[k] = read_inputs(x_at + token * width + lane / 4, width, lane, k * 16, 0, count);
    };
    read_x(token, count);
    State<N> s;
    read_state(s, own, N, 1);

    while (true) {
        const int next = token + count, rest = of.tokens - next, next_count = min(rest, CHUNK), other = 1 - stage;
        copy_async_wait<0>();
        barrier();  // this chunk's tiles and decays are there, the other stage and the scores are free
        Raw raw = {};
        if (rest > 0) {
            fetch_tiles(next, next_count, other);
            if (warp == 0) raw = read_steps(dt_at + next * dt_stride, dt_stride, lane, next_count);
        }
        u32 x[CHUNK / 16][4];
#pragma unroll
        for (int k = 0; k < CHUNK / 16; k++) round_inputs(x[k], inputs[k]);
        const Decays now = decays_of(stage);
        scores<N>(c_tile(stage), b_tile(stage), now, weighed, warp, lane);
        // The first warp has the fewest scores.
        if (warp == 0 && rest > 0) write_decays(decays_of(other), raw, bias, rate, lane, next_count);
        barrier();  // the scores are there
        float sum[CHUNK / 16][2][4] = {};
        outputs<N>(sum, s, c_tile(stage), weighed, x, now, lane);
#pragma unroll
        for (int m = 0; m < CHUNK / 16; m++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int row = m * 16 + lane / 4 + half * 8;
                if (row >= count) continue;
#pragma unroll
                for (int tile = 0; tile < 2; tile++) {
                    const float* const from = x_at + (token + row) * width + lane % 4 * 2 + tile * 8;
                    const Two skipped = *reinterpret_cast<const Two*>(from);
                    const float* const of_row = &sum[m][tile][2 * half];
                    Output{y, y_is_bf16}.set_two(y_at + (token + row) * inner + tile * 8,
                                                 of_row[0] + d * skipped.at[0], of_row[1] + d * skipped.at[1]);
                }
            }
        if (rest > 0) read_x(next, next_count);
        advance<N>(s, x, b_tile(stage), now, lane);
        if (rest <= 0) break;
        token = next;
        count = next_count;
        stage = other;
    }
    write_state(s, own, N, 1);
}

#define CHUNK_VALUES                                                                                               \
    xbc, dt, dt_stride, dt_bias, a_log, skip, y, y_is_bf16, starts, slots, positions, state, state_stride, heads, \
        groups, pairs, least

KERNEL(128, 3) ssd_chunks_64(CHUNK_PARAMETERS) { chunks<64>(CHUNK_VALUES); }
KERNEL(128, 2) ssd_chunks_128(CHUNK_PARAMETERS) { chunks<128>(CHUNK_VALUES); }
