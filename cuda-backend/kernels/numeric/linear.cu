// What surrounds the products of a linear map, which a library makes. Memory bound.
//
// linear_input, linear_bias:
//   _ref  one thread an element;
//   fast  one thread four neighbouring elements, 16 bytes of f32, 8 of bf16; block (r, j) has the j-th piece of row r,
//         so that nobody divides.
#include "device.cuh"

// The factor of a product: out [rows, width] bf16 = x, whose row r begins at x + r · stride.
KERNEL(256) linear_input_ref(const float* x, i64 stride, u16* out, int rows, int width) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i < static_cast<i64>(rows) * width) out[i] = bf16_of_float(x[i / width * stride + i % width]);
}

KERNEL(256) linear_input(const float* x, i64 stride, u16* out, int rows, int width) {
    const i64 row = BLOCK.x, i = (BLOCK.y * THREADS + THREAD) * 4;
    if (i < width) store_four(out + row * width + i, load_four(x + row * stride + i, width - i), width - i);
}

// out ← bias, or out + bias, in every row; row r begins at out + r · stride.
KERNEL(256) linear_bias_ref(const float* bias, float* out, i64 stride, int rows, int width, int accumulate) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i >= static_cast<i64>(rows) * width) return;
    float* const y = out + i / width * stride + i % width;
    *y = accumulate ? *y + bias[i % width] : bias[i % width];
}

KERNEL(256) linear_bias(const float* bias, float* out, i64 stride, int rows, int width, int accumulate) {
    const i64 row = BLOCK.x, i = (BLOCK.y * THREADS + THREAD) * 4;
    if (i >= width) return;
    float* const y = out + row * stride + i;
    Four sum = load_four(bias + i, width - i);
    if (accumulate) {
        const Four before = load_four(y, width - i);
#pragma unroll
        for (int j = 0; j < 4; j++) sum.at[j] += before.at[j];
    }
    store_four(y, sum, width - i);
}
