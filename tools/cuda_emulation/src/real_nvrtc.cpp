#include "real_nvrtc.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <sstream>
#include <vector>

#include "build.h"
#include "report.h"

namespace emulation {

namespace {

struct Nvrtc {
    using Program = struct Opaque *;
    int (*version)(int *, int *);
    int (*create)(Program *, const char *, const char *, int, const char *const *, const char *const *);
    int (*compile)(Program, int, const char *const *);
    int (*log_size)(Program, size_t *);
    int (*log)(Program, char *);
    int (*destroy)(Program *);
    std::string name;

    explicit Nvrtc(const char *path) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!library) die("LMZ_NVRTC: %s", dlerror());
        auto load = [&](auto &function, const char *symbol) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
            if (!function) die("LMZ_NVRTC: %s has no %s", path, symbol);
        };
        load(version, "nvrtcVersion");
        load(create, "nvrtcCreateProgram");
        load(compile, "nvrtcCompileProgram");
        load(log_size, "nvrtcGetProgramLogSize");
        load(log, "nvrtcGetProgramLog");
        load(destroy, "nvrtcDestroyProgram");
        int major = 0, minor = 0;
        version(&major, &minor);
        name = "NVRTC " + std::to_string(major) + "." + std::to_string(minor);
    }
};

const char *const ARCHITECTURES[] = {"sm_80", "sm_90a"};

}  // namespace

bool real_nvrtc_takes(const std::string &source, std::string &log) {
    const char *path = std::getenv("LMZ_NVRTC");
    if (!path || !*path) return true;
    static std::mutex one;
    std::lock_guard<std::mutex> lock(one);
    static const Nvrtc nvrtc(path);
    std::vector<std::string> includes;
    const char *folders = std::getenv("LMZ_CUDA_INCLUDE");
    std::istringstream stream(folders ? folders : "");
    for (std::string folder; std::getline(stream, folder, ':');)
        includes.push_back("--include-path=" + folder);

    for (const char *architecture : ARCHITECTURES) {
        std::string stem = cache() + "/" + digest(nvrtc.name + architecture + source);
        std::string passed = stem + ".nvrtc";
        if (access(passed.c_str(), R_OK) == 0) continue;
        // As CubeCL does it, and with what ptxas says of registers and spills.
        std::string arch = "--gpu-architecture=" + std::string(architecture);
        std::vector<const char *> options = {arch.c_str(), "-lineinfo", "--ptxas-options=-v"};
        for (auto &include : includes) options.push_back(include.c_str());
        Nvrtc::Program program = nullptr;
        if (nvrtc.create(&program, source.c_str(), nullptr, 0, nullptr, nullptr) != 0) {
            log = nvrtc.name + " does not take the program";
            return false;
        }
        int status = nvrtc.compile(program, int(options.size()), options.data());
        size_t size = 0;
        std::string said;
        if (nvrtc.log_size(program, &size) == 0 && size > 1) {
            said.resize(size);
            nvrtc.log(program, said.data());
            said.resize(size - 1);
        }
        nvrtc.destroy(&program);
        if (status != 0) {
            log = nvrtc.name + " for " + architecture + ":\n" + said;
            return false;
        }
        write(passed, nvrtc.name + " for " + architecture + "\n" + said);
    }
    return true;
}

}  // namespace emulation
