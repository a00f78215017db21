// A token mixed with the one before it, f32. Memory bound: x is read once and every stream written once.
//
// token_shift, ddlerp_input, ddlerp:
//   _ref  one thread a channel of a sequence, token by token;
//   fast  one thread four neighbouring channels of a run of tokens, the one before in registers, 16 bytes at a time.
// Of sequences longer than a run, carry_inputs (causal_conv1d.cu) leaves the last token in the state.
#include "device.cuh"

constexpr int RUN = 16;      // tokens of a thread
constexpr int TOGETHER = 4;  // whose loads are under way together

DEVICE float lerp(float x, float before, float mu) { return x + (before - x) * mu; }

// What all of them read: x [T, channels], and the state [channels] of each slot, which is the token before the first.
#define SHIFT_PARAMETERS const float *x, SEQUENCES, float *state, i64 state_stride, int sequences, int channels

// Calls see(row, channel, x, before) for every token of one channel of a sequence, then carries the last if asked to.
template <class See>
DEVICE void each_token(SHIFT_PARAMETERS, bool carry, See see) {
    const u32 at = BLOCK.x * THREADS + THREAD;
    if (at >= static_cast<u32>(sequences * channels)) return;
    const int channel = at % channels;
    const Sequence of = sequence_of(starts, slots, positions, at / channels);
    float* const own = state + of.slot * state_stride + channel;
    float before = *own;
    for (int t = 0; t < of.tokens; t++) {
        const float now = x[(of.row + t) * channels + channel];
        see(of.row + t, channel, now, before);
        before = now;
    }
    if (carry) *own = before;
}

// Calls see(row, first channel, how many, x, before) for every token of four channels of a run.
template <class See>
DEVICE void each_four(SHIFT_PARAMETERS, bool carry, See see) {
    const int first = (static_cast<int>(BLOCK.x * THREADS) + static_cast<int>(THREAD)) * 4, count = channels - first;
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.z);
    const int from = static_cast<int>(BLOCK.y) * RUN, to = min(from + RUN, of.tokens);
    if (count <= 0 || from >= to) return;
    float* const own = state + of.slot * state_stride + first;
    x += of.row * channels + first;
    Four before = load_four(from == 0 ? own : x + static_cast<i64>(from - 1) * channels, count);
    for (int t = from; t < to; t += TOGETHER) {
        Four now[TOGETHER];
#pragma unroll
        for (int i = 0; i < TOGETHER; i++)
            if (t + i < to) now[i] = load_four(x + static_cast<i64>(t + i) * channels, count);
#pragma unroll
        for (int i = 0; i < TOGETHER; i++) {
            if (t + i >= to) break;
            see(of.row + t + i, first, count, now[i], before);
            before = now[i];
        }
    }
    // Who has a whole sequence is the only one to read and write its state.
    if (carry && of.tokens <= RUN) store_four(own, before, count);
}

DEVICE Four lerp(const Four& x, const Four& before, const Four& mu) {
    Four y;
#pragma unroll
    for (int c = 0; c < 4; c++) y.at[c] = lerp(x.at[c], before.at[c], mu.at[c]);
    return y;
}

// Up to two of the streams of out [T, streams, channels], the first of which begins at `out`: proportions mu and
// `second` [channels], each where it is not null.
KERNEL(256)
token_shift_ref(SHIFT_PARAMETERS, const float* mu, const float* second, float* out, int streams, int carry) {
    const i64 stride = static_cast<i64>(streams) * channels;
    each_token(x, starts, slots, positions, state, state_stride, sequences, channels, carry,
               [&](i64 row, int channel, float now, float before) {
                   float* const y = out + row * stride + channel;
                   if (mu) y[0] = lerp(now, before, mu[channel]);
                   if (second) y[channels] = lerp(now, before, second[channel]);
               });
}

KERNEL(128)
token_shift(SHIFT_PARAMETERS, const float* mu, const float* second, float* out, int streams, int carry) {
    const i64 stride = static_cast<i64>(streams) * channels;
    each_four(x, starts, slots, positions, state, state_stride, sequences, channels, carry,
              [&](i64 row, int first, int count, const Four& now, const Four& before) {
                  float* const y = out + row * stride + first;
                  if (mu) store_four(y, lerp(now, before, load_four(mu + first, count)), count);
                  if (second) store_four(y + channels, lerp(now, before, load_four(second + first, count)), count);
              });
}

// The left side of W₁: out [T, channels], f32 or bf16, = x + δ μ.
KERNEL(256) ddlerp_input_ref(SHIFT_PARAMETERS, const float* mu, void* out, int out_is_bf16) {
    each_token(x, starts, slots, positions, state, state_stride, sequences, channels, false,
               [&](i64 row, int channel, float now, float before) {
                   const float mixed = lerp(now, before, mu[channel]);
                   const i64 at = row * channels + channel;
                   if (out_is_bf16)
                       static_cast<u16*>(out)[at] = bf16_of_float(mixed);
                   else
                       static_cast<float*>(out)[at] = mixed;
               });
}

KERNEL(128) ddlerp_input(SHIFT_PARAMETERS, const float* mu, void* out, int out_is_bf16) {
    each_four(x, starts, slots, positions, state, state_stride, sequences, channels, false,
              [&](i64 row, int first, int count, const Four& now, const Four& before) {
                  const Four mixed = lerp(now, before, load_four(mu + first, count));
                  const i64 at = row * channels + first;
                  if (out_is_bf16)
                      store_four(static_cast<u16*>(out) + at, mixed, count);
                  else
                      store_four(static_cast<float*>(out) + at, mixed, count);
              });
}

constexpr int STREAMS = 5;

// out [T, 5, channels], which holds m W₂, becomes x + δ (μ + m W₂), the last token the state.
#define DDLERP_PARAMETERS                                                                                         \
    SHIFT_PARAMETERS, const float *mu_w, const float *mu_k, const float *mu_v, const float *mu_r, const float *mu_g, \
        float *out

KERNEL(256) ddlerp_ref(DDLERP_PARAMETERS) {
    const float* const mu[STREAMS] = {mu_w, mu_k, mu_v, mu_r, mu_g};
    each_token(x, starts, slots, positions, state, state_stride, sequences, channels, true,
               [&](i64 row, int channel, float now, float before) {
                   for (int s = 0; s < STREAMS; s++) {
                       float& y = out[(row * STREAMS + s) * channels + channel];
                       y = lerp(now, before, mu[s][channel] + y);
                   }
               });
}

KERNEL(128) ddlerp(DDLERP_PARAMETERS) {
    const float* const mu[STREAMS] = {mu_w, mu_k, mu_v, mu_r, mu_g};
    each_four(x, starts, slots, positions, state, state_stride, sequences, channels, true,
              [&](i64 row, int first, int count, const Four& now, const Four& before) {
                  Four y[STREAMS];
#pragma unroll
                  for (int s = 0; s < STREAMS; s++)
                      y[s] = load_four(out + (row * STREAMS + s) * channels + first, count);
#pragma unroll
                  for (int s = 0; s < STREAMS; s++) {
                      Four share = load_four(mu[s] + first, count);
#pragma unroll
                      for (int c = 0; c < 4; c++) share.at[c] += y[s].at[c];
                      store_four(out + (row * STREAMS + s) * channels + first, lerp(now, before, share), count);
                  }
              });
}
