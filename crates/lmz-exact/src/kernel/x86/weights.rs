//! Weights as the registers take them.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::x86_64::*;

use crate::kernel::panel::PANEL;

/// Weights as 16-bit lanes.
pub trait Weight: Copy {
    /// Eight rows × two columns.
    unsafe fn load8(pointer: *const Self) -> __m256i;
    /// Sixteen rows × two columns.
    unsafe fn load16(pointer: *const Self) -> __m512i;
}

impl Weight for i8 {
    #[inline(always)]
    unsafe fn load8(pointer: *const Self) -> __m256i {
        _mm256_cvtepi8_epi16(_mm_loadu_si128(pointer.cast()))
    }
    #[inline(always)]
    unsafe fn load16(pointer: *const Self) -> __m512i {
        _mm512_cvtepi8_epi16(_mm256_loadu_si256(pointer.cast()))
    }
}

impl Weight for i16 {
    #[inline(always)]
    unsafe fn load8(pointer: *const Self) -> __m256i {
        _mm256_loadu_si256(pointer.cast())
    }
    #[inline(always)]
    unsafe fn load16(pointer: *const Self) -> __m512i {
        _mm512_loadu_si512(pointer.cast())
    }
}

/// A pair of neighbouring 16-bit values, as one 32-bit lane.
#[inline(always)]
pub unsafe fn pair(pointer: *const i16) -> i32 {
    pointer.cast::<i32>().read_unaligned()
}

/// Integers of 4 bits, times 16: two neighbouring column pairs in the halves of bytes.
#[derive(Clone, Copy)]
pub struct HalfBytes;

/// Integers of blocks as 16-bit lanes.
pub trait BlockWeight {
    /// Bytes of two column pairs of a panel.
    const TWO_PAIRS: usize;
    /// Whether they were widened before, and stand without factors.
    const WIDE: bool = false;
    /// Eight rows × two columns of two neighbouring column pairs; the second eight rows if `high`.
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2];
    /// Sixteen rows × two columns of two neighbouring column pairs.
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2];
}

impl BlockWeight for i8 {
    const TWO_PAIRS: usize = 4 * PANEL;
    #[inline(always)]
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2] {
        let pointer = pointer.cast::<i8>().add(if high { PANEL } else { 0 });
        [
            <i8 as Weight>::load8(pointer),
            <i8 as Weight>::load8(pointer.add(2 * PANEL)),
        ]
    }
    #[inline(always)]
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2] {
        let pointer = pointer.cast::<i8>();
        [
            <i8 as Weight>::load16(pointer),
            <i8 as Weight>::load16(pointer.add(2 * PANEL)),
        ]
    }
}

impl BlockWeight for i16 {
    const TWO_PAIRS: usize = 8 * PANEL;
    const WIDE: bool = true;
    #[inline(always)]
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2] {
        let pointer = pointer.cast::<i16>().add(if high { PANEL } else { 0 });
        [
            <i16 as Weight>::load8(pointer),
            <i16 as Weight>::load8(pointer.add(2 * PANEL)),
        ]
    }
    #[inline(always)]
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2] {
        let pointer = pointer.cast::<i16>();
        [
            <i16 as Weight>::load16(pointer),
            <i16 as Weight>::load16(pointer.add(2 * PANEL)),
        ]
    }
}

impl BlockWeight for HalfBytes {
    const TWO_PAIRS: usize = 2 * PANEL;
    #[inline(always)]
    unsafe fn two8(pointer: *const u8, high: bool) -> [__m256i; 2] {
        let bytes = _mm_loadu_si128(pointer.add(if high { PANEL } else { 0 }).cast());
        let mask = _mm_set1_epi8(0xf0u8.cast_signed());
        [
            _mm256_cvtepi8_epi16(_mm_and_si128(_mm_slli_epi16(bytes, 4), mask)),
            _mm256_cvtepi8_epi16(_mm_and_si128(bytes, mask)),
        ]
    }
    #[inline(always)]
    unsafe fn two16(pointer: *const u8) -> [__m512i; 2] {
        let bytes = _mm256_loadu_si256(pointer.cast());
        let mask = _mm256_set1_epi8(0xf0u8.cast_signed());
        [
            _mm512_cvtepi8_epi16(_mm256_and_si256(_mm256_slli_epi16(bytes, 4), mask)),
            _mm512_cvtepi8_epi16(_mm256_and_si256(bytes, mask)),
        ]
    }
}
