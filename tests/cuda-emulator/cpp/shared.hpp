// Shared memory: every array ends at a page that nobody may touch, so that reaching beyond it is noticed, and holds NaN
// when a block begins.
#pragma once

#include <cstring>

#include "fibre.hpp"

namespace emulator {

constexpr size_t WINDOW = 1 << 20;  // more than any device has
constexpr size_t BEFORE = 128;        // bytes before an array that have to stay as they are

struct Array {
    const void* site;  // the declaration, one array however often it is met
    char* window;
    size_t bytes;

    char* begin() const { return window + WINDOW - (bytes + 15) / 16 * 16; }
    void poison() const { memset(begin() - BEFORE, 0xff, window + WINDOW - begin() + BEFORE); }
    // Whether what is beside it has been left alone.
    bool intact() const {
        for (const char* at = begin() - BEFORE; at < begin(); at++)
            if (*at != char(0xff)) return false;
        for (const char* at = begin() + bytes; at < window + WINDOW; at++)
            if (*at != char(0xff)) return false;
        return true;
    }
};

struct SharedMemory {
    std::vector<char*> windows;
    std::vector<Array> arrays;  // of this block
    size_t static_bytes = 0;

    void begin_block() {
        arrays.clear();
        static_bytes = 0;
    }
    char* array(const void* site, size_t bytes, bool dynamic) {
        for (const Array& of : arrays)
            if (of.site == site) return of.begin();
        if (windows.size() == arrays.size()) windows.push_back(make_window());
        arrays.push_back({site, windows[arrays.size()], bytes});
        if (!dynamic) static_bytes += (bytes + 15) / 16 * 16;
        arrays.back().poison();
        return arrays.back().begin();
    }
    // The array that this address is in or behind.
    const Array* of_address(const void* address) const {
        for (const Array& of : arrays)
            if (address >= of.window && address < of.window + WINDOW + PAGE) return &of;
        return nullptr;
    }
    bool intact() const {
        for (const Array& of : arrays)
            if (!of.intact()) return false;
        return true;
    }
    ~SharedMemory() {
        for (char* window : windows) munmap(window, WINDOW + PAGE);
    }

   private:
    static char* make_window() {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void* const place = mmap(nullptr, WINDOW + PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (place == MAP_FAILED || mprotect(static_cast<char*>(place) + WINDOW, PAGE, PROT_NONE) != 0) {
            perror("emulated shared memory");
            abort();
        }
        return static_cast<char*>(place);
    }
};

}  // namespace emulator
