// The device, its contexts, streams, events and memory, as CUDA's driver offers them (libcuda.so.1).
//
// Every call is done when it returns, so streams and events have nothing to wait for. That host memory
// must outlive an asynchronous copy, and that streams wait for each other, is not checked.

#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "api.h"
#include "block.h"
#include "launch.h"
#include "memory.h"
#include "report.h"

struct CUctx_st {
    int retained;
};
struct CUstream_st {
    unsigned magic;
};
struct CUevent_st {
    unsigned magic;
};

namespace {

constexpr unsigned STREAM = 0x57ea3, EVENT = 0xe3e47;
std::atomic<bool> initialised{false};
std::mutex mutex;
CUctx_st primary{0};
thread_local CUcontext of_thread = nullptr;

bool is_stream(CUstream stream) { return stream == nullptr || stream->magic == STREAM; }

}  // namespace

namespace emulation {

CUresult ready() {
    if (!initialised) return CUDA_ERROR_NOT_INITIALIZED;
    return lost() ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS;
}

CUresult current() {
    if (CUresult error = ready()) return error;
    std::lock_guard<std::mutex> lock(mutex);
    return of_thread && of_thread->retained > 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

}  // namespace emulation

using namespace emulation;

EXPORT CUresult cuInit(unsigned) {
    initialised = true;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDriverGetVersion(int *version) {
    *version = 12090;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGetErrorName(CUresult error, const char **text) {
    switch (error) {
        case CUDA_SUCCESS: *text = "CUDA_SUCCESS"; break;
        case CUDA_ERROR_INVALID_VALUE: *text = "CUDA_ERROR_INVALID_VALUE"; break;
        case CUDA_ERROR_OUT_OF_MEMORY: *text = "CUDA_ERROR_OUT_OF_MEMORY"; break;
        case CUDA_ERROR_NOT_INITIALIZED: *text = "CUDA_ERROR_NOT_INITIALIZED"; break;
        case CUDA_ERROR_INVALID_DEVICE: *text = "CUDA_ERROR_INVALID_DEVICE"; break;
        case CUDA_ERROR_INVALID_IMAGE: *text = "CUDA_ERROR_INVALID_IMAGE"; break;
        case CUDA_ERROR_INVALID_CONTEXT: *text = "CUDA_ERROR_INVALID_CONTEXT"; break;
        case CUDA_ERROR_INVALID_HANDLE: *text = "CUDA_ERROR_INVALID_HANDLE"; break;
        case CUDA_ERROR_NOT_FOUND: *text = "CUDA_ERROR_NOT_FOUND"; break;
        case CUDA_ERROR_LAUNCH_FAILED: *text = "CUDA_ERROR_LAUNCH_FAILED"; break;
        default: *text = nullptr; return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGetErrorString(CUresult error, const char **text) {
    return cuGetErrorName(error, text);
}

// The device.

EXPORT CUresult cuDeviceGetCount(int *count) {
    *count = 1;
    return initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    *device = ordinal;
    return ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice) {
    std::snprintf(name, size_t(length), "CUDA emulated on the CPU");
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice) {
    *bytes = total_memory();
    return CUDA_SUCCESS;
}

// Those of an H100, by CUdevice_attribute's numbers.
EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
    switch (attribute) {
        case 1: *value = int(MAX_THREADS); break;
        case 2: case 3: *value = 1024; break;
        case 4: *value = 64; break;
        case 5: *value = 2147483647; break;
        case 6: case 7: *value = 65535; break;
        case 8: *value = 48 * 1024; break;
        case 10: *value = int(WARP); break;
        case 12: *value = 65536; break;
        case 16: *value = 132; break;
        case 75: *value = 9; break;
        case 76: *value = 0; break;
        case 97: *value = int(MAX_SHARED); break;
        case 115: *value = 1; break;
        default: die("device attribute %d is not emulated", attribute);
    }
    return CUDA_SUCCESS;
}

// Contexts: the primary one, which counts who holds it.

EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
    if (CUresult error = ready()) return error;
    std::lock_guard<std::mutex> lock(mutex);
    ++primary.retained;
    *context = &primary;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) {
    std::lock_guard<std::mutex> lock(mutex);
    if (primary.retained == 0) die("the context is released more often than it was retained");
    // The last one takes all memory with it.
    if (--primary.retained == 0) give_all_device();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
    if (CUresult error = ready()) return error;
    if (context != nullptr && context != &primary) return CUDA_ERROR_INVALID_CONTEXT;
    of_thread = context;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetCurrent(CUcontext *context) {
    *context = of_thread;
    return ready();
}

EXPORT CUresult cuCtxSynchronize() { return current(); }

// Streams and events.

EXPORT CUresult cuStreamCreate(CUstream *stream, unsigned) {
    if (CUresult error = current()) return error;
    *stream = new CUstream_st{STREAM};
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
    if (!stream || stream->magic != STREAM) return CUDA_ERROR_INVALID_HANDLE;
    stream->magic = 0;
    delete stream;
    return ready();
}

EXPORT CUresult cuStreamSynchronize(CUstream stream) {
    return is_stream(stream) ? current() : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
    bool good = is_stream(stream) && event && event->magic == EVENT;
    return good ? current() : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuEventCreate(CUevent *event, unsigned) {
    if (CUresult error = current()) return error;
    *event = new CUevent_st{EVENT};
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventDestroy_v2(CUevent event) {
    if (!event || event->magic != EVENT) return CUDA_ERROR_INVALID_HANDLE;
    event->magic = 0;
    delete event;
    return ready();
}

EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
    bool good = is_stream(stream) && event && event->magic == EVENT;
    return good ? current() : CUDA_ERROR_INVALID_HANDLE;
}

// The driver lets a thread without a context wait.
EXPORT CUresult cuEventSynchronize(CUevent event) {
    return event && event->magic == EVENT ? ready() : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuEventQuery(CUevent event) { return cuEventSynchronize(event); }

// Memory.

EXPORT CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
    if (CUresult error = current()) return error;
    *free = free_memory();
    *total = total_memory();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *at, size_t bytes) {
    if (CUresult error = current()) return error;
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    *at = take_device(bytes);
    return *at ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

EXPORT CUresult cuMemAllocAsync(CUdeviceptr *at, size_t bytes, CUstream stream) {
    return is_stream(stream) ? cuMemAlloc_v2(at, bytes) : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuMemFree_v2(CUdeviceptr at) {
    if (CUresult error = current()) return error;
    if (at != 0) give_device(at);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemFreeAsync(CUdeviceptr at, CUstream stream) {
    return is_stream(stream) ? cuMemFree_v2(at) : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuMemAllocHost_v2(void **at, size_t bytes) {
    if (CUresult error = current()) return error;
    *at = take_host(bytes);
    return *at ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

EXPORT CUresult cuMemFreeHost(void *at) {
    // Also without a context and on a lost device: the memory is the host's.
    give_host(at);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
    if (CUresult error = current()) return error;
    check_device("a copy to the card", to, bytes);
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
    return is_stream(stream) ? cuMemcpyHtoD_v2(to, from, bytes) : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
    if (CUresult error = current()) return error;
    check_device("a copy from the card", from, bytes);
    std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return is_stream(stream) ? cuMemcpyDtoH_v2(to, from, bytes) : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult error = current()) return error;
    check_device("a copy on the card", from, bytes);
    check_device("a copy on the card", to, bytes);
    std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), bytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream) {
    if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult error = current()) return error;
    bool from_card = copy->srcMemoryType == CU_MEMORYTYPE_DEVICE;
    bool to_card = copy->dstMemoryType == CU_MEMORYTYPE_DEVICE;
    if (copy->WidthInBytes > copy->srcPitch || copy->WidthInBytes > copy->dstPitch)
        return CUDA_ERROR_INVALID_VALUE;
    auto *from = from_card ? reinterpret_cast<const char *>(copy->srcDevice)
                           : static_cast<const char *>(copy->srcHost);
    auto *to = to_card ? reinterpret_cast<char *>(copy->dstDevice) : static_cast<char *>(copy->dstHost);
    for (size_t y = 0; y < copy->Height; ++y) {
        const char *a = from + (copy->srcY + y) * copy->srcPitch + copy->srcXInBytes;
        char *b = to + (copy->dstY + y) * copy->dstPitch + copy->dstXInBytes;
        if (from_card) check_device("a copy of rows", reinterpret_cast<uint64_t>(a), copy->WidthInBytes);
        if (to_card) check_device("a copy of rows", reinterpret_cast<uint64_t>(b), copy->WidthInBytes);
        std::memcpy(b, a, copy->WidthInBytes);
    }
    return CUDA_SUCCESS;
}
