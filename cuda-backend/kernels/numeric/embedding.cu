// Rows of a table and rows of activations. Memory bound: every element is read and written once.
//
// embedding, gather_rows:
//   _ref  one thread an element;
//   fast  one block a row, 16 bytes a thread at a time.
#include "device.cuh"

// out [tokens, width] = scale · table [vocabulary, width] at row tokens[t]; the table in f32 or bf16.
KERNEL(256)
embedding_ref(const u32* tokens, const void* table, int table_is_bf16, float* out, i64 elements, int width,
              float scale) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i >= elements) return;
    const i64 from = static_cast<i64>(tokens[i / width]) * width + i % width;
    const float x = table_is_bf16 ? float_of_bf16(static_cast<const u16*>(table)[from])
                                  : static_cast<const float*>(table)[from];
    out[i] = x * scale;
}

DEVICE Four scaled(Four x, float scale) {
#pragma unroll
    for (int j = 0; j < 4; j++) x.at[j] *= scale;
    return x;
}

KERNEL(256)
embedding(const u32* tokens, const void* table, int table_is_bf16, float* out, i64 elements, int width,
          float scale) {
    const i64 to = static_cast<i64>(BLOCK.x) * width, from = static_cast<i64>(tokens[BLOCK.x]) * width;
    for (int i = THREAD * 4; i < width; i += THREADS * 4) {
        const Four x = table_is_bf16 ? load_four(static_cast<const u16*>(table) + from + i, width - i)
                                     : load_four(static_cast<const float*>(table) + from + i, width - i);
        store_four(out + to + i, scaled(x, scale), width - i);
    }
}

// out [n, width] = x at row rows[i].
KERNEL(256) gather_rows_ref(const u32* rows, const float* x, float* out, i64 elements, int width) {
    const i64 i = static_cast<i64>(BLOCK.x) * THREADS + THREAD;
    if (i < elements) out[i] = x[static_cast<i64>(rows[i / width]) * width + i % width];
}

KERNEL(256) gather_rows(const u32* rows, const float* x, float* out, i64 elements, int width) {
    const i64 to = static_cast<i64>(BLOCK.x) * width, from = static_cast<i64>(rows[BLOCK.x]) * width;
    for (int i = THREAD * 4; i < width; i += THREADS * 4)
        store_four(out + to + i, load_four(x + from + i, width - i), width - i);
}
