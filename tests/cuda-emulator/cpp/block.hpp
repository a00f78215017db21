// A block of threads: who runs next, barriers, and what is wrong.
#pragma once

#include <cstdarg>
#include <utility>

#include "shared.hpp"

namespace emulator {

constexpr unsigned LANES = 32;

// In which order threads run between barriers: what is right does not depend on it.
enum class Order : int { Up, Down, Random };
// When asynchronous copies arrive: as late or as early as they may, or each either way.
enum class Arrival : int { Late, Early, Random };

struct Options {
    Order order;
    Arrival copies;
    uint64_t seed;
};

struct Statistics {
    uint64_t barriers, warp_operations, matrix_loads, bank_conflicts, multiplications, static_shared;
};

struct Index {
    unsigned x, y, z;
};

struct Block {
    Index index{}, count{};
    unsigned threads = 0;
    size_t dynamic_shared = 0;
    Options options{};
    Statistics* statistics = nullptr;
    uint64_t random_state = 1;
    Fibres fibres;
    SharedMemory shared;
    std::vector<unsigned> arrived;  // lanes of each warp that have come to its operation
    bool failed = false;
    char message[512] = "";
    bool faulted = false;
    const void* fault = nullptr;  // the address that could not be read or written, if faulted
};

inline thread_local Block block;

inline uint64_t random_bits() {
    uint64_t& x = block.random_state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

inline void shuffle_order(unsigned* order, unsigned count) {
    for (unsigned i = count; i > 1; i--) std::swap(order[i - 1], order[random_bits() % i]);
}

inline void note_failure(const char* format, va_list values) {
    if (!block.failed) vsnprintf(block.message, sizeof block.message, format, values);
    block.failed = true;
}
[[gnu::format(printf, 1, 2)]] inline void note_failure(const char* format, ...) {
    va_list values;
    va_start(values, format);
    note_failure(format, values);
    va_end(values);
}
// Ends the launch from within a thread of it.
[[noreturn, gnu::format(printf, 1, 2)]] inline void fail(const char* format, ...) {
    va_list values;
    va_start(values, format);
    note_failure(format, values);
    va_end(values);
    _longjmp(scheduler, 1);
}

inline void barrier(int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    fibre->state = State::AtBarrier;
    fibre->site = file;
    fibre->line = line;
    wait_for_others();
}

// Lets every fibre at a barrier go on, if all that have not ended stand at the same one.
inline void release_barrier() {
    const Fibre* first = nullptr;
    for (unsigned i = 0; i < block.threads; i++) {
        const Fibre& of = *block.fibres.all[i];
        if (of.state != State::AtBarrier) continue;
        if (first == nullptr) first = &of;
        if (of.line != first->line || strcmp(of.site, first->site) != 0)
            return note_failure("divergent barriers: thread %u at %s:%d, thread %u at %s:%d", first->thread, first->site,
                                first->line, of.thread, of.site, of.line);
    }
    for (unsigned i = 0; i < block.threads; i++)
        if (block.fibres.all[i]->state == State::AtBarrier) block.fibres.all[i]->state = State::Ready;
    block.statistics->barriers++;
}

// Runs every lane of a warp that can, once; false if there was none.
inline bool run_lanes(unsigned warp) {
    unsigned lanes[LANES];
    for (unsigned i = 0; i < LANES; i++) lanes[i] = block.options.order == Order::Down ? LANES - 1 - i : i;
    if (block.options.order == Order::Random) shuffle_order(lanes, LANES);
    bool ran = false;
    for (unsigned lane : lanes) {
        Fibre& next = *block.fibres.all[warp * LANES + lane];
        if (next.state != State::Ready) continue;
        resume(next);
        ran = true;
        if (block.failed) break;
    }
    return ran;
}

// Runs every warp, one after the other, as far as it can without the others; some only a part of the way, where the
// order is random. False if none could run.
inline bool run_warps(std::vector<unsigned>& warps) {
    const bool random = block.options.order == Order::Random;
    if (random) shuffle_order(warps.data(), warps.size());
    bool ran = false;
    for (unsigned warp : warps) {
        while (!block.failed && run_lanes(warp)) {
            ran = true;
            if (random && random_bits() % 4 == 0) break;
        }
        if (block.failed) break;
    }
    return ran;
}

inline void report_deadlock(unsigned at_barrier, unsigned done) {
    for (unsigned i = 0; i < block.threads; i++) {
        const Fibre& of = *block.fibres.all[i];
        if (of.state == State::Done) continue;
        return note_failure("deadlock: thread %u waits at %s:%d, %u of %u are at a barrier, %u have ended", of.thread,
                            of.site, of.line, at_barrier, block.threads, done);
    }
}

// Runs one block to its end or first fault.
inline void run_block() {
    block.shared.begin_block();
    block.arrived.assign(block.threads / LANES, 0);
    std::vector<unsigned> warps(block.threads / LANES);
    for (unsigned i = 0; i < warps.size(); i++)
        warps[i] = block.options.order == Order::Down ? warps.size() - 1 - i : i;
    for (unsigned i = 0; i < block.threads; i++) {
        Fibre& of = *block.fibres.all[i];
        of.thread = i;
        of.state = State::Ready;
        of.copies.assign(1, {});
    }
    while (!block.failed) {
        const bool ran = run_warps(warps);
        unsigned at_barrier = 0, done = 0;
        for (unsigned i = 0; i < block.threads; i++) {
            at_barrier += block.fibres.all[i]->state == State::AtBarrier;
            done += block.fibres.all[i]->state == State::Done;
        }
        if (block.failed || done == block.threads) break;
        if (at_barrier > 0 && at_barrier + done == block.threads)
            release_barrier();
        else if (!ran)
            report_deadlock(at_barrier, done);
    }
    if (!block.failed && !block.shared.intact()) note_failure("shared memory beside an array was written to");
    if (block.shared.static_bytes > block.statistics->static_shared)
        block.statistics->static_shared = block.shared.static_bytes;
    // What was left in the middle begins anew.
    if (block.failed)
        for (Fibre* of : block.fibres.all) of->begun = false;
}

}  // namespace emulator
