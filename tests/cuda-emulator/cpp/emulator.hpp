// In place of device.cuh's device half: the same names, run by fibres of the host. A source is compiled within a
// namespace without a name, so that others may have the same names in it.
#pragma once

#include <algorithm>
#include <cmath>

#include "copy.hpp"
#include "launch.hpp"
#include "matrix.hpp"
#include "warp.hpp"

#define KERNEL(...) void
#define DEVICE inline
#define SHARED(type, name, count) \
    static_assert(sizeof(type) * (count) <= 48 << 10, "more static shared memory than a device has"); \
    static const char name##_site = 0; \
    type* const name = reinterpret_cast<type*>(emulator::block.shared.array(&name##_site, sizeof(type) * (count), false))
#define DYNAMIC_SHARED(type, name) type* const name = reinterpret_cast<type*>(emulator::dynamic_shared())
#define THREAD (emulator::fibre->thread)
#define THREADS (emulator::block.threads)
#define BLOCK (emulator::block.index)
#define BLOCKS (emulator::block.count)

namespace emulator {

inline char* dynamic_shared() { return block.shared.array(nullptr, block.dynamic_shared, true); }

}  // namespace emulator

using std::max;
using std::min;

inline float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
inline uint32_t bits_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}
inline float exp2_fast(float x) { return exp2f(x); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline uint32_t bf16_bits(float x) {
    const uint32_t bits = bits_of_float(x);
    if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;  // the one NaN that the instruction gives
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
inline uint32_t bf16_pair(float low, float high) { return bf16_bits(low) | bf16_bits(high) << 16; }
