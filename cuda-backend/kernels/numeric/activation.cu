// Pointwise functions of some columns of every row, f32. Memory bound: every element is read and written once. What a
// linear unit makes for a product is stored as that takes it, in bf16.
//
// gated_linear_unit, squared_relu, soft_cap:
//   _ref  one thread an element;
//   fast  one thread four neighbouring elements; block (r, j) has the j-th piece of row r, so that nobody divides.
#include "device.cuh"

// out [rows, width] ← up · f(gate), or out, f32, + that; row r begins at up + r · up_stride and gate + r · gate_stride.
#define GLU_PARAMETERS                                                                                        \
    const float *up, i64 up_stride, const float *gate, i64 gate_stride, void *out, int out_is_bf16, int rows, \
        int width, int which, int accumulate

KERNEL(256) gated_linear_unit_ref(GLU_PARAMETERS) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i >= static_cast<i64>(rows) * width) return;
    const i64 row = i / width, column = i % width;
    const float product = up[row * up_stride + column] * activation(which, gate[row * gate_stride + column]);
    Output{out, out_is_bf16}.set(i, accumulate ? static_cast<const float*>(out)[i] + product : product);
}

KERNEL(256) gated_linear_unit(GLU_PARAMETERS) {
    const i64 row = BLOCK.x, i = (BLOCK.y * THREADS + THREAD) * 4;
    if (i >= width) return;
    const Four a = load_four(up + row * up_stride + i, width - i);
    const Four b = load_four(gate + row * gate_stride + i, width - i);
    Four sum = {};
    if (accumulate) sum = load_four(static_cast<const float*>(out) + row * width + i, width - i);
#pragma unroll
    for (int j = 0; j < 4; j++) sum.at[j] += a.at[j] * activation(which, b.at[j]);
    Output{out, out_is_bf16}.set_four(row * width + i, sum, width - i);
}

DEVICE float squared_relu_of(float x) {
    const float positive = x > 0.0f ? x : 0.0f;
    return positive * positive;
}

// In place; row r begins at x + r · stride.
KERNEL(256) squared_relu_ref(float* x, i64 stride, int rows, int width) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i >= static_cast<i64>(rows) * width) return;
    float* const at = x + i / width * stride + i % width;
    *at = squared_relu_of(*at);
}

KERNEL(256) squared_relu(float* x, i64 stride, int rows, int width) {
    const i64 row = BLOCK.x, i = (BLOCK.y * THREADS + THREAD) * 4;
    if (i >= width) return;
    float* const own = x + row * stride + i;
    Four four = load_four(own, width - i);
#pragma unroll
    for (int j = 0; j < 4; j++) four.at[j] = squared_relu_of(four.at[j]);
    store_four(own, four, width - i);
}

// In place: cap · tanh(x / cap).
KERNEL(256) soft_cap_ref(float* x, i64 elements, float cap) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i < elements) x[i] = cap * tanhf(x[i] / cap);
}

KERNEL(256) soft_cap(float* x, i64 elements, float cap) {
    const i64 i = (static_cast<i64>(BLOCK.x) * THREADS + THREAD) * 4;
    if (i >= elements) return;
    Four four = load_four(x + i, elements - i);
#pragma unroll
    for (int j = 0; j < 4; j++) four.at[j] = cap * tanhf(four.at[j] / cap);
    store_four(x + i, four, elements - i);
}
