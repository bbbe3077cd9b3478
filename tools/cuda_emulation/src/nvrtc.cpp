// CUDA's run-time compiler (libnvrtc.so.12) by g++.

#include <cstdio>
#include <cstring>
#include <string>

#include "api.h"
#include "build.h"
#include "ptx.h"
#include "real_nvrtc.h"

struct nvrtcProgram_st {
    std::string source, log, ptx;
};

namespace {

using Program = nvrtcProgram_st *;

enum : int { SUCCESS = 0, INVALID_INPUT = 3, INVALID_PROGRAM = 4, COMPILATION = 6 };

}  // namespace

EXPORT int nvrtcVersion(int *major, int *minor) {
    *major = 12;
    *minor = 9;
    return SUCCESS;
}

EXPORT const char *nvrtcGetErrorString(int result) {
    switch (result) {
        case SUCCESS: return "NVRTC_SUCCESS";
        case INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
        case INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
        case COMPILATION: return "NVRTC_ERROR_COMPILATION";
        default: return "an error that the emulation does not give";
    }
}

EXPORT int nvrtcCreateProgram(Program *program, const char *source, const char *, int headers,
                              const char *const *, const char *const *) {
    if (!program || !source || headers != 0) return INVALID_INPUT;
    *program = new nvrtcProgram_st{source, "", ""};
    return SUCCESS;
}

EXPORT int nvrtcDestroyProgram(Program *program) {
    if (!program || !*program) return INVALID_PROGRAM;
    delete *program;
    *program = nullptr;
    return SUCCESS;
}

EXPORT int nvrtcCompileProgram(Program program, int, const char *const *) {
    if (!program) return INVALID_PROGRAM;
    std::string object;
    bool good = emulation::build(program->source, object, program->log) &&
                emulation::real_nvrtc_takes(program->source, program->log);
    if (!good) {
        // Whoever reads the log may show its first line only.
        std::fprintf(stderr, "CUDA emulation: %s\n", program->log.c_str());
        return COMPILATION;
    }
    program->ptx = emulation::PTX_HEAD + object;
    return SUCCESS;
}

EXPORT int nvrtcGetProgramLogSize(Program program, size_t *size) {
    *size = program->log.size() + 1;
    return SUCCESS;
}

EXPORT int nvrtcGetProgramLog(Program program, char *log) {
    std::memcpy(log, program->log.c_str(), program->log.size() + 1);
    return SUCCESS;
}

EXPORT int nvrtcGetPTXSize(Program program, size_t *size) {
    *size = program->ptx.size() + 1;
    return SUCCESS;
}

EXPORT int nvrtcGetPTX(Program program, char *ptx) {
    std::memcpy(ptx, program->ptx.c_str(), program->ptx.size() + 1);
    return SUCCESS;
}
