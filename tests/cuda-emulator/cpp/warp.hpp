// What the 32 lanes of a warp do together: every lane leaves its operands and waits; the last to come does the work.
#pragma once

#include "block.hpp"

namespace emulator {

// `work(operands, lanes)` is done once, with the operands of all lanes.
template <class Operands, class Work>
inline void together(const char* operation, int line, const Operands& own, Work work) {
    const unsigned first = fibre->thread / LANES * LANES;
    fibre->operands = &own;
    fibre->site = operation;
    fibre->line = line;
    fibre->state = State::InWarp;
    if (++block.arrived[first / LANES] < LANES) return wait_for_others();
    block.arrived[first / LANES] = 0;
    const Operands* operands[LANES];
    for (unsigned lane = 0; lane < LANES; lane++) {
        const Fibre& of = *block.fibres.all[first + lane];
        if (of.line != line || strcmp(of.site, operation) != 0)
            fail("warp %u: thread %u is in %s:%d, thread %u in %s:%d", first / LANES, fibre->thread, operation, line,
                 of.thread, of.site, of.line);
        operands[lane] = static_cast<const Operands*>(of.operands);
    }
    work(operands);
    block.statistics->warp_operations++;
    for (unsigned lane = 0; lane < LANES; lane++) block.fibres.all[first + lane]->state = State::Ready;
}

template <class T>
struct Shuffle {
    T value;
    int argument;
    T* result;
};

// Lane `lane` gets the value of lane `source(lane, its argument)`.
template <class T, class Source>
inline T shuffled(const char* operation, int line, T value, int argument, Source source) {
    T result{};
    const Shuffle<T> own{value, argument, &result};
    together(operation, line, own, [&](const Shuffle<T>* const* lanes) {
        for (int lane = 0; lane < int(LANES); lane++) {
            const int from = source(lane, lanes[lane]->argument);
            if (from < 0 || from >= int(LANES)) fail("%s of lane %d, in lane %d", operation, from, lane);
            *lanes[lane]->result = lanes[from]->value;
        }
    });
    return result;
}

}  // namespace emulator

inline void barrier(int line = __builtin_LINE(), const char* file = __builtin_FILE()) { emulator::barrier(line, file); }
inline void warp_barrier(int line = __builtin_LINE()) {
    emulator::together("warp_barrier", line, line, [](const int* const*) {});
}
inline float shuffle_xor(float v, int mask, int line = __builtin_LINE()) {
    return emulator::shuffled("shuffle_xor", line, v, mask, [](int lane, int mask) { return lane ^ mask; });
}
inline int shuffle_xor(int v, int mask, int line = __builtin_LINE()) {
    return emulator::shuffled("shuffle_xor", line, v, mask, [](int lane, int mask) { return lane ^ mask; });
}
template <class T>
inline T shuffle_up(T v, int distance, int line = __builtin_LINE()) {
    const auto source = [](int lane, int distance) { return lane < distance ? lane : lane - distance; };
    return emulator::shuffled("shuffle_up", line, v, distance, source);
}
template <class T>
inline T shuffle(T v, int lane, int line = __builtin_LINE()) {
    return emulator::shuffled("shuffle", line, v, lane, [](int, int of) { return of; });
}
