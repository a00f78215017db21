// The emulator as a program in Rust calls it: memory whose ends are noticed, and launches.

#include <mutex>
#include <signal.h>

#include "block.hpp"
#include "launch.hpp"

namespace emulator {

static thread_local const Entry* launched;
static thread_local void** launched_arguments;

void run_kernel() { launched->call(launched_arguments); }

// A thread of a kernel touched what it may not, or did what -fsanitize traps: that ends the launch, not the program.
constexpr int SIGNALS[] = {SIGSEGV, SIGILL, SIGTRAP};
static struct sigaction actions_before[3];

static void note_fault(const char* address) {
    const Array* const array = block.shared.of_address(address);
    if (array != nullptr)
        return note_failure("thread %u reaches %td bytes into an array of %zu in shared memory", fibre->thread,
                            address - array->begin(), array->bytes);
    if (address >= fibre->stack - PAGE && address < fibre->stack)
        return note_failure("thread %u needs more than %zu bytes of stack", fibre->thread, STACK);
    note_failure("thread %u reaches", fibre->thread);
    block.faulted = true;
    block.fault = address;
}

static void on_signal(int signal, siginfo_t* info, void*) {
    if (fibre == nullptr) {  // none of ours
        for (int i = 0; i < 3; i++)
            if (SIGNALS[i] == signal) sigaction(signal, &actions_before[i], nullptr);
        return;
    }
    if (signal == SIGSEGV)
        note_fault(static_cast<const char*>(info->si_addr));
    else
        note_failure("thread %u: an access is not aligned, or an index, a shift or a division is out of range",
                     fibre->thread);
    _longjmp(scheduler, 1);
}

static void watch_signals() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action = {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (int i = 0; i < 3; i++) sigaction(SIGNALS[i], &action, &actions_before[i]);
    });
    static thread_local char own_stack[64 << 10];
    stack_t stack;
    sigaltstack(nullptr, &stack);
    if (stack.ss_flags & SS_DISABLE) {
        stack = {};
        stack.ss_sp = own_stack;
        stack.ss_size = sizeof own_stack;
        sigaltstack(&stack, nullptr);
    }
}

static void run_grid(Index count) {
    const uint64_t total = uint64_t(count.x) * count.y * count.z;
    for (uint64_t i = 0; i < total && !block.failed; i++) {
        const uint64_t number = block.options.order == Order::Down ? total - 1 - i : i;
        block.index = {unsigned(number % count.x), unsigned(number / count.x % count.y),
                       unsigned(number / count.x / count.y)};
        run_block();
    }
}

}  // namespace emulator

using namespace emulator;

extern "C" {

extern const Entry* const emulator_entries[];
extern const int emulator_entry_count;

struct Launch {
    const Entry* entry;
    unsigned blocks[3];
    unsigned threads;
    size_t dynamic_shared;
    void** arguments;
    Options options;
};

struct Failure {
    char message[600];
    int faulted;
    const void* fault;
};

const Entry* emulator_find(const char* name, const char* fault) {
    const Entry* found = nullptr;
    for (int i = 0; i < emulator_entry_count; i++) {
        const Entry* const of = emulator_entries[i];
        if (strcmp(of->name, name) != 0) continue;
        if (strcmp(of->fault, fault) == 0) return of;
        if (of->fault[0] == 0) found = of;
    }
    return found;
}

int emulator_parameters(const Entry* entry, const size_t** sizes) {
    *sizes = entry->sizes;
    return entry->parameters;
}

int emulator_launch(const Launch* launch, Statistics* statistics, Failure* failure) {
    watch_signals();
    launched = launch->entry;
    launched_arguments = launch->arguments;
    block.count = {launch->blocks[0], launch->blocks[1], launch->blocks[2]};
    block.threads = launch->threads;
    block.dynamic_shared = launch->dynamic_shared;
    block.options = launch->options;
    block.statistics = statistics;
    block.random_state = launch->options.seed * 0x9e3779b97f4a7c15ull | 1;
    block.failed = false;
    block.faulted = false;
    block.fibres.reserve(block.threads);
    run_grid(block.count);
    if (!block.failed) return 0;
    snprintf(failure->message, sizeof failure->message, "block (%u, %u, %u): %s", block.index.x, block.index.y,
             block.index.z, block.message);
    failure->faulted = block.faulted;
    failure->fault = block.fault;
    return 1;
}

// Memory that ends, but for up to 15 bytes, where a page begins that nobody may touch; NaN at first. What lies beside
// it on its pages has to stay as it is.
static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }
static size_t in_sixteens(size_t bytes) { return (bytes + 15) / 16 * 16; }

char* emulator_allocate(size_t bytes) {
    const size_t pages = whole_pages(bytes);
    void* const place = mmap(nullptr, pages + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return nullptr;
    char* const first = static_cast<char*>(place) + PAGE;
    if (mprotect(first, pages, PROT_READ | PROT_WRITE) != 0) return nullptr;
    memset(first, 0xff, pages);
    return first + pages - in_sixteens(bytes);
}

void emulator_free(char* memory, size_t bytes) {
    char* const end = memory + in_sixteens(bytes);
    munmap(end - whole_pages(bytes) - PAGE, whole_pages(bytes) + 2 * PAGE);
}

int emulator_intact(const char* memory, size_t bytes) {
    const char* const end = memory + in_sixteens(bytes);
    for (const char* at = end - whole_pages(bytes); at < memory; at++)
        if (*at != char(0xff)) return 0;
    for (const char* at = memory + bytes; at < end; at++)
        if (*at != char(0xff)) return 0;
    return 1;
}
}
