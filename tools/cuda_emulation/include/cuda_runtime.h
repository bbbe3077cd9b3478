// What CUDA C++ has and C++ has not, for the text that CubeCL generates from lmz's kernels: integers only.
// A name that is missing here is an error of g++, not a silent difference.
#pragma once

#include <type_traits>
#include <utility>

#include "emulation.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) alignas(n)

#define threadIdx (::emulation::self()->thread)
#define blockIdx (::emulation::self()->block)
#define blockDim (::emulation::self()->block_dim)
#define gridDim (::emulation::self()->grid_dim)
#define warpSize (int(::emulation::WARP))

#define __syncthreads() ::emulation::sync_threads(__LINE__)
#define __syncwarp(...) ::emulation::sync_warp(__LINE__)
#define __shfl_sync(mask, value, lane) ::emulation::shuffle(__LINE__, value, unsigned(lane))
#define __shfl_xor_sync(mask, value, by) \
    ::emulation::shuffle(__LINE__, value, ::emulation::self()->lane ^ unsigned(by))
#define __shfl_down_sync(mask, value, by) \
    ::emulation::shuffle(__LINE__, value, ::emulation::from(int(::emulation::self()->lane) + int(by)))
#define __shfl_up_sync(mask, value, by) \
    ::emulation::shuffle(__LINE__, value, ::emulation::from(int(::emulation::self()->lane) - int(by)))
#define __ballot_sync(mask, value) ::emulation::ballot(__LINE__, bool(value))

// Vectors, aligned as CUDA aligns them.
#define EMULATION_VECTORS(name, type)                                                        \
    struct alignas(2 * sizeof(type)) name##2 { type x, y; };                                 \
    struct name##3 { type x, y, z; };                                                        \
    struct alignas(4 * sizeof(type) < 16 ? 4 * sizeof(type) : 16) name##4 { type x, y, z, w; }; \
    inline name##2 make_##name##2(type x, type y) { return {x, y}; }                         \
    inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }              \
    inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
EMULATION_VECTORS(char, signed char)
EMULATION_VECTORS(uchar, unsigned char)
EMULATION_VECTORS(short, short)
EMULATION_VECTORS(ushort, unsigned short)
EMULATION_VECTORS(int, int)
EMULATION_VECTORS(uint, unsigned)
EMULATION_VECTORS(longlong, long long)
EMULATION_VECTORS(ulonglong, unsigned long long)
#undef EMULATION_VECTORS

namespace emulation {

inline void sync_threads(unsigned line) {
    Thread *me = self();
    me->services->sync_threads(me, line);
}

inline void sync_warp(unsigned line) {
    WarpStep step{[](WarpStep *const *) {}};
    Thread *me = self();
    me->services->warp_step(me, line, &step);
}

// A lane outside of the warp leaves one's own value.
inline unsigned from(int lane) {
    return lane < 0 || lane >= int(WARP) ? self()->lane : unsigned(lane);
}

template <class T>
struct Shuffle : WarpStep {
    T value, result;
    unsigned lane;
};

template <class T>
inline T shuffle(unsigned line, T value, unsigned lane) {
    Shuffle<T> step;
    step.value = value;
    step.lane = lane % WARP;
    step.run = [](WarpStep *const *lanes) {
        for (unsigned i = 0; i < WARP; ++i) {
            if (!lanes[i]) continue;
            auto *to = static_cast<Shuffle<T> *>(lanes[i]);
            auto *from = static_cast<Shuffle<T> *>(lanes[to->lane]);
            if (from) to->result = from->value;
        }
    };
    Thread *me = self();
    me->services->warp_step(me, line, &step);
    return step.result;
}

struct Ballot : WarpStep {
    bool value;
    unsigned result;
};

inline unsigned ballot(unsigned line, bool value) {
    Ballot step;
    step.value = value;
    step.run = [](WarpStep *const *lanes) {
        unsigned all = 0;
        for (unsigned i = 0; i < WARP; ++i)
            if (lanes[i] && static_cast<Ballot *>(lanes[i])->value) all |= 1u << i;
        for (unsigned i = 0; i < WARP; ++i)
            if (lanes[i]) static_cast<Ballot *>(lanes[i])->result = all;
    };
    Thread *me = self();
    me->services->warp_step(me, line, &step);
    return step.result;
}

template <class... A, size_t... I>
inline void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<A> *>(arguments[I])...);
}

template <class... A>
inline void call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, std::index_sequence_for<A...>{});
}

template <class... A>
constexpr unsigned count(void (*)(A...)) {
    return sizeof...(A);
}

template <class... A>
constexpr uint64_t pointers(void (*)(A...)) {
    uint64_t mask = 0, bit = 1;
    ((mask |= std::is_pointer_v<A> ? bit : 0, bit <<= 1), ...);
    return mask;
}

}  // namespace emulation

inline int __mulhi(int a, int b) { return int((long long)(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)(a) * b >> 64);
}
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(unsigned(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll((unsigned long long)(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// CUDA's overloads: mixed signs go by C++'s usual conversions.
template <class A, class B>
inline std::common_type_t<A, B> min(A a, B b) {
    using T = std::common_type_t<A, B>;
    return T(b) < T(a) ? T(b) : T(a);
}
template <class A, class B>
inline std::common_type_t<A, B> max(A a, B b) {
    using T = std::common_type_t<A, B>;
    return T(a) < T(b) ? T(b) : T(a);
}
