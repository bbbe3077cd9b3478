// nvrtc-check NVRTC ARCHITECTURE FILE [FOLDER...]: whether NVIDIA's compiler, the library NVRTC, takes a
// source, with headers from the folders; prints what it says. No GPU is needed.
//
// A program of its own, since NVRTC looks for libcuda.so.1 and must not find the emulated one.

#include <dlfcn.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace {

struct Nvrtc {
    using Program = struct Opaque *;
    int (*version)(int *, int *);
    int (*create)(Program *, const char *, const char *, int, const char *const *, const char *const *);
    int (*compile)(Program, int, const char *const *);
    int (*log_size)(Program, size_t *);
    int (*log)(Program, char *);
    int (*cubin_size)(Program, size_t *);

    bool load(const char *path) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        auto find = [&](auto &function, const char *symbol) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
            return function != nullptr;
        };
        bool good = library && find(version, "nvrtcVersion") && find(create, "nvrtcCreateProgram") &&
                    find(compile, "nvrtcCompileProgram") && find(log_size, "nvrtcGetProgramLogSize") &&
                    find(log, "nvrtcGetProgramLog") && find(cubin_size, "nvrtcGetCUBINSize");
        if (!good) std::fprintf(stderr, "%s\n", dlerror());
        return good;
    }
};

}  // namespace

int main(int count, char **arguments) {
    if (count < 4) {
        std::fprintf(stderr, "usage: nvrtc-check NVRTC ARCHITECTURE FILE [FOLDER...]\n");
        return 2;
    }
    Nvrtc nvrtc;
    if (!nvrtc.load(arguments[1])) return 2;
    std::ifstream file(arguments[3], std::ios::binary);
    std::ostringstream source;
    source << file.rdbuf();
    if (!file || source.str().empty()) {
        std::fprintf(stderr, "%s cannot be read\n", arguments[3]);
        return 2;
    }
    // As CubeCL does it, and with what ptxas says of registers and spills.
    std::vector<std::string> options = {"--gpu-architecture=" + std::string(arguments[2]), "-lineinfo",
                                        "--ptxas-options=-v"};
    for (int i = 4; i < count; ++i) options.push_back("--include-path=" + std::string(arguments[i]));
    std::vector<const char *> pointers;
    for (auto &option : options) pointers.push_back(option.c_str());
    Nvrtc::Program program = nullptr;
    if (nvrtc.create(&program, source.str().c_str(), nullptr, 0, nullptr, nullptr) != 0) return 2;
    int status = nvrtc.compile(program, int(pointers.size()), pointers.data());
    int major = 0, minor = 0;
    nvrtc.version(&major, &minor);
    std::fprintf(stderr, "NVRTC %d.%d for %s\n", major, minor, arguments[2]);
    size_t size = 0;
    if (nvrtc.log_size(program, &size) == 0 && size > 1) {
        std::vector<char> said(size);
        nvrtc.log(program, said.data());
        std::fprintf(stderr, "%s", said.data());
    }
    // Machine code, so that the assembler has taken it too.
    size = 0;
    return status == 0 && nvrtc.cubin_size(program, &size) == 0 && size > 0 ? 0 : 1;
}
