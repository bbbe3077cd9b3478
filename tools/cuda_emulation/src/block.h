// A block of threads on one OS thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emulation.h"

namespace emulation {

// In which order the threads between two barriers run, and the blocks of a grid.
enum class Order { Forward, Backward, Shuffled };

// By LMZ_EMULATION_ORDER.
Order order();

// Numbers for `Shuffled`: xorshift64*.
struct Random {
    uint64_t state;
    uint64_t next();
    // Swaps all of `items` about.
    void shuffle(std::vector<uint32_t> &items);
};

// 0..n in an order.
void arrange(std::vector<uint32_t> &items, uint32_t n, Order order, Random &random);

// One launch of a kernel.
struct Launch {
    const Kernel *kernel;
    void **arguments;
    Dim grid, block;
    // Bytes of dynamic shared memory.
    size_t shared;
};

// The most threads of a block and bytes of its shared memory.
constexpr unsigned MAX_THREADS = 1024;
constexpr size_t MAX_SHARED = 227 * 1024;

// What one OS thread needs to run blocks.
class Runner {
  public:
    explicit Runner(uint64_t seed);
    ~Runner();
    Runner(const Runner &) = delete;

    // Runs one block of a launch from its start to its end. Aborts where threads do not meet.
    void run(const Launch &launch, Dim block);

  private:
    struct Fibers;
    std::unique_ptr<Fibers> fibers;
};

}  // namespace emulation
