// From the CUDA C++ of one kernel to what g++ compiles.
#pragma once

#include <string>

namespace emulation {

struct Rewritten {
    // The text, and what was in the way where it is empty.
    std::string text, error;
    // Of the kernel.
    std::string name;
};

// The text of one `__global__` function, as CubeCL writes it. Lines keep their numbers, and are called
// `path` in messages.
Rewritten rewrite(const std::string &source, const std::string &path);

}  // namespace emulation
