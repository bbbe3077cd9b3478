// A program that uses the emulation as CubeCL does: by NVRTC's and the driver's own calls.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" {
int nvrtcCreateProgram(void **, const char *, const char *, int, const char *const *, const char *const *);
int nvrtcCompileProgram(void *, int, const char *const *);
int nvrtcGetPTXSize(void *, size_t *);
int nvrtcGetPTX(void *, char *);
int nvrtcDestroyProgram(void **);
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxSetCurrent(void *);
int cuMemAlloc_v2(uint64_t *, size_t);
int cuMemFree_v2(uint64_t);
int cuMemcpyHtoD_v2(uint64_t, const void *, size_t);
int cuMemcpyDtoH_v2(void *, uint64_t, size_t);
int cuModuleLoadData(void **, const void *);
int cuModuleGetFunction(void **, void *, const char *);
int cuFuncSetAttribute(void *, int, int);
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
                   void **, void **);
}

inline void must(bool good, const char *what) {
    if (good) return;
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
}
#define MUST(call) must((call) == 0, #call)

inline void start() {
    void *context = nullptr;
    MUST(cuInit(0));
    MUST(cuDevicePrimaryCtxRetain(&context, 0));
    MUST(cuCtxSetCurrent(context));
}

// What CubeCL writes before each kernel.
inline std::string prelude() {
    return "#include <cuda_runtime.h>\n"
           "typedef unsigned int uint;\n"
           "typedef unsigned char uint8;\n"
           "typedef unsigned int uint32;\n"
           "typedef unsigned long long int uint64;\n"
           "typedef signed int int32;\n"
           "typedef signed long long int int64;\n";
}

// The kernel called `name` of a source.
inline void *kernel(const std::string &source, const char *name) {
    void *program = nullptr, *module = nullptr, *function = nullptr;
    MUST(nvrtcCreateProgram(&program, source.c_str(), nullptr, 0, nullptr, nullptr));
    MUST(nvrtcCompileProgram(program, 0, nullptr));
    size_t size = 0;
    MUST(nvrtcGetPTXSize(program, &size));
    std::vector<char> ptx(size);
    MUST(nvrtcGetPTX(program, ptx.data()));
    MUST(nvrtcDestroyProgram(&program));
    MUST(cuModuleLoadData(&module, ptx.data()));
    MUST(cuModuleGetFunction(&function, module, name));
    return function;
}

template <class T>
uint64_t upload(const std::vector<T> &values) {
    uint64_t at = 0;
    MUST(cuMemAlloc_v2(&at, values.size() * sizeof(T)));
    MUST(cuMemcpyHtoD_v2(at, values.data(), values.size() * sizeof(T)));
    return at;
}

template <class T>
std::vector<T> download(uint64_t at, size_t n) {
    std::vector<T> values(n);
    MUST(cuMemcpyDtoH_v2(values.data(), at, n * sizeof(T)));
    return values;
}

// Launches with addresses as the arguments.
inline int launch(void *function, unsigned grid, unsigned block, unsigned shared,
                  std::vector<uint64_t> arguments) {
    std::vector<void *> at;
    for (auto &argument : arguments) at.push_back(&argument);
    MUST(cuFuncSetAttribute(function, 8, int(shared)));
    return cuLaunchKernel(function, grid, 1, 1, block, 1, 1, shared, nullptr, at.data(), nullptr);
}
