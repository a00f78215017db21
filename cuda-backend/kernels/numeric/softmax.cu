// The greedy choice. Memory bound: a row of logits is read once; where there are few rows, bound by how fast one
// multiprocessor reads.
//
// argmax:
//   _ref  one thread a row;
//   fast  one block a row, 16 bytes a thread at a time.
#include "device.cuh"

// Index of the largest of x [rows, width], the lowest of equals; −1 where a row is empty or holds a NaN.
KERNEL(256) argmax_ref(const float* x, int* best, int rows, int width) {
    const i64 row = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (row >= rows) return;
    x += row * width;
    int at = width > 0 ? 0 : -1;
    for (int i = 0; i < width; i++) {
        if (x[i] != x[i]) {
            at = -1;
            break;
        }
        if (x[i] > x[at]) at = i;
    }
    best[row] = at;
}

constexpr int NOWHERE = 0x7fffffff;

struct Best {
    float value;
    int at;
};

DEVICE Best better(Best a, Best b) {
    const bool second = b.value > a.value || (b.value == a.value && b.at < a.at);
    return second ? b : a;
}

// Over a warp, in every lane. A NaN is made larger than all, with −1 for its index.
DEVICE Best warp_best(Best of) {
#pragma unroll
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        of = better(of, {shuffle_xor(of.value, mask), shuffle_xor(of.at, mask)});
    return of;
}

KERNEL(1024) argmax(const float* x, int* best, int rows, int width) {
    SHARED(float, values, WARP);
    SHARED(int, places, WARP);
    x += static_cast<i64>(BLOCK.x) * width;
    const float infinity = float_of_bits(0x7f800000u);
    Best own = {-infinity, NOWHERE};
    for (int i = THREAD * 4; i < width; i += THREADS * 4) {
        const Four four = load_four(x + i, width - i);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const float value = four.at[j];
            if (i + j < width) own = better(own, value != value ? Best{infinity, -1} : Best{value, i + j});
        }
    }
    own = warp_best(own);
    if (THREAD % WARP == 0) {
        values[THREAD / WARP] = own.value;
        places[THREAD / WARP] = own.at;
    }
    barrier();
    if (THREAD >= WARP) return;
    const bool there = THREAD < THREADS / WARP;
    own = warp_best(there ? Best{values[THREAD], places[THREAD]} : Best{-infinity, NOWHERE});
    if (THREAD == 0) best[BLOCK.x] = own.at == NOWHERE ? -1 : own.at;
}
