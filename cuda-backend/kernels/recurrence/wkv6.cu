// The recurrence of RWKV-6, f32, token by token. Many tokens at once are wkv6_chunk.cu's, unless all is to be f32. Bound by
// f32 arithmetic: three multiply-adds an element of the state and token; r, k, v, d and o move once, 20 bytes for 3 · 64 of
// them a channel.
//
// wkv6:
//   _ref  one thread a value channel of a head of a sequence, its column of the state in global memory;
//   fast  heads of 64: one block half the value channels of a head of a sequence, each thread a 4 × 4 tile of the state
//         in registers, so that 64 bytes of shared memory are read for 48 multiply-adds; 16 tokens are loaded while the
//         16 before are worked on. Columns of the state do not need each other: two blocks a head fill a GPU sooner.
#include "device.cuh"

// r, k, v, d: row t begins at each + t · its stride; bonus [heads, size], out [T, heads, size]; the state
// [heads, size (key), size (value)] of a slot lies at state + slot · state_stride.
#define WKV6_PARAMETERS                                                                                              \
    const float *receptance, i64 r_stride, const float *key, i64 k_stride, const float *value, i64 v_stride,         \
        const float *decay, i64 d_stride, const float *bonus, float *out, SEQUENCES, float *state, i64 state_stride, \
        int heads

DEVICE float decay_of(float d) { return expf(-expf(d)); }

KERNEL(256) wkv6_ref(WKV6_PARAMETERS, int sequences, int size) {
    const int width = heads * size;
    const u32 at = BLOCK.x * THREADS + THREAD;
    if (at >= static_cast<u32>(sequences * width)) return;
    const Sequence of = sequence_of(starts, slots, positions, at / width);
    const int channel = at % width, head = channel / size, first = head * size;
    float* const own = state + of.slot * state_stride + static_cast<i64>(first) * size + channel % size;
    for (int t = 0; t < of.tokens; t++) {
        const i64 row = of.row + t;
        const float v = value[row * v_stride + channel];
        float sum = 0.0f;
        for (int i = 0; i < size; i++) {
            float& s = own[static_cast<i64>(i) * size];
            const float kv = key[row * k_stride + first + i] * v;
            sum += receptance[row * r_stride + first + i] * (s + bonus[first + i] * kv);
            s = decay_of(decay[row * d_stride + first + i]) * s + kv;
        }
        out[row * width + channel] = sum;
    }
}

constexpr int SIZE = 64;              // key and value channels of a head
constexpr int COLUMNS = 32;           // value channels of a block
constexpr int KEYS = SIZE / 4;        // threads with the same value channels
constexpr int TOKENS = 16;            // loaded together
constexpr int ALL = KEYS * COLUMNS / 4;  // threads of a block

// Some tokens on their way from global to shared memory, r, k and d in two parts of 16 bytes a thread, v in one.
struct Tokens {
    Four r[2], k[2], w[2], v;
};

// What is in shared memory of some tokens.
struct Shared {
    float *r, *k, *w;  // [TOKENS, SIZE]
    float* v;          // [TOKENS, COLUMNS]
};

DEVICE Four of_row(const float* from, i64 stride, int row, int column, int rows) {
    return row < rows ? load_four(from + row * stride + column, 4) : Four{};
}

DEVICE void put(const Tokens& tokens, const Shared& to) {
#pragma unroll
    for (int part = 0; part < 2; part++) {
        const int at = (part * ALL + static_cast<int>(THREAD)) * 4;
        Four w;
#pragma unroll
        for (int c = 0; c < 4; c++) w.at[c] = decay_of(tokens.w[part].at[c]);
        four_at(to.r + at) = tokens.r[part];
        four_at(to.k + at) = tokens.k[part];
        four_at(to.w + at) = w;
    }
    four_at(to.v + THREAD * 4) = tokens.v;
}

