// A grid of blocks, over two OS threads.
#pragma once

#include "block.h"

namespace emulation {

// Runs all blocks of a launch; comes back when they have ended. One launch at a time.
void run_grid(const Launch &launch);

}  // namespace emulation
