// What a kernel's object and the emulated driver share: one thread of a block, and what it asks of
// the others. The two are built apart; EMULATION_VERSION tells whether they fit.
#pragma once

#include <cstddef>
#include <cstdint>

#define EMULATION_VERSION 1

namespace emulation {

struct Dim {
    unsigned x, y, z;
};

constexpr unsigned WARP = 32;
// Bytes of a thread's stack, to which it is aligned.
constexpr size_t STACK = 128 * 1024;

// A step that all lanes of a warp take together: each brings its part, then one `run` does it for all.
struct WarpStep {
    // Of the 32 lanes; those that the block does not have are null.
    void (*run)(WarpStep *const *lanes);
};

struct Thread;

// What the driver does for a thread; `line` is where in the kernel's source.
struct Services {
    void (*sync_threads)(Thread *, unsigned line);
    void (*warp_step)(Thread *, unsigned line, WarpStep *);
    [[noreturn]] void (*fail)(Thread *, const char *what);
};

struct Thread {
    Dim thread, block, block_dim, grid_dim;
    unsigned lane;
    // The block's dynamic shared memory.
    unsigned char *shared;
    const Services *services;
};

// A thread's description lies near the end of its stack, so that it is found without any lookup; each at
// another distance from it, or all of them would share a few lines of the processor's caches.
constexpr size_t ROOM = 256, COLOURS = 64, COLOUR = 9 * 64;

inline Thread *self() {
    uintptr_t stack = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) / STACK;
    return reinterpret_cast<Thread *>((stack + 1) * STACK - ROOM - stack % COLOURS * COLOUR);
}

// The entry of a kernel's object.
struct Kernel {
    unsigned version;
    const char *name;
    // Arguments, how many, and which of them are pointers (a bit each).
    unsigned arguments;
    uint64_t pointers;
    // The largest block by __launch_bounds__.
    unsigned bound;
    // Runs one thread.
    void (*run)(void **arguments);
};

}  // namespace emulation
