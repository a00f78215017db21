// The real-gated linear recurrent unit of Griffin after the products of its gates, f32. Memory bound: v and both gates
// are read once, h is written once. A sequence gives few threads (2560 channels in RecurrentGemma-2B), so the fast
// version cuts it along time as well.
//
// rg_lru:
//   _ref  one thread a channel of a sequence, token by token;
//   fast  one block 32 channels of a sequence, 128 tokens at a time: each of eight warps scans 16 of them from 0, and
//         what they make of the state before is put together from (∏ a, h) of one warp after the other. The tokens of
//         a warp are counted from the sequence's beginning, so that cuts at multiples of 16 change nothing.
#include "device.cuh"

// In place, v [T, channels] becomes h: gates [T, 2, channels] are v Wᵢ and v Wᵣ; biases, Λ and state [channels].
#define RG_LRU_PARAMETERS                                                                                    \
    float *v, const float *gates, const float *input_bias, const float *recurrent_bias, const float *lambda, \
        SEQUENCES, float *state, i64 state_stride, int sequences, int channels

// h = decay · h + input.
struct Step {
    float decay, input;
};

// `rate` is −8 softplus(Λ). 1 − a² is −expm1(2 log a): for decays near 1 the plain form has no digits left.
DEVICE Step step_of(float v, float i, float r, float rate, bool first) {
    const float log_a = sigmoid(r) * rate, input = sigmoid(i) * v;
    if (first) return {0.0f, input};
    return {expf(log_a), sqrtf(-expm1f(log_a + log_a)) * input};
}

KERNEL(256) rg_lru_ref(RG_LRU_PARAMETERS) {
    const u32 at = BLOCK.x * THREADS + THREAD;
    if (at >= static_cast<u32>(sequences * channels)) return;
    const int channel = at % channels;
    const Sequence of = sequence_of(starts, slots, positions, at / channels);
    float* const own = state + of.slot * state_stride + channel;
    const float rate = -8.0f * softplus(lambda[channel]);
    // What was before the beginning is dropped, whatever it is.
    float h = of.position == 0 ? 0.0f : *own;
    for (int t = 0; t < of.tokens; t++) {
        const i64 row = of.row + t;
        const float i = gates[row * 2 * channels + channel] + input_bias[channel];
        const float r = gates[(row * 2 + 1) * channels + channel] + recurrent_bias[channel];
        const Step step = step_of(v[row * channels + channel], i, r, rate, of.position + t == 0);
        h = step.decay * h + step.input;
        v[row * channels + channel] = h;
    }
    *own = h;
}

constexpr int SEGMENT = 16;               // tokens of a warp
constexpr int SEGMENTS = 8;               // warps of a block
constexpr int TILE = SEGMENT * SEGMENTS;  // tokens of a block at a time

KERNEL(256) rg_lru(RG_LRU_PARAMETERS) {
    SHARED(float, decays, SEGMENTS * WARP);
    SHARED(float, inputs, SEGMENTS * WARP);
    const int lane = THREAD % WARP, warp = THREAD / WARP;
    const int channel = static_cast<int>(BLOCK.x) * WARP + lane;
    const bool there = channel < channels;
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.y);
    const int at = there ? channel : 0;
    const float rate = -8.0f * softplus(lambda[at]), bi = input_bias[at], br = recurrent_bias[at];
    float* const own = state + of.slot * state_stride + at;
    float h = of.position == 0 ? 0.0f : *own;
    v += of.row * channels + at;
    gates += of.row * 2 * channels + at;
    for (int tile = -(of.position % TILE); tile < of.tokens; tile += TILE) {
        const int begin = tile + warp * SEGMENT;
        const auto valid = [&](int j) { return there && begin + j >= 0 && begin + j < of.tokens; };
        float x[SEGMENT], i[SEGMENT], r[SEGMENT];
#pragma unroll
        for (int j = 0; j < SEGMENT; j++) {
            if (!valid(j)) continue;
            const i64 row = begin + j;
            x[j] = v[row * channels];
            i[j] = gates[row * 2 * channels];
            r[j] = gates[(row * 2 + 1) * channels];
        }
        // From here on r holds ∏ a and x the scan from 0, up to each token; those that are not there change nothing.
        Step all = {1.0f, 0.0f};
#pragma unroll
        for (int j = 0; j < SEGMENT; j++) {
            if (valid(j)) {
                const Step step = step_of(x[j], i[j] + bi, r[j] + br, rate, of.position + begin + j == 0);
                all = {step.decay * all.decay, step.decay * all.input + step.input};
            }
            r[j] = all.decay;
            x[j] = all.input;
        }
        barrier();  // those of the tile before have been read
        decays[THREAD] = all.decay;
        inputs[THREAD] = all.input;
        barrier();
        float before = h;
#pragma unroll
        for (int s = 0; s < SEGMENTS; s++) {
            if (s == warp) before = h;
            h = decays[s * WARP + lane] * h + inputs[s * WARP + lane];
        }
#pragma unroll
        for (int j = 0; j < SEGMENT; j++)
            if (valid(j)) v[static_cast<i64>(begin + j) * channels] = r[j] * before + x[j];
    }
    // All threads have read the state before the barriers of the first tile, and all hold the last h.
    if (there && warp == 0) *own = h;
}
