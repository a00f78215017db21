// Depthwise causal convolution with carried inputs, f32. Memory bound: x is read once and out written once.
//
// causal_conv1d:
//   _ref  one thread a channel of a sequence, token by token, any number of taps;
//   fast  four taps: one thread four neighbouring channels of a run of tokens, 16 bytes at a time, the inputs before in
//         registers.
// carry_inputs: one thread a channel of a sequence that several threads have had. Token shift carries by it, too.
#include "device.cuh"

// The state of a slot is [taps − 1, channels], oldest first, where state + slot · state_stride points.
#define CONV_PARAMETERS                                                                                              \
    const float *x, i64 x_stride, const float *tap, const float *bias, float *out, SEQUENCES, float *state,          \
        i64 state_stride, int sequences, int channels, int taps, int which, int leaves_outputs

// out [T, channels] = f(bias + Σ tap[j] · x[t − taps + 1 + j]): tap [taps, channels], bias [channels] or null.
KERNEL(256) causal_conv1d_ref(CONV_PARAMETERS) {
    const u32 at = BLOCK.x * THREADS + THREAD;
    if (at >= static_cast<u32>(sequences * channels)) return;
    const int channel = at % channels, past = taps - 1;
    const Sequence of = sequence_of(starts, slots, positions, at / channels);
    float* const own = state + of.slot * state_stride + channel;
    out += of.row * channels + channel;
    x += of.row * x_stride + channel;
    const auto input = [&](int t) { return t < 0 ? own[static_cast<i64>(t + past) * channels] : x[t * x_stride]; };
    const float constant = bias ? bias[channel] : 0.0f;
    for (int t = 0; t < of.tokens; t++) {
        float sum = constant;
        for (int j = 0; j < taps; j++) sum += tap[static_cast<i64>(j) * channels + channel] * input(t - past + j);
        out[static_cast<i64>(t) * channels] = activation(which, sum);
    }
    for (int j = 0; j < past; j++) {
        const int t = of.tokens - past + j;
        float left = input(t);
        if (leaves_outputs && of.position == 0) left = t < 0 ? 0.0f : out[static_cast<i64>(t) * channels];
        own[static_cast<i64>(j) * channels] = left;
    }
}

constexpr int TAPS = 4, PAST = TAPS - 1;
constexpr int RUN = 16;      // tokens of a thread
constexpr int TOGETHER = 4;  // whose loads are under way together

KERNEL(128) causal_conv1d(CONV_PARAMETERS) {
    const int first = (static_cast<int>(BLOCK.x * THREADS) + static_cast<int>(THREAD)) * 4, count = channels - first;
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.z);
    const int from = static_cast<int>(BLOCK.y) * RUN, to = min(from + RUN, of.tokens);
    if (count <= 0 || from >= to) return;
    float* const own = state + of.slot * state_stride + first;
    out += of.row * channels + first;
    x += of.row * x_stride + first;
    Four weight[TAPS], before[PAST], constant = {};
#pragma unroll
    for (int j = 0; j < TAPS; j++) weight[j] = load_four(tap + static_cast<i64>(j) * channels + first, count);
#pragma unroll
    for (int j = 0; j < PAST; j++)
        before[j] = from == 0 ? load_four(own + static_cast<i64>(j) * channels, count)
                              : load_four(x + (from - PAST + j) * x_stride, count);
    if (bias) constant = load_four(bias + first, count);
    for (int t = from; t < to; t += TOGETHER) {
        Four now[TOGETHER];
#pragma unroll
        for (int i = 0; i < TOGETHER; i++)
            if (t + i < to) now[i] = load_four(x + (t + i) * x_stride, count);
#pragma unroll
        for (int i = 0; i < TOGETHER; i++) {
            if (t + i >= to) break;
            Four y = constant;
#pragma unroll
            for (int c = 0; c < 4; c++) {
#pragma unroll
                for (int j = 0; j < PAST; j++) y.at[c] += weight[j].at[c] * before[j].at[c];
                y.at[c] = activation(which, y.at[c] + weight[PAST].at[c] * now[i].at[c]);
            }
            store_four(out + static_cast<i64>(t + i) * channels, y, count);
#pragma unroll
            for (int j = 0; j < PAST - 1; j++) before[j] = before[j + 1];
            before[PAST - 1] = now[i];
        }
    }
    // Who has a whole sequence is the only one to read and write its state; carry_inputs does it for the others.
    if (of.tokens > RUN) return;
#pragma unroll
    for (int j = 0; j < PAST; j++) {
        if (leaves_outputs && of.position == 0) {
            const int t = of.tokens - PAST + j;
            before[j] = t < 0 ? Four{} : load_four(out + static_cast<i64>(t) * channels, count);
        }
        store_four(own + static_cast<i64>(j) * channels, before[j], count);
    }
}

// The last `past` rows of x, or of `outputs` if that is not null and a sequence begins, are what every sequence of more
// than `more_than` tokens, which are no fewer than `past`, leaves in its state [past, channels].
KERNEL(256)
carry_inputs(const float* x, i64 x_stride, const float* outputs, SEQUENCES, float* state, i64 state_stride,
             int sequences, int channels, int past, int more_than) {
    const u32 at = BLOCK.x * THREADS + THREAD;
    if (at >= static_cast<u32>(sequences * channels)) return;
    const int channel = at % channels;
    const Sequence of = sequence_of(starts, slots, positions, at / channels);
    if (of.tokens <= more_than) return;
    float* const own = state + of.slot * state_stride + channel;
    for (int j = 0; j < past; j++) {
        const i64 row = of.row + of.tokens - past + j;
        own[static_cast<i64>(j) * channels] =
            outputs && of.position == 0 ? outputs[row * channels + channel] : x[row * x_stride + channel];
    }
}
