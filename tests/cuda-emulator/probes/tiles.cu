// A product as fast kernels make it, small enough to read: what the emulator's copies, matrix loads and products are
// tested with.
#include "device.cuh"

constexpr int DEPTH = 16, PAD = 8, STRIDE = DEPTH + PAD;  // columns of a tile; rows 48 bytes apart share no bank
constexpr int HEIGHT = 32, WIDTH = 16;

struct Tiles {
    u16 a[HEIGHT][STRIDE];
    u16 b[WIDTH][STRIDE];
};

// Begins to copy columns `first` on of both factors, 8 elements a thread: zeros beyond their ends.
DEVICE void begin_tiles(Tiles& to, const u16* a, const u16* b, int m, int n, int k, int first) {
    const int row = THREAD / 2, column = THREAD % 2 * 8;
    const int a_row = BLOCK.y * HEIGHT + row, b_row = BLOCK.x * WIDTH + row;
    const bool inside = first + column < k;
    copy_async_16(&to.a[row][column], a + static_cast<i64>(a_row) * k + first + column, inside && a_row < m);
    if (row < WIDTH)
        copy_async_16(&to.b[row][column], b + static_cast<i64>(b_row) * k + first + column, inside && b_row < n);
}

// c [m, n] f32 = a [m, k] bᵀ [n, k], both bf16, k a multiple of 8. A warp makes 16 rows of 16 columns.
KERNEL(64) tile_product(const u16* a, const u16* b, float* c, int m, int n, int k) {
    SHARED(Tiles, tiles, 2);
    const int warp = THREAD / WARP, lane = THREAD % WARP;
    const int steps = (k + DEPTH - 1) / DEPTH;
    float sum[2][4] = {};
    begin_tiles(tiles[0], a, b, m, n, k, 0);
    copy_async_commit();
    for (int step = 0; step < steps; step++) {
        const int next = step + 1;
        if (next < steps) begin_tiles(tiles[next % 2], a, b, m, n, k, next * DEPTH);
        copy_async_commit();
        copy_async_wait<1>();
        barrier();  // the tiles of this step are there
        const Tiles& now = tiles[step % 2];
        u32 left[4], right[4];
        load_matrices(left, &now.a[warp * 16 + lane % 16][lane / 16 * 8]);
        load_matrices(right, &now.b[lane / 16 * 8 + lane % 8][lane / 8 % 2 * 8]);
        multiply_add(sum[0], left, right[0], right[1]);
        multiply_add(sum[1], left, right[2], right[3]);
        barrier();  // and have been read
    }
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 4; i++) {
            const int row = BLOCK.y * HEIGHT + warp * 16 + lane / 4 + i / 2 * 8;
            const int column = BLOCK.x * WIDTH + half * 8 + lane % 4 * 2 + i % 2;
            if (row < m && column < n) c[static_cast<i64>(row) * n + column] = sum[half][i];
        }
}
