// What all kernels stand on, read in two ways: by NVRTC (or nvcc) for a GPU, and by g++ with LONGSEQ_EMULATOR, where
// tests/cuda-emulator/cpp stands in for the device.
//
// Rules for kernels, which the emulator relies on:
// - no CUDA headers and no raw asm; what a lane does with others of its warp goes through the functions below;
// - shared memory only through SHARED and DYNAMIC_SHARED, barriers only through barrier();
// - blocks in one dimension, of whole warps; no variables of the device;
// - bf16 is u16, its arithmetic f32; addresses are reckoned in 64 bits.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#ifdef LONGSEQ_EMULATOR
#include "emulator.hpp"
#else

// KERNEL(most threads of a block[, least blocks of a multiprocessor]) name(parameters) { … }
#define KERNEL(...) extern "C" __global__ void __launch_bounds__(__VA_ARGS__)
#define DEVICE __device__ __forceinline__
// An array in shared memory, of a size known when compiling, or of what the launch gives.
#define SHARED(type, name, count) __shared__ __align__(16) type name[count]
#define DYNAMIC_SHARED(type, name)                    \
    extern __shared__ __align__(128) u8 name##_raw[]; \
    type* name = reinterpret_cast<type*>(name##_raw)
#define THREAD threadIdx.x
#define THREADS blockDim.x
#define BLOCK blockIdx
#define BLOCKS gridDim
#define WHOLE_WARP 0xffffffffu

// Waits for all threads of the block, or of the warp.
DEVICE void barrier() { __syncthreads(); }
DEVICE void warp_barrier() { __syncwarp(); }

// v of lane (own xor mask); of lane own − distance, or one's own where there is none; of one lane.
DEVICE float shuffle_xor(float v, int mask) { return __shfl_xor_sync(WHOLE_WARP, v, mask); }
DEVICE float shuffle_up(float v, int distance) { return __shfl_up_sync(WHOLE_WARP, v, distance); }
DEVICE float shuffle(float v, int lane) { return __shfl_sync(WHOLE_WARP, v, lane); }
DEVICE int shuffle_xor(int v, int mask) { return __shfl_xor_sync(WHOLE_WARP, v, mask); }
DEVICE double shuffle_up(double v, int distance) { return __shfl_up_sync(WHOLE_WARP, v, distance); }
DEVICE double shuffle(double v, int lane) { return __shfl_sync(WHOLE_WARP, v, lane); }

DEVICE float float_of_bits(u32 bits) { return __uint_as_float(bits); }
DEVICE u32 bits_of_float(float x) { return __float_as_uint(x); }

// 2^x, to 2 units in the last place, subnormal results 0: the exponential of softmax, whose terms are summed.
DEVICE float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Two values rounded to bf16, to nearest even; `low` in the lower half.
DEVICE u32 bf16_pair(float low, float high) {
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

DEVICE u32 shared_address(const void* shared) { return static_cast<u32>(__cvta_generic_to_shared(shared)); }

// Begins to copy 16 aligned bytes to shared memory, or zeros there unless `valid`, when `global` is not read.
DEVICE void copy_async_16(void* shared, const void* global, bool valid) {
    const int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
                 : "memory");
}
// Ends a group of one's copies; waits until all but the newest groups have arrived. Others see them after a barrier.
DEVICE void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int NEWEST>
DEVICE void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(NEWEST) : "memory");
}

// Four 8 × 8 matrices of bf16 from shared memory, spread over the warp as `mma` takes them; lane l gives the address
// of row l mod 8 of matrix l / 8. Transposed on the way in the second form.
DEVICE void load_matrices(u32 (&to)[4], const void* shared_row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(shared_row))
                 : "memory");
}
DEVICE void load_matrices_transposed(u32 (&to)[4], const void* shared_row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(shared_row))
                 : "memory");
}

