// The tensor-core instructions, by the fragment layouts of the PTX manual (ldmatrix; mma.m16n8k16).
#pragma once

#include "warp.hpp"

namespace emulator {

inline float float_of_half(uint32_t bf16) {
    const uint32_t bits = bf16 << 16;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

struct MatrixLoad {
    uint32_t* to;
    const void* row;
};

// Four matrices of 8 rows; lane 8 m + i names row i of matrix m. Lane l gets elements 2 (l mod 4) and the next of row
// l / 4, or of column l / 4. Rows in one 16-byte column of banks are read one after the other: conflicts.
inline void load_matrices(uint32_t (&to)[4], const void* own_row, bool transposed, int line) {
    const MatrixLoad own{to, own_row};
    together(transposed ? "load_matrices_transposed" : "load_matrices", line, own, [&](const MatrixLoad* const* lanes) {
        block.statistics->matrix_loads++;
        for (int matrix = 0; matrix < 4; matrix++) {
            const uint16_t* rows[8];
            unsigned columns_used = 0;
            for (int i = 0; i < 8; i++) {
                const auto address = reinterpret_cast<uintptr_t>(lanes[matrix * 8 + i]->row);
                if (address % 16 != 0) fail("load_matrices: a row is not aligned to 16 bytes");
                if (block.shared.of_address(lanes[matrix * 8 + i]->row) == nullptr)
                    fail("load_matrices: a row is not in shared memory");
                const unsigned column = 1u << address / 16 % 8;
                block.statistics->bank_conflicts += (columns_used & column) != 0;
                columns_used |= column;
                rows[i] = reinterpret_cast<const uint16_t*>(address);
            }
            for (int lane = 0; lane < int(LANES); lane++) {
                const int i = lane / 4, j = lane % 4 * 2;
                const uint32_t low = transposed ? rows[j][i] : rows[i][j];
                const uint32_t high = transposed ? rows[j + 1][i] : rows[i][j + 1];
                lanes[lane]->to[matrix] = low | high << 16;
            }
        }
    });
}

struct Product {
    float* d;
    const uint32_t* a;
    uint32_t b[2];
};

// Lane l has of a: rows l / 4 (registers 0, 2) and l / 4 + 8 (1, 3), columns 2 (l mod 4) and the next, those of
// registers 2 and 3 eight further; of b: column l / 4, rows 2 (l mod 4) and the next, then eight further; of d: as a.
inline void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, int line) {
    const Product own{d, a, {b0, b1}};
    together("multiply_add", line, own, [](const Product* const* lanes) {
        block.statistics->multiplications++;
        float left[16][16], right[16][8], sum[16][8] = {};
        for (int lane = 0; lane < int(LANES); lane++) {
            const Product& of = *lanes[lane];
            const int i = lane / 4, j = lane % 4 * 2;
            for (int half = 0; half < 2; half++) {
                for (int r = 0; r < 4; r++)
                    left[i + r % 2 * 8][j + r / 2 * 8 + half] = float_of_half(of.a[r] >> 16 * half & 0xffff);
                for (int r = 0; r < 2; r++) right[j + 8 * r + half][i] = float_of_half(of.b[r] >> 16 * half & 0xffff);
            }
        }
        for (int i = 0; i < 16; i++)
            for (int k = 0; k < 16; k++)
                for (int j = 0; j < 8; j++) sum[i][j] += left[i][k] * right[k][j];
        for (int lane = 0; lane < int(LANES); lane++) {
            const int i = lane / 4, j = lane % 4 * 2;
            for (int r = 0; r < 4; r++) lanes[lane]->d[r] += sum[i + r / 2 * 8][j + r % 2];
        }
    });
}

}  // namespace emulator

inline void load_matrices(uint32_t (&to)[4], const void* row, int line = __builtin_LINE()) {
    emulator::load_matrices(to, row, false, line);
}
inline void load_matrices_transposed(uint32_t (&to)[4], const void* row, int line = __builtin_LINE()) {
    emulator::load_matrices(to, row, true, line);
}
inline void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, int line = __builtin_LINE()) {
    emulator::multiply_add(d, a, b0, b1, line);
}
