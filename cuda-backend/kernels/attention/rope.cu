// Rotation of q and k, and where k and v then go: to the cache, or beside q while old keys are still needed there.
// Memory bound: 4 bytes an element are read, 2 written; a token of 20 + 2 · 20 heads of 128 takes 46 KB.
//
// rope:
//   _ref  one thread an element;
//   fast  one block a token: its sines are computed once, for all heads; 16 bytes a thread are read at a time.
#include "device.cuh"
#include "attention/sequence.cuh"

// Where a token's q, k and v go.
struct Places {
    i64 query;
    Line line;
};
DEVICE Places places(const Call& of, const Sequence& in, int row) {
    return {row * qkv_width(of), line(of, in, in.position + row - in.row)};
}

// qkv [rows, H·D + 2 Hkv·D], f32; frequencies [pairs]; queries are multiplied by `scale`.
KERNEL(256) rope_ref(const float* qkv, const float* frequencies, int rows, int pairs, float scale, CALL_PARAMETERS) {
    const Call of = CALL;
    const i64 index = static_cast<i64>(BLOCK.x) * THREADS + THREAD, width = qkv_width(of);
    if (index >= rows * width) return;
    const int row = index / width;
    const i64 channel = index % width, first = channel / head_dim * head_dim;
    const int i = channel % head_dim;
    const Sequence in = sequence_of_row(of, row);
    const Places to = places(of, in, row);
    const float* const head = qkv + row * width + first;
    float x = head[i];
    if (channel < query_width(of) + kv_width(of) && i < 2 * pairs) {
        const int pair = i % pairs;
        const float angle = static_cast<float>(in.position + row - in.row) * frequencies[pair];
        const float a = head[pair], b = head[pair + pairs];
        x = i < pairs ? a * cosf(angle) - b * sinf(angle) : b * cosf(angle) + a * sinf(angle);
    }
    const i64 key = channel - query_width(of), value = key - kv_width(of);
    if (key < 0)
        set_element(of, rotated, to.query + channel, x * scale);
    else if (value < 0)
        set_element(of, to.line.base, to.line.key + key, x);
    else
        set_element(of, to.line.base, to.line.value + value, x);
}

constexpr int MOST_PAIRS = 256;

DEVICE void set_four(const Call& of, void* to, i64 at, const Four& x, i64 count) {
    if (of.wide)
        store_four(static_cast<float*>(to) + at, x, count);
    else
        store_four(static_cast<u16*>(to) + at, x, count);
}

DEVICE Four times(const Four& x, float scale) {
    return {{x.at[0] * scale, x.at[1] * scale, x.at[2] * scale, x.at[3] * scale}};
}

// The same, for at most MOST_PAIRS pairs.
KERNEL(256) rope(const float* qkv, const float* frequencies, int rows, int pairs, float scale, CALL_PARAMETERS) {
    SHARED(float, cosine, MOST_PAIRS);
    SHARED(float, sine, MOST_PAIRS);
    const Call of = CALL;
    const int row = BLOCK.x;
    const Sequence in = sequence_of_row(of, row);
    const Places to = places(of, in, row);
    const float position = static_cast<float>(in.position + row - in.row);
    for (int i = THREAD; i < pairs; i += THREADS) {
        const float angle = position * frequencies[i];
        cosine[i] = cosf(angle);
        sine[i] = sinf(angle);
    }
    barrier();
    const float* const from = qkv + row * qkv_width(of);
    // Of every head: the fours of pairs, then those of channels that stay.
    const int turned = (pairs + 3) / 4, steps = turned + (head_dim - 2 * pairs + 3) / 4;
    for (int item = THREAD; item < (heads + kv_heads) * steps; item += THREADS) {
        const int head = item / steps, step = item % steps;
        const bool is_query = head < heads;
        void* const base = is_query ? rotated : to.line.base;
        const i64 first = static_cast<i64>(head) * head_dim;
        const i64 at = is_query ? to.query + first : to.line.key + first - query_width(of);
        const float factor = is_query ? scale : 1.0f;
        if (step >= turned) {
            const int i = 2 * pairs + (step - turned) * 4, count = head_dim - i;
            set_four(of, base, at + i, times(load_four(from + first + i, count), factor), count);
            continue;
        }
        const int i = step * 4, count = pairs - i;
        const Four a = load_four(from + first + i, count), b = load_four(from + first + pairs + i, count);
        Four c = {}, d = {};
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (j >= count) continue;
            c.at[j] = a.at[j] * cosine[i + j] - b.at[j] * sine[i + j];
            d.at[j] = b.at[j] * cosine[i + j] + a.at[j] * sine[i + j];
        }
        set_four(of, base, at + i, times(c, factor), count);
        set_four(of, base, at + pairs + i, times(d, factor), count);
    }
    const i64 values = kv_width(of);
    for (i64 i = THREAD * 4; i < values; i += THREADS * 4) {
        const Four x = load_four(from + query_width(of) + values + i, values - i);
        set_four(of, to.line.base, to.line.value + i, x, values - i);
    }
}
