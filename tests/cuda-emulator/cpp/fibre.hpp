// A thread of a kernel: a stack of its own, run until it has to wait for others.
//
// The first step onto a stack is setcontext(); later ones are _longjmp(), which makes no system call. A fibre outlives
// the kernel it ran and runs the next, unless it was left in the middle of one that failed.
#pragma once

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

namespace emulator {

enum class State : uint8_t { Ready, AtBarrier, InWarp, Done };

// 16 bytes on their way to shared memory.
struct Copy {
    void* to;
    const void* from;
    bool valid;
};

struct Fibre {
    State state = State::Done;
    unsigned thread = 0;
    // Where it waits, and the operands it brought there.
    const char* site = nullptr;
    int line = 0;
    const void* operands = nullptr;
    // Groups of copies that have not arrived; the last is not yet committed.
    std::vector<std::vector<Copy>> copies;

    bool begun = false;
    jmp_buf context;
    ucontext_t first;
    char* stack = nullptr;
};

constexpr size_t PAGE = 4096;
constexpr size_t STACK = 128 << 10;

inline thread_local Fibre* fibre = nullptr;  // which one runs
inline thread_local jmp_buf scheduler;       // where it goes when it waits
void run_kernel();                           // one thread of the kernel that is launched

[[gnu::noinline]] inline void wait_for_others() {
    if (_setjmp(fibre->context) == 0) _longjmp(scheduler, 1);
}

inline void fibre_main() {
    for (;;) {
        run_kernel();
        fibre->state = State::Done;
        wait_for_others();
    }
}

// Runs a fibre until it waits.
[[gnu::noinline]] inline void resume(Fibre& next) {
    fibre = &next;
    if (_setjmp(scheduler) == 0) {
        if (next.begun) _longjmp(next.context, 1);
        next.begun = true;
        getcontext(&next.first);
        next.first.uc_stack.ss_sp = next.stack;
        next.first.uc_stack.ss_size = STACK;
        next.first.uc_link = nullptr;
        makecontext(&next.first, fibre_main, 0);
        setcontext(&next.first);
    }
    fibre = nullptr;
}

// Fibres of this host thread, each stack behind a page that nobody may touch.
struct Fibres {
    std::vector<Fibre*> all;

    void reserve(size_t count) {
        while (all.size() < count) {
            const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
            void* const place = mmap(nullptr, PAGE + STACK, PROT_READ | PROT_WRITE, flags, -1, 0);
            if (place == MAP_FAILED || mprotect(place, PAGE, PROT_NONE) != 0) {
                perror("stack of an emulated thread");
                abort();
            }
            all.push_back(new Fibre);
            all.back()->stack = static_cast<char*>(place) + PAGE;
        }
    }
    ~Fibres() {
        for (Fibre* of : all) {
            munmap(of->stack - PAGE, PAGE + STACK);
            delete of;
        }
    }
};

}  // namespace emulator
