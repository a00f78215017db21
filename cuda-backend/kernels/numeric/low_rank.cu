// Between the two products of a low-rank map. Memory bound, and small: the rank is some dozens.
//
// low_rank_tanh:
//   _ref  one thread an element;
//   fast  one thread four neighbouring elements.
#include "device.cuh"

// In place.
KERNEL(256) low_rank_tanh_ref(float* x, i64 elements) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i < elements) x[i] = tanhf(x[i]);
}

KERNEL(256) low_rank_tanh(float* x, i64 elements) {
    const i64 i = (static_cast<i64>(BLOCK.x) * THREADS + THREAD) * 4;
    if (i >= elements) return;
    Four four = load_four(x + i, elements - i);
#pragma unroll
    for (int j = 0; j < 4; j++) four.at[j] = tanhf(four.at[j]);
    store_four(x + i, four, elements - i);
}
