// The integer matrix instruction mma.sync.aligned.m16n8k32.row.col.s32.{s8,u8}.{s8,u8}.s32, by the fragments
// that the PTX ISA documents ("Matrix Fragments for mma.m16n8k32").
#pragma once

#include "emulation.h"

namespace emulation {

constexpr unsigned MMA_M = 16, MMA_N = 8, MMA_K = 32;

// Row and column of byte i (0..16) of lane's part of A, [16, 32].
constexpr unsigned mma_a_row(unsigned lane, unsigned i) {
    bool upper = i < 4 || (i >= 8 && i < 12);
    return lane / 4 + (upper ? 0 : 8);
}
constexpr unsigned mma_a_column(unsigned lane, unsigned i) {
    return (lane % 4) * 4 + (i & 3) + (i < 8 ? 0 : 16);
}
// Of byte i (0..8) of B, [32, 8].
constexpr unsigned mma_b_row(unsigned lane, unsigned i) {
    return (lane % 4) * 4 + (i & 3) + (i < 4 ? 0 : 16);
}
constexpr unsigned mma_b_column(unsigned lane, unsigned) { return lane / 4; }
// Of word i (0..4) of C and D, [16, 8].
constexpr unsigned mma_c_row(unsigned lane, unsigned i) { return lane / 4 + (i < 2 ? 0 : 8); }
constexpr unsigned mma_c_column(unsigned lane, unsigned i) { return (lane % 4) * 2 + (i & 1); }

// One lane's registers.
struct MmaStep : WarpStep {
    uint32_t a[4], b[2], c[4], d[4];
};

template <class A, class B>
void mma_run(WarpStep *const *steps) {
    A a[MMA_M][MMA_K];
    B b[MMA_K][MMA_N];
    for (unsigned lane = 0; lane < WARP; ++lane) {
        auto *step = static_cast<const MmaStep *>(steps[lane]);
        for (unsigned i = 0; i < 16; ++i)
            a[mma_a_row(lane, i)][mma_a_column(lane, i)] = A(step->a[i / 4] >> (8 * (i % 4)));
        for (unsigned i = 0; i < 8; ++i)
            b[mma_b_row(lane, i)][mma_b_column(lane, i)] = B(step->b[i / 4] >> (8 * (i % 4)));
    }
    for (unsigned lane = 0; lane < WARP; ++lane) {
        auto *step = static_cast<MmaStep *>(steps[lane]);
        for (unsigned i = 0; i < 4; ++i) {
            unsigned row = mma_c_row(lane, i), column = mma_c_column(lane, i);
            // Without .satfinite the sum wraps.
            uint32_t sum = step->c[i];
            for (unsigned k = 0; k < MMA_K; ++k)
                sum += uint32_t(int32_t(a[row][k]) * int32_t(b[k][column]));
            step->d[i] = sum;
        }
    }
}

// What the rewritten function calls: registers as the instruction has them.
template <class A, class B>
inline void mma_m16n8k32(unsigned line, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0,
                         uint32_t b1, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t &d0,
                         uint32_t &d1, uint32_t &d2, uint32_t &d3) {
    MmaStep step{{mma_run<A, B>}, {a0, a1, a2, a3}, {b0, b1}, {c0, c1, c2, c3}, {}};
    Thread *me = self();
    me->services->warp_step(me, line, &step);
    d0 = step.d[0];
    d1 = step.d[1];
    d2 = step.d[2];
    d3 = step.d[3];
}

}  // namespace emulation
