// Kernels by name, called with an argument list as cuLaunchKernel takes it.
#pragma once

#include <utility>

#include "block.hpp"

namespace emulator {

struct Entry {
    const char* name;
    const char* fault;  // planted in it; empty if none
    void (*call)(void** arguments);
    int parameters;
    const size_t* sizes;  // bytes of each parameter
};

template <auto KERNEL>
struct Kernel;

template <class... Parameters, void (*KERNEL)(Parameters...)>
struct Kernel<KERNEL> {
    static constexpr size_t sizes[sizeof...(Parameters) + 1] = {sizeof(Parameters)..., 0};

    template <size_t... I>
    static void unpack([[maybe_unused]] void** arguments, std::index_sequence<I...>) {
        KERNEL(*static_cast<Parameters*>(arguments[I])...);
    }
    static void call(void** arguments) { unpack(arguments, std::index_sequence_for<Parameters...>{}); }
    static constexpr Entry entry(const char* name, const char* fault) {
        return {name, fault, call, int(sizeof...(Parameters)), sizes};
    }
};

}  // namespace emulator
