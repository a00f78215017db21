// What scans in chunks of tokens share, as products of bf16 on the tensor cores. A warp has 16 channels of a head: x, what
// they bring, and s, their rows of a state [channels, N]. Comes after device.cuh.
#pragma once

// Rows in shared memory are 16 bytes longer than what they hold: eight of them lie in eight different columns of banks.
constexpr int PAD = 8;

// Where lane's row of the four 8 × 8 matrices of a 16 × 16 block lies: of a left side or, transposed, of a right side
// held by rows.
DEVICE int left_row(int lane, int pitch) { return lane % 16 * pitch + lane / 16 * 8; }

// 16 channels of x in 16 tokens, as a right side (tokens × channels) or, transposed, a left one: entry r is a pair of
// tokens from 8 (r / 2) + 2 (lane mod 4) on, of channel lane / 4 + 8 (r mod 2).
struct Inputs {
    float at[4][2];
};

// Of rows `begin` to `end` alone; the others are 0. x begins with the lane's channel.
DEVICE Inputs read_inputs(const float* x, i64 stride, int lane, int row, int begin, int end) {
    Inputs inputs;
#pragma unroll
    for (int r = 0; r < 4; r++)
#pragma unroll
        for (int e = 0; e < 2; e++) {
            const int token = row + r / 2 * 8 + lane % 4 * 2 + e;
            inputs.at[r][e] = token >= begin && token < end ? x[token * stride + r % 2 * 8] : 0.0f;
        }
    return inputs;
}

DEVICE void round_inputs(u32 (&x)[4], const Inputs& inputs) {
#pragma unroll
    for (int r = 0; r < 4; r++) x[r] = bf16_pair(inputs.at[r][0], inputs.at[r][1]);
}

// y (16 tokens × the warp's channels) += left (16 tokens × 16) · x.
DEVICE void add_inputs(float (&y)[2][4], const u32 (&left)[4], const u32 (&x)[4]) {
    multiply_add(y[0], left, x[0], x[2]);
    multiply_add(y[1], left, x[1], x[3]);
}

// As products leave it: [i][e] is column 8 i + 2 (lane mod 4) + e mod 2 of channel lane / 4 + 8 (e / 2).
template <int N>
struct State {
    float at[N / 8][4];
};

// `own` is the lane's first element; so many elements lie between neighbouring channels, and columns.
template <int N>
DEVICE void read_state(State<N>& s, const float* own, int channels, int columns) {
#pragma unroll
    for (int i = 0; i < N / 8; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) s.at[i][e] = own[e / 2 * 8 * channels + (i * 8 + e % 2) * columns];
}
template <int N>
DEVICE void write_state(const State<N>& s, float* own, int channels, int columns) {
#pragma unroll
    for (int i = 0; i < N / 8; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) own[e / 2 * 8 * channels + (i * 8 + e % 2) * columns] = s.at[i][e];
}

// Columns 16 k to 16 k + 15, rounded: what a product left is, transposed, the right side of another (columns × channels).
template <int N>
DEVICE void round_state(u32 (&right)[4], const State<N>& s, int k) {
    const auto &one = s.at[2 * k], &two = s.at[2 * k + 1];
    right[0] = bf16_pair(one[0], one[1]);
    right[1] = bf16_pair(two[0], two[1]);
    right[2] = bf16_pair(one[2], one[3]);
    right[3] = bf16_pair(two[2], two[3]);
}

// y (16 tokens × the warp's channels) += left (16 tokens × 16 columns) · that.
DEVICE void add_state(float (&y)[2][4], const u32 (&left)[4], const u32 (&right)[4]) {
    multiply_add(y[0], left, right[0], right[1]);
    multiply_add(y[1], left, right[2], right[3]);
}

// s += Σ x ⊗ row over 16 tokens, the rows in shared memory, N + PAD apart.
template <int N>
DEVICE void add_outer(State<N>& s, const u32 (&x)[4], const u16* rows, int lane) {
    u32 right[4];
#pragma unroll
    for (int i = 0; i < N / 8; i += 2) {
        load_matrices_transposed(right, rows + i * 8 + left_row(lane, N + PAD));
        multiply_add(s.at[i], x, right[0], right[1]);
        multiply_add(s.at[i + 1], x, right[2], right[3]);
    }
}
