// CubeCL includes NVIDIA's header of this name where a kernel has matrix instructions; those it uses are
// rewritten by the emulated NVRTC (../src/rewrite.cpp) into calls of emulation_mma.h.
#pragma once
#include "emulation_mma.h"
