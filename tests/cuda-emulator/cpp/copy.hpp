// Asynchronous copies to shared memory: they arrive when the options say, at the latest when they are waited for.
#pragma once

#include "block.hpp"

namespace emulator {

inline void arrive(const Copy& copy) {
    if (copy.valid)
        memcpy(copy.to, copy.from, 16);
    else
        memset(copy.to, 0, 16);
}

inline void copy_async_16(void* to, const void* from, bool valid) {
    if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || (valid && reinterpret_cast<uintptr_t>(from) % 16 != 0))
        fail("copy_async_16: an address is not aligned to 16 bytes");
    const Array* const array = block.shared.of_address(to);
    if (array == nullptr) fail("copy_async_16: not to shared memory");
    if (to < array->begin() || static_cast<char*>(to) + 16 > array->window + WINDOW)
        fail("copy_async_16: beyond an array in shared memory");
    const Arrival arrival = block.options.copies;
    const Copy copy{to, from, valid};
    if (arrival == Arrival::Early || (arrival == Arrival::Random && random_bits() % 2 != 0))
        arrive(copy);
    else
        fibre->copies.back().push_back(copy);
}

inline void copy_async_wait(size_t newest) {
    auto& groups = fibre->copies;
    while (groups.size() > newest + 1) {
        for (const Copy& copy : groups.front()) arrive(copy);
        groups.erase(groups.begin());
    }
}

}  // namespace emulator

inline void copy_async_16(void* shared, const void* global, bool valid) { emulator::copy_async_16(shared, global, valid); }
inline void copy_async_commit() { emulator::fibre->copies.emplace_back(); }
template <int NEWEST>
inline void copy_async_wait() {
    emulator::copy_async_wait(NEWEST);
}
