//! The registers: shaped while there are [`Tiles`], of which a thread has one at a time.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::asm;
use std::marker::PhantomData;

/// A line of the cache, as the rows of a tile are moved.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line(pub [u8; 64]);

impl Line {
    /// Zeros.
    pub const ZERO: Self = Self([0; 64]);
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// The registers of this thread have shapes. Once this is dropped they have none, which makes a switch of threads cheaper.
pub struct Tiles(PhantomData<*const ()>);

impl Tiles {
    /// Shapes the registers: rows of each, and bytes of its rows. All are zero then.
    ///
    /// # Safety
    /// The processor has tiles and this process may use them ([`multiply_bytes`](crate::multiply_bytes),
    /// [`multiply_bf16`](crate::multiply_bf16)); there are no other [`Tiles`] in this thread; each has 1 to 16 rows of
    /// 4 to 64 bytes.
    pub unsafe fn new(shapes: [(usize, usize); 8]) -> Self {
        let mut config = Shapes {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        for (tile, (rows, bytes)) in shapes.into_iter().enumerate() {
            config.rows[tile] = rows as u8;
            config.row_bytes[tile] = bytes as u16;
        }
        asm!("ldtilecfg [{}]", in(reg) &raw const config, options(nostack, preserves_flags));
        Self(PhantomData)
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: whoever made this had the registers.
        unsafe { asm!("tilerelease", options(nostack, preserves_flags)) };
    }
}

/// Zeros for tile `T`.
///
/// # Safety
/// There are [`Tiles`], as for all of these.
#[inline(always)]
pub unsafe fn zero<const T: u8>() {
    asm!("tilezero tmm{t}", t = const T, options(nostack, preserves_flags));
}

/// Tile `T` from rows that lie `stride` bytes apart.
///
/// # Safety
/// The rows are there.
#[inline(always)]
pub unsafe fn load<const T: u8>(from: *const u8, stride: usize) {
    asm!("tileloadd tmm{t}, [{from} + {stride}*1]", t = const T, from = in(reg) from, stride = in(reg) stride,
        options(nostack, preserves_flags));
}

/// Tile `T` to a line for each row.
///
/// # Safety
/// The lines are there.
#[inline(always)]
pub unsafe fn store<const T: u8>(to: *mut Line) {
    asm!("tilestored [{to} + {stride}*1], tmm{t}", t = const T, to = in(reg) to, stride = in(reg) 64_usize,
        options(nostack, preserves_flags));
}
