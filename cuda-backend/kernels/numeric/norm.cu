// Norms of the rows of x [rows, width], in f32 arithmetic. Memory bound: x is read once and out written once. What goes
// into products alone is stored as they take it, in bf16.
//
// rms_norm, layer_norm, gated_rms_norm, gated_group_norm:
//   _ref  one thread a group of a row, in the order of longseq-core;
//   fast  one block a row, or a group of one, or one warp a group (gated_group_norm, whose groups are heads), which
//         stays in registers between the sums and the result: 16-byte accesses, one pass over memory. Of rows wider
//         than 8192, and of heads wider than 256, the rest is read again.
#include "device.cuh"

// What happens to one group of channels: where it lies and how it is normed. X and Y are float, or u16 for bf16.
template <class X, class Y>
struct Group {
    const X* x;           // [width]
    const float* gate;    // [width], or null
    const float* weight;  // [width]
    const float* bias;    // [width], or null
    Y* out;               // [width]
    int width;
    float plus;           // added to the weight
    float epsilon;
    bool centred;         // subtracts the mean
    bool gate_first;      // the gate is applied before the norm, not after
};

template <class G>
DEVICE float before(const G& of, float x, float gate) { return of.gate && of.gate_first ? x * silu(gate) : x; }

template <class G>
DEVICE float after(const G& of, int i, float x, float mean, float scale, float gate) {
    float y = (x - mean) * scale * (of.plus + of.weight[i]);
    if (of.bias) y += of.bias[i];
    return of.gate && !of.gate_first ? y * silu(gate) : y;
}

template <class G>
DEVICE void norm_ref(const G& of) {
    const auto gate = [&](int i) { return of.gate ? of.gate[i] : 0.0f; };
    const auto x = [&](int i) { return before(of, load_one(of.x + i), gate(i)); };
    float mean = 0.0f;
    if (of.centred) {
        for (int i = 0; i < of.width; i++) mean += x(i);
        mean /= of.width;
    }
    float squares = 0.0f;
    for (int i = 0; i < of.width; i++) squares += (x(i) - mean) * (x(i) - mean);
    const float scale = 1.0f / sqrtf(squares / of.width + of.epsilon);
#pragma unroll 1  // several at once spill on sm_90a
    for (int i = 0; i < of.width; i++) store_one(of.out + i, after(of, i, x(i), mean, scale, gate(i)));
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
template <class Team, int KEPT, class G>
struct Part {
    const G& of;
    Four x[KEPT], gate[KEPT];

    DEVICE void load(int i, Four& x, Four& gate) const {
        x = load_four(of.x + i, of.width - i);
        gate = of.gate ? load_four(of.gate + i, of.width - i) : Four{};
#pragma unroll
        for (int j = 0; j < 4; j++) x.at[j] = before(of, x.at[j], gate.at[j]);
    }
    static DEVICE int first(int k) { return (k * Team::threads() + Team::thread()) * 4; }

    DEVICE explicit Part(const G& of) : of(of) {
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

template <class Team, int KEPT, class G>
DEVICE void norm_fast(const G& of) {
    const Part<Team, KEPT, G> part(of);
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

// Who norms a group: one thread, or a team with so much in registers.
struct Alone {
    template <class G>
    static DEVICE void norm(const G& of) {
        norm_ref(of);
    }
};
template <class Team, int KEPT>
struct Together {
    template <class G>
    static DEVICE void norm(const G& of) {
        norm_fast<Team, KEPT>(of);
    }
};

#define NORM_PARAMETERS                                                                                      \
    const float *x, const float *weight, const float *bias, void *out, int out_is_bf16, int rows, int width, \
        float plus, float epsilon
#define NORM_VALUES x, weight, bias, out, out_is_bf16, rows, width, plus, epsilon

template <class Who, class Y>
DEVICE void norm_row_to(Y* out, i64 row, bool centred, const float* x, const float* weight, const float* bias, int width,
                        float plus, float epsilon) {
    out += row * width;
    x += row * width;
    Who::norm(Group<float, Y>{x, nullptr, weight, bias, out, width, plus, epsilon, centred, false});
}

template <class Who>
DEVICE void norm_row(i64 row, bool centred, NORM_PARAMETERS) {
    if (out_is_bf16)
        norm_row_to<Who>(static_cast<u16*>(out), row, centred, x, weight, bias, width, plus, epsilon);
    else
        norm_row_to<Who>(static_cast<float*>(out), row, centred, x, weight, bias, width, plus, epsilon);
}

KERNEL(256) rms_norm_ref(NORM_PARAMETERS) {
    const i64 row = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (row < rows) norm_row<Alone>(row, false, NORM_VALUES);
}

KERNEL(256) layer_norm_ref(NORM_PARAMETERS) {
    const i64 row = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (row < rows) norm_row<Alone>(row, true, NORM_VALUES);
}

KERNEL(256) rms_norm(NORM_PARAMETERS) { norm_row<Together<Block, 8>>(BLOCK.x, false, NORM_VALUES); }

KERNEL(256) layer_norm(NORM_PARAMETERS) { norm_row<Together<Block, 8>>(BLOCK.x, true, NORM_VALUES); }

// In place, each of `groups` equal groups of a row by itself. Row r of the gate begins at gate + r · stride.
#define GATED_PARAMETERS                                                                                     \
    void *x, int x_is_bf16, const float *gate, i64 stride, const float *weight, const float *bias, int rows, \
        int groups, int width, float epsilon
#define GATED_VALUES x, x_is_bf16, gate, stride, weight, bias, rows, groups, width, epsilon

template <class Who, class T>
DEVICE void norm_group_in(T* x, i64 index, bool centred, const float* gate, i64 stride, const float* weight,
                          const float* bias, int groups, int width, float epsilon) {
    const i64 row = index / groups, group = index % groups, first = group * width;
    T* const own = x + row * groups * width + first;
    Who::norm(Group<T, T>{own, gate + row * stride + first, weight + first, bias ? bias + first : nullptr, own, width,
                          0.0f, epsilon, centred, !centred});
}

template <class Who>
DEVICE void norm_group(i64 index, bool centred, GATED_PARAMETERS) {
    if (x_is_bf16)
        norm_group_in<Who>(static_cast<u16*>(x), index, centred, gate, stride, weight, bias, groups, width, epsilon);
    else
        norm_group_in<Who>(static_cast<float*>(x), index, centred, gate, stride, weight, bias, groups, width, epsilon);
}

KERNEL(256) gated_rms_norm_ref(GATED_PARAMETERS) {
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (index < static_cast<i64>(rows) * groups) norm_group<Alone>(index, false, GATED_VALUES);
}

KERNEL(256) gated_group_norm_ref(GATED_PARAMETERS) {
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (index < static_cast<i64>(rows) * groups) norm_group<Alone>(index, true, GATED_VALUES);
}

KERNEL(256) gated_rms_norm(GATED_PARAMETERS) { norm_group<Together<Block, 8>>(BLOCK.x, false, GATED_VALUES); }

KERNEL(256) gated_group_norm(GATED_PARAMETERS) {
    const i64 index = static_cast<i64>(BLOCK.x) * (THREADS / WARP) + THREAD / WARP;
    if (index < static_cast<i64>(rows) * groups) norm_group<Together<Warp, 2>>(index, true, GATED_VALUES);
}