// d (16 × 8, f32) += a (16 × 16) · b (16 × 8), both bf16, on the tensor cores.
DEVICE void multiply_add(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
#endif

// Of both readings.

constexpr int WARP = 32;
constexpr float LOG2_E = 1.4426950408889634f;

DEVICE float float_of_bf16(u16 x) { return float_of_bits(static_cast<u32>(x) << 16); }
DEVICE u16 bf16_of_float(float x) { return static_cast<u16>(bf16_pair(x, 0.0f)); }

struct alignas(16) Four {
    float at[4];
};

// Four neighbours that are known to be aligned, as in shared memory.
DEVICE Four& four_at(float* at) { return *reinterpret_cast<Four*>(at); }

// Up to four neighbouring elements, those beyond `count` 0: one access of 16 bytes where four are there and aligned.
DEVICE Four load_four(const float* from, i64 count) {
    if (count >= 4 && (reinterpret_cast<u64>(from) & 15) == 0) return *reinterpret_cast<const Four*>(from);
    Four four = {{0.0f, 0.0f, 0.0f, 0.0f}};
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (i < count) four.at[i] = from[i];
    return four;
}
DEVICE void store_four(float* to, const Four& four, i64 count) {
    if (count >= 4 && (reinterpret_cast<u64>(to) & 15) == 0) {
        *reinterpret_cast<Four*>(to) = four;
        return;
    }
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (i < count) to[i] = four.at[i];
}

// The same of bf16: one access of 8 bytes.
struct alignas(8) Pairs {
    u32 at[2];
};
DEVICE Four load_four(const u16* from, i64 count) {
    Four four = {{0.0f, 0.0f, 0.0f, 0.0f}};
    if (count >= 4 && (reinterpret_cast<u64>(from) & 7) == 0) {
        const Pairs pairs = *reinterpret_cast<const Pairs*>(from);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            four.at[2 * i] = float_of_bits(pairs.at[i] << 16);
            four.at[2 * i + 1] = float_of_bits(pairs.at[i] & 0xffff0000u);
        }
        return four;
    }
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (i < count) four.at[i] = float_of_bf16(from[i]);
    return four;
}
DEVICE void store_four(u16* to, const Four& four, i64 count) {
    const Pairs pairs = {{bf16_pair(four.at[0], four.at[1]), bf16_pair(four.at[2], four.at[3])}};
    if (count >= 4 && (reinterpret_cast<u64>(to) & 7) == 0) {
        *reinterpret_cast<Pairs*>(to) = pairs;
        return;
    }
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (i < count) to[i] = static_cast<u16>(pairs.at[i / 2] >> (16 * (i % 2)));
}

// Two neighbours that are moved together.
struct alignas(8) Two {
    float at[2];
};

// One element, and two neighbours that are aligned to as much.
DEVICE float load_one(const float* from) { return *from; }
DEVICE float load_one(const u16* from) { return float_of_bf16(*from); }
DEVICE void store_one(float* to, float x) { *to = x; }
DEVICE void store_one(u16* to, float x) { *to = bf16_of_float(x); }
DEVICE void store_two(float* to, float x, float y) { *reinterpret_cast<Two*>(to) = {{x, y}}; }
DEVICE void store_two(u16* to, float x, float y) { *reinterpret_cast<u32*>(to) = bf16_pair(x, y); }

// Results in f32 or, rounded to nearest even as they are stored, in bf16: as the launch asks for. A kernel takes both
// parts as parameters of its own, `void* out, int out_is_bf16`.
struct Output {
    void* base;
    int is_bf16;

    DEVICE void set(i64 at, float x) const {
        if (is_bf16)
            store_one(static_cast<u16*>(base) + at, x);
        else
            store_one(static_cast<float*>(base) + at, x);
    }
    DEVICE void set_two(i64 at, float x, float y) const {
        if (is_bf16)
            store_two(static_cast<u16*>(base) + at, x, y);
        else
            store_two(static_cast<float*>(base) + at, x, y);
    }
    DEVICE void set_four(i64 at, const Four& four, i64 count) const {
        if (is_bf16)
            store_four(static_cast<u16*>(base) + at, four, count);
        else
            store_four(static_cast<float*>(base) + at, four, count);
    }
};

// The sum, or the largest, over a warp, in every lane, always in the same order.
DEVICE float warp_sum(float v) {
#pragma unroll
    for (int mask = WARP / 2; mask > 0; mask /= 2) v += shuffle_xor(v, mask);
    return v;
}
DEVICE float warp_max(float v) {
#pragma unroll
    for (int mask = WARP / 2; mask > 0; mask /= 2) v = fmaxf(v, shuffle_xor(v, mask));
    return v;
}

// The sum over a block, in every thread. `partial` [32] is shared; a second call with it needs no barrier between.
DEVICE float block_sum(float v, float* partial) {
    const int warp = THREAD / WARP, lane = THREAD % WARP, warps = THREADS / WARP;
    v = warp_sum(v);
    barrier();  // what an earlier call left has been read
    if (lane == 0) partial[warp] = v;
    barrier();
    return warp_sum(lane < warps ? partial[lane] : 0.0f);
}

DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
DEVICE float silu(float x) { return x * sigmoid(x); }
DEVICE float softplus(float x) { return x > 20.0f ? x : log1pf(expf(x)); }

// As longseq-core's Activation.
enum : int { IDENTITY, SILU, GELU_TANH, SIGMOID };

DEVICE float activation(int which, float x) {
    switch (which) {
        case SILU: return silu(x);
        // ½ (1 + tanh u) is σ(2 u), which loses no digits where tanh u is near −1. 2 √(2/π) = 1.59577.
        case GELU_TANH: return x * sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x));
        case SIGMOID: return sigmoid(x);
        default: return x;
    }
}

// A sequence of a ragged batch.
struct Sequence {
    i64 row;       // of its first token
    int tokens;    // in this call
    int position;  // of the first, counted from the beginning of the slot
    i64 slot;
};

// The lists that say where sequences are: starts [n + 1], slots [n], positions [n].
#define SEQUENCES const int *starts, const int *slots, const int *positions

DEVICE Sequence sequence_of(SEQUENCES, int index) {
    const int row = starts[index];
    return {row, starts[index + 1] - row, positions[index], slots[index]};
}
