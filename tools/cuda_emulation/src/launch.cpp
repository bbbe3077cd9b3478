// Modules, functions and launches of CUDA's driver. A "PTX" is the text that the emulated NVRTC gives: the
// path of a shared object.

#include "launch.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "api.h"
#include "grid.h"
#include "memory.h"
#include "ptx.h"
#include "report.h"

struct CUmod_st {
    const emulation::Kernel *kernel;
};
// A module has one kernel.
struct CUfunc_st {
    const emulation::Kernel *kernel;
    int shared_limit;
};

namespace emulation {

namespace {

std::atomic<bool> is_lost{false};
std::atomic<uint64_t> launches{0};
// Without asking for more, a block has this much dynamic shared memory.
constexpr int SHARED = 48 * 1024;

struct Loss {
    uint64_t at;
    bool later;
};

const Loss &loss() {
    static const Loss asked = [] {
        const char *text = std::getenv("LMZ_EMULATION_LOST");
        if (!text || !*text) return Loss{0, false};
        char *end = nullptr;
        uint64_t at = std::strtoull(text, &end, 10);
        bool later = std::strcmp(end, ":later") == 0;
        if (end == text || (*end && !later)) die("LMZ_EMULATION_LOST is N or N:later, not %s", text);
        return Loss{at, later};
    }();
    return asked;
}

// The launch from which on kernels do nothing: then the time of a pass is the host's.
uint64_t idle_from() {
    static const uint64_t asked = [] {
        const char *text = std::getenv("LMZ_EMULATION_IDLE");
        return text && *text ? std::strtoull(text, nullptr, 10) : UINT64_MAX;
    }();
    return asked;
}

// Where LMZ_EMULATION_COUNT is set, how many launches there were is told at the end.
struct Count {
    ~Count() {
        if (std::getenv("LMZ_EMULATION_COUNT"))
            std::fprintf(stderr, "CUDA emulation: %llu launches\n", (unsigned long long)launches.load());
    }
} count;

}  // namespace

bool lost() { return is_lost; }

}  // namespace emulation

using namespace emulation;

EXPORT CUresult cuModuleLoadData(CUmodule *module, const void *image) {
    if (CUresult error = current()) return error;
    std::string text = static_cast<const char *>(image);
    std::string head = PTX_HEAD;
    if (text.compare(0, head.size(), head) != 0) return CUDA_ERROR_INVALID_IMAGE;
    std::string path = text.substr(head.size());
    void *object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!object) die("%s", dlerror());
    auto *kernel = static_cast<const Kernel *>(dlsym(object, "emulation_kernel"));
    if (!kernel || kernel->version != EMULATION_VERSION) return CUDA_ERROR_INVALID_IMAGE;
    *module = new CUmod_st{kernel};
    return CUDA_SUCCESS;
}

EXPORT CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
    if (CUresult error = current()) return error;
    if (std::strcmp(name, module->kernel->name) != 0) return CUDA_ERROR_NOT_FOUND;
    *function = new CUfunc_st{module->kernel, SHARED};
    return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
    if (CUresult error = current()) return error;
    // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.
    if (attribute != 8) die("function attribute %d is not emulated", attribute);
    if (value < 0 || size_t(value) > MAX_SHARED) return CUDA_ERROR_INVALID_VALUE;
    function->shared_limit = value > SHARED ? value : SHARED;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                               unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                               CUstream, void **arguments, void **extra) {
    if (CUresult error = current()) return error;
    if (++launches == loss().at) {
        is_lost = true;
        return loss().later ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED;
    }
    if (launches >= idle_from()) return CUDA_SUCCESS;
    const Kernel &kernel = *function->kernel;
    uint64_t threads = uint64_t(block_x) * block_y * block_z;
    bool good = grid_x > 0 && grid_y > 0 && grid_z > 0 && grid_x <= 2147483647u && grid_y <= 65535 &&
                grid_z <= 65535 && threads > 0 && threads <= MAX_THREADS && block_z <= 64 &&
                shared <= unsigned(function->shared_limit) && !extra;
    if (!good) return CUDA_ERROR_INVALID_VALUE;
    if (threads > kernel.bound)
        die("%s is launched with %llu threads, and bound to %u", kernel.name, (unsigned long long)threads,
            kernel.bound);
    for (unsigned i = 0; i < kernel.arguments; ++i) {
        if (!arguments[i]) die("%s is launched without its argument %u", kernel.name, i);
        if (kernel.pointers >> i & 1)
            check_device(kernel.name, *static_cast<const uint64_t *>(arguments[i]), 1);
    }
    Launch launch{&kernel, arguments, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared};
    run_grid(launch);
    return CUDA_SUCCESS;
}
