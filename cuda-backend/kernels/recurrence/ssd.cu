// The recurrence of Mamba-2, token by token, f32: S ← e^(Δ A) S + Δ x ⊗ B, y = S C + D x, with Δ = softplus(dt + bias)
// and A = −e^A_log. Many tokens at once are ssd_chunk.cu's.
//
// ssd_ref      any sizes: one thread a row of a head's state, which stays in global memory.
// ssd_steps_N  heads of 64 × N: one block a head of a sequence, its state in registers. For one token, as in
//              generation, bound by the memory that the state takes: 64 N · 8 bytes, read and written.
#include "device.cuh"

// xbc [T, heads · head_dim + 2 groups · size] holds x, B and C; dt of row t begins at dt + t · dt_stride; dt_bias,
// a_log and skip (D) are [heads]; y [T, heads · head_dim] is f32 or bf16; a slot's state [heads, head_dim, size] lies
// at state + slot · state_stride.
#define SSD_PARAMETERS                                                                                              \
    const float *xbc, const float *dt, i64 dt_stride, const float *dt_bias, const float *a_log, const float *skip, \
        void *y, int y_is_bf16, SEQUENCES, float *state, i64 state_stride, int heads, int groups

KERNEL(256) ssd_ref(SSD_PARAMETERS, int sequences, int head_dim, int size) {
    const int inner = heads * head_dim;
    const u32 at = BLOCK.x * THREADS + THREAD;
    if (at >= static_cast<u32>(sequences * inner)) return;
    const Sequence of = sequence_of(starts, slots, positions, at / inner);
    const int channel = at % inner, head = channel / head_dim;
    const i64 all = static_cast<i64>(groups) * size, width = inner + 2 * all;
    const i64 b_at = inner + static_cast<i64>(head / (heads / groups)) * size, c_at = b_at + all;
    float* const own = state + of.slot * state_stride + static_cast<i64>(channel) * size;
    const float a = -expf(a_log[head]);
    for (int t = 0; t < of.tokens; t++) {
        const float* const row = xbc + (of.row + t) * width;
        const float step = softplus(dt[(of.row + t) * dt_stride + head] + dt_bias[head]);
        const float decay = expf(step * a), x = row[channel];
        float sum = 0.0f;
        for (int n = 0; n < size; n++) {
            own[n] = decay * own[n] + step * x * row[b_at + n];
            sum += own[n] * row[c_at + n];
        }
        Output{y, y_is_bf16}.set((of.row + t) * inner + channel, sum + skip[head] * x);
    }
}

constexpr int ROWS = 64;  // P, channels of a head

// A lane has four rows of the state, eight lanes share one: lane q of them has columns 4 q, 4 q + 1, … of every 32.
template <int N>
DEVICE void steps(SSD_PARAMETERS, int most) {
    constexpr int SHARE = 8, OWN = 4, FOURS = N / (4 * SHARE);
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.y);
    if (of.tokens > most) return;
    const int head = BLOCK.x, q = THREAD % SHARE, first = THREAD / SHARE;
    const i64 inner = static_cast<i64>(heads) * ROWS, width = inner + 2 * static_cast<i64>(groups) * N;
    const i64 b_at = inner + head / (heads / groups) * N + q * 4, c_at = b_at + static_cast<i64>(groups) * N;
    const auto row = [&](int i) { return static_cast<i64>(head) * ROWS + first + i * (ROWS / OWN); };
    const float a = -expf(a_log[head]), bias = dt_bias[head], d = skip[head];
    float* const own = state + of.slot * state_stride + q * 4;
    Four s[OWN][FOURS];
#pragma unroll
    for (int i = 0; i < OWN; i++)
#pragma unroll
        for (int j = 0; j < FOURS; j++) s[i][j] = load_four(own + row(i) * N + j * 4 * SHARE, 4);
    for (int t = 0; t < of.tokens; t++) {
        const float* const from = xbc + (of.row + t) * width;
        const float step = softplus(dt[(of.row + t) * dt_stride + head] + bias), decay = expf(step * a);
        Four b[FOURS], c[FOURS];
#pragma unroll
        for (int j = 0; j < FOURS; j++) {
            b[j] = load_four(from + b_at + j * 4 * SHARE, 4);
            c[j] = load_four(from + c_at + j * 4 * SHARE, 4);
        }
#pragma unroll
        for (int i = 0; i < OWN; i++) {
            const float x = from[row(i)], input = step * x;
            float sum = 0.0f;
#pragma unroll
            for (int j = 0; j < FOURS; j++)
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    s[i][j].at[e] = decay * s[i][j].at[e] + input * b[j].at[e];
                    sum += s[i][j].at[e] * c[j].at[e];
                }
#pragma unroll
            for (int mask = SHARE / 2; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
            if (q == 0) Output{y, y_is_bf16}.set((of.row + t) * inner + row(i), sum + d * x);
        }
    }
#pragma unroll
    for (int i = 0; i < OWN; i++)
#pragma unroll
        for (int j = 0; j < FOURS; j++) store_four(own + row(i) * N + j * 4 * SHARE, s[i][j], 4);
}

#define SSD_VALUES \
    xbc, dt, dt_stride, dt_bias, a_log, skip, y, y_is_bf16, starts, slots, positions, state, state_stride, heads, \
        groups

// Only sequences of at most `most` tokens.
KERNEL(128) ssd_steps_64(SSD_PARAMETERS, int most) { steps<64>(SSD_VALUES, most); }
KERNEL(128) ssd_steps_128(SSD_PARAMETERS, int most) { steps<128>(SSD_VALUES, most); }