// The sum of each of four values over the 16 threads of a row of keys; thread `own` of them gets one, that of column
// 2 (own mod 2) + own / 2 mod 2.
DEVICE float sum_over_keys(const float (&o)[4], int own) {
    const bool odd = own & 1;
    float a = (odd ? o[2] : o[0]) + shuffle_xor(odd ? o[0] : o[2], 1);
    float b = (odd ? o[3] : o[1]) + shuffle_xor(odd ? o[1] : o[3], 1);
    const bool upper = own & 2;
    a = (upper ? b : a) + shuffle_xor(upper ? a : b, 2);
    a += shuffle_xor(a, 4);
    return a + shuffle_xor(a, 8);
}

// Only sequences of at most `most` tokens.
KERNEL(128) wkv6(WKV6_PARAMETERS, int most) {
    constexpr int STAGE = TOKENS * (3 * SIZE + COLUMNS);
    SHARED(float, stages, 2 * STAGE);
    const int own = THREAD % KEYS, column = THREAD / KEYS * 4;
    const int head = static_cast<int>(BLOCK.x) / 2, first = static_cast<int>(BLOCK.x) % 2 * COLUMNS;
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.y);
    if (of.tokens > most) return;
    const i64 channel = static_cast<i64>(head) * SIZE;
    receptance += of.row * r_stride + channel;
    key += of.row * k_stride + channel;
    decay += of.row * d_stride + channel;
    value += of.row * v_stride + channel + first;
    out += of.row * heads * SIZE + channel + first + column;
    state += of.slot * state_stride + channel * SIZE + first + column;
    const auto stage = [&](int number) {
        float* const at = stages + number % 2 * STAGE;
        return Shared{at, at + TOKENS * SIZE, at + 2 * TOKENS * SIZE, at + 3 * TOKENS * SIZE};
    };
    const auto load = [&](int token) {
        Tokens tokens;
#pragma unroll
        for (int part = 0; part < 2; part++) {
            const int at = part * ALL + static_cast<int>(THREAD), row = token + at / KEYS, from = at % KEYS * 4;
            tokens.r[part] = of_row(receptance, r_stride, row, from, of.tokens);
            tokens.k[part] = of_row(key, k_stride, row, from, of.tokens);
            tokens.w[part] = of_row(decay, d_stride, row, from, of.tokens);
        }
        const int row = token + static_cast<int>(THREAD) / (COLUMNS / 4);
        tokens.v = of_row(value, v_stride, row, THREAD % (COLUMNS / 4) * 4, of.tokens);
        return tokens;
    };
    Four s[4];  // key channels 4 own + i, value channels `column` + j
#pragma unroll
    for (int i = 0; i < 4; i++) s[i] = load_four(state + (own * 4 + i) * SIZE, 4);
    const Four u = load_four(bonus + channel + own * 4, 4);
    put(load(0), stage(0));
    barrier();
    for (int token = 0, number = 0; token < of.tokens; token += TOKENS, number++) {
        const Tokens next = load(token + TOKENS);
        const Shared now = stage(number);
        const int tokens = min(TOKENS, of.tokens - token);
        for (int t = 0; t < tokens; t++) {
            const int at = t * SIZE + own * 4;
            const Four r = four_at(now.r + at), k = four_at(now.k + at), w = four_at(now.w + at);
            const Four v = four_at(now.v + t * COLUMNS + column);
            float o[4] = {}, present = 0.0f;  // Σ r u k: what v adds to o at once
#pragma unroll
            for (int i = 0; i < 4; i++) {
                present += r.at[i] * u.at[i] * k.at[i];
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    o[j] += r.at[i] * s[i].at[j];
                    s[i].at[j] = w.at[i] * s[i].at[j] + k.at[i] * v.at[j];
                }
            }
#pragma unroll
            for (int j = 0; j < 4; j++) o[j] += present * v.at[j];
            const float sum = sum_over_keys(o, own);
            if (own < 4) out[static_cast<i64>(token + t) * heads * SIZE + own % 2 * 2 + own / 2] = sum;
        }
        put(next, stage(number + 1));
        barrier();
    }
#pragma unroll
    for (int i = 0; i < 4; i++) store_four(state + (own * 4 + i) * SIZE, s[i], 4);
}
