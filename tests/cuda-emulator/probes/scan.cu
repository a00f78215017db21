// Running sums by warps, what the emulator's shuffles and barriers are tested with.
#include "device.cuh"

// out[i] = x[0] + … + x[i], in one block.
KERNEL(256) scan(const int* x, float* out, int count) {
    SHARED(float, totals, WARP);
    const int lane = THREAD % WARP, warp = THREAD / WARP;
    const int at = THREAD;
    float sum = at < count ? static_cast<float>(x[at]) : 0.0f;
    for (int distance = 1; distance < WARP; distance *= 2) {
        const float before = shuffle_up(sum, distance);
        if (lane >= distance) sum += before;
    }
    if (lane == WARP - 1) totals[warp] = sum;
    barrier();  // the totals are there
    for (int i = 0; i < warp; i++) sum += totals[i];
    if (at < count) out[at] = sum;
}

// What each index of the grid is, and of dynamic shared memory what another thread left.
KERNEL(64) indices(int* out, i64 stride, float scale) {
    DYNAMIC_SHARED(int, from);
    const int index = BLOCK.x + BLOCKS.x * (BLOCK.y + BLOCKS.y * BLOCK.z);
    from[THREAD] = static_cast<int>(scale * (index * THREADS + THREAD));
    barrier();
    out[index * stride + THREAD] = from[THREADS - 1 - THREAD];
}
