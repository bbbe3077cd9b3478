// What the emulated NVRTC gives as PTX, and the emulated driver takes: this line, then a path.
#pragma once

namespace emulation {

constexpr const char *PTX_HEAD = "// A shared object of lmz's CUDA emulation\n";

}  // namespace emulation
