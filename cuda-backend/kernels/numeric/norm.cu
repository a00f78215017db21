// Norms of the rows of x [rows, width], f32 throughout. Memory bound: x is read once and out written once.
//
// rms_norm, layer_norm, gated_rms_norm, gated_group_norm:
//   _ref  one thread a group of a row, in the order of longseq-core;
//   fast  one block a row, or a group of one, or one warp a group (gated_group_norm, whose groups are heads), which
//         stays in registers between the sums and the result: 16-byte accesses, one pass over memory. Of rows wider
//         than 8192, and of heads wider than 256, the rest is read again.
#include "device.cuh"

// What happens to one group of channels: where it lies and how it is normed.
struct Group {
    const float* x;       // [width]
    const float* gate;    // [width], or null
    const float* weight;  // [width]
    const float* bias;    // [width], or null
    float* out;           // [width]
    int width;
    float plus;           // added to the weight
    float epsilon;
    bool centred;         // subtracts the mean
    bool gate_first;      // the gate is applied before the norm, not after
};

DEVICE float before(const Group& of, float x, float gate) { return of.gate && of.gate_first ? x * silu(gate) : x; }

DEVICE float after(const Group& of, int i, float x, float mean, float scale, float gate) {
    float y = (x - mean) * scale * (of.plus + of.weight[i]);
    if (of.bias) y += of.bias[i];
    return of.gate && !of.gate_first ? y * silu(gate) : y;
}

DEVICE void norm_ref(const Group& of) {
    const auto x = [&](int i) { return before(of, of.x[i], of.gate ? of.gate[i] : 0.0f); };
    float mean = 0.0f;
    if (of.centred) {
        for (int i = 0; i < of.width; i++) mean += x(i);
        mean /= of.width;
    }
    float squares = 0.0f;
    for (int i = 0; i < of.width; i++) squares += (x(i) - mean) * (x(i) - mean);
    const float scale = 1.0f / sqrtf(squares / of.width + of.epsilon);
    for (int i = 0; i < of.width; i++) of.out[i] = after(of, i, x(i), mean, scale, of.gate ? of.gate[i] : 0.0f);
}

// The threads that norm one group: a block, or a warp, which needs no barrier.
struct Block {
    static DEVICE int threads() { return THREADS; }
    static DEVICE int thread() { return THREAD; }
    static DEVICE float sum(float v) {
        SHARED(float, partial, WARP);
        return block_sum(v, partial);
    }
};
struct Warp {
    static DEVICE int threads() { return WARP; }
    static DEVICE int thread() { return THREAD % WARP; }
    static DEVICE float sum(float v) { return warp_sum(v); }
};

// What a thread has of a group: KEPT times four neighbours in registers, and what is beyond those in memory.
template <class Team, int KEPT>
struct Part {
    const Group& of;
    Four x[KEPT], gate[KEPT];

    DEVICE void load(int i, Four& x, Four& gate) const {
        x = load_four(of.x + i, of.width - i);
        gate = of.gate ? load_four(of.gate + i, of.width - i) : Four{};
#pragma unroll
        for (int j = 0; j < 4; j++) x.at[j] = before(of, x.at[j], gate.at[j]);
    }
    static DEVICE int first(int k) { return (k * Team::threads() + Team::thread()) * 4; }

    DEVICE explicit Part(const Group& of) : of(of) {
#pragma unroll
        for (int k = 0; k < KEPT; k++)
            if (first(k) < of.width) load(first(k), x[k], gate[k]);
    }
    // Calls f(i, x, gate) with the elements from i on, for every four.
    template <class F>
    DEVICE void each(F f) const {
#pragma unroll
        for (int k = 0; k < KEPT; k++)
            if (first(k) < of.width) f(first(k), x[k], gate[k]);
        for (int i = first(KEPT); i < of.width; i += Team::threads() * 4) {
            Four again, beside;
            load(i, again, beside);
            f(i, again, beside);
        }
    }
};

