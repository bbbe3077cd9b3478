// NVIDIA's own compiler, where it is at hand.
#pragma once

#include <string>

namespace emulation {

// Compiles a source with the NVRTC that LMZ_NVRTC names, for each of the architectures that matter, with
// the headers in LMZ_CUDA_INCLUDE (folders, separated by colons). True where it takes it, or none is
// named; otherwise `log` says what it says.
bool real_nvrtc_takes(const std::string &source, std::string &log);

}  // namespace emulation