template <class Team, int KEPT>
DEVICE void norm(const Group& of) {
    const Part<Team, KEPT> part(of);
    float mean = 0.0f;
    if (of.centred) {
        float sum = 0.0f;
        part.each([&](int, const Four& x, const Four&) {
            sum += (x.at[0] + x.at[1]) + (x.at[2] + x.at[3]);  // beyond the width there are zeros
        });
        mean = Team::sum(sum) / of.width;
    }
    float squares = 0.0f;
    part.each([&](int i, const Four& x, const Four&) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const float centred = i + j < of.width ? x.at[j] - mean : 0.0f;
            squares += centred * centred;
        }
    });
    const float scale = 1.0f / sqrtf(Team::sum(squares) / of.width + of.epsilon);
    part.each([&](int i, const Four& x, const Four& gate) {
        Four y = {};
#pragma unroll
        for (int j = 0; j < 4; j++)
            if (i + j < of.width) y.at[j] = after(of, i + j, x.at[j], mean, scale, gate.at[j]);
        store_four(of.out + i, y, of.width - i);
    });
}

#define NORM_PARAMETERS                                                                                              \
    const float *x, const float *weight, const float *bias, float *out, int rows, int width, float plus, float epsilon

DEVICE Group whole_row(i64 row, bool centred, NORM_PARAMETERS) {
    return {x + row * width, nullptr, weight, bias, out + row * width, width, plus, epsilon, centred, false};
}

KERNEL(256) rms_norm_ref(NORM_PARAMETERS) {
    const i64 row = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (row < rows) norm_ref(whole_row(row, false, x, weight, bias, out, rows, width, plus, epsilon));
}

KERNEL(256) layer_norm_ref(NORM_PARAMETERS) {
    const i64 row = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (row < rows) norm_ref(whole_row(row, true, x, weight, bias, out, rows, width, plus, epsilon));
}

KERNEL(256) rms_norm(NORM_PARAMETERS) {
    norm<Block, 8>(whole_row(BLOCK.x, false, x, weight, bias, out, rows, width, plus, epsilon));
}

KERNEL(256) layer_norm(NORM_PARAMETERS) {
    norm<Block, 8>(whole_row(BLOCK.x, true, x, weight, bias, out, rows, width, plus, epsilon));
}

// In place, each of `groups` equal groups of a row by itself. Row r of the gate begins at gate + r · stride.
#define GATED_PARAMETERS                                                                                    \
    float *x, const float *gate, i64 stride, const float *weight, const float *bias, int rows, int groups, \
        int width, float epsilon

DEVICE Group gated_group(i64 index, bool centred, GATED_PARAMETERS) {
    const i64 row = index / groups, group = index % groups, first = group * width;
    float* const own = x + row * groups * width + first;
    return {own,   gate + row * stride + first, weight + first, bias ? bias + first : nullptr, own,
            width, 0.0f, epsilon, centred, !centred};
}

KERNEL(256) gated_rms_norm_ref(GATED_PARAMETERS) {
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (index >= static_cast<i64>(rows) * groups) return;
    // The gated values are needed three times, so they take x's place first.
    Group of = gated_group(index, false, x, gate, stride, weight, bias, rows, groups, width, epsilon);
    for (int i = 0; i < width; i++) of.out[i] = before(of, of.x[i], of.gate[i]);
    of.gate = nullptr;
    norm_ref(of);
}

KERNEL(256) gated_group_norm_ref(GATED_PARAMETERS) {
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (index >= static_cast<i64>(rows) * groups) return;
    norm_ref(gated_group(index, true, x, gate, stride, weight, bias, rows, groups, width, epsilon));
}

KERNEL(256) gated_rms_norm(GATED_PARAMETERS) {
    norm<Block, 8>(gated_group(BLOCK.x, false, x, gate, stride, weight, bias, rows, groups, width, epsilon));
}

KERNEL(256) gated_group_norm(GATED_PARAMETERS) {
    const i64 index = static_cast<i64>(BLOCK.x) * (THREADS / WARP) + THREAD / WARP;
    if (index >= static_cast<i64>(rows) * groups) return;
    norm<Warp, 2>(gated_group(index, true, x, gate, stride, weight, bias, rows, groups, width, epsilon));
}
