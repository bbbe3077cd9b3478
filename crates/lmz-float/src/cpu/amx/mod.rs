//! Products of bf16 by AMX: tiles of 16 rows of 64 bytes, four products of tiles at a time (two by two).
//!
//! Factors come in f32 and are rounded to bf16 while they are packed into tiles; sums are f32. The
//! order of every sum is that of its terms, in pairs, whatever the shape of the rest.

mod pack;
mod unit;

use std::arch::asm;
use std::cell::RefCell;

use lmz_tiles::Tiles;

use super::gemm::Matrix;
use pack::{pack_left, pack_right};
pub(super) use unit::available;
use unit::{DEPTH, EDGE, WORDS};

/// Buffers of a thread: the packed factors, and four tiles of sums.
#[derive(Default)]
struct Buffers {
    left: Vec<u32>,
    right: Vec<u32>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// A right factor in tiles, for many left ones.
pub(super) struct Packed(Vec<u32>);

/// Packs a right factor of `inner x columns`.
pub(super) fn pack(inner: usize, columns: usize, right: Matrix<'_>) -> Packed {
    let mut words = Vec::new();
    pack_right(&mut words, inner, columns, right);
    Packed(words)
}

/// `to = left * right`, or added to what it holds, as [`gemm::compute`](super::gemm::compute).
pub(super) fn compute(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    add: bool,
) {
    BUFFERS.with_borrow_mut(|Buffers { left: l, right: r }| {
        pack_left(l, rows, inner, left);
        pack_right(r, inner, columns, right);
        tiles(to, stride, [rows, inner, columns], l, r, add);
    });
}

/// The same with a packed right factor.
pub(super) fn compute_packed(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    right: &Packed,
    add: bool,
) {
    BUFFERS.with_borrow_mut(|Buffers { left: l, .. }| {
        pack_left(l, rows, inner, left);
        tiles(to, stride, [rows, inner, columns], l, &right.0, add);
    });
}

/// `to = left * right`, or added to what it holds, both factors packed into tiles.
fn tiles(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: &[u32],
    right: &[u32],
    add: bool,
) {
    assert!(available(), "this processor has no tiles");
    if rows == 0 || columns == 0 {
        return;
    }
    let depth = inner.div_ceil(DEPTH);
    let panel = depth * WORDS;
    let (down, across) = (rows.div_ceil(EDGE), columns.div_ceil(EDGE));
    assert!(stride >= columns && (rows - 1) * stride + columns <= to.len());
    // Panels come in pairs.
    assert!(left.len() >= down.next_multiple_of(2) * panel);
    assert!(right.len() >= across.next_multiple_of(2) * panel);
    let mut sums = [0.0_f32; 4 * EDGE * EDGE];
    // What was used is cleared at once: where another thread shares the core, the next loads find room only then (docs/performance.md).
    // SAFETY: AMX is available (asserted), and no tile is in use.
    let shaped = unsafe { Tiles::new([(EDGE, 64); 8]) };
    for j in (0..across).step_by(2) {
        for i in (0..down).step_by(2) {
            // SAFETY: both pairs of panels lie in their slices (asserted above): each holds
            // `depth` tiles of `WORDS` words. `sums` has room for four tiles. The compiler never
            // uses tile registers.
            unsafe {
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "test {n}, {n}",
                    "jz 3f",
                    "2:",
                    "tileloadd tmm4, [{a} + {s}]",
                    "tileloadd tmm6, [{b} + {s}]",
                    "tileloadd tmm7, [{d} + {s}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tilezero tmm4",
                    "tileloadd tmm5, [{c} + {s}]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tilezero tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    "tilezero tmm5",
                    "tilezero tmm7",
                    "add {a}, 1024",
                    "add {b}, 1024",
                    "add {c}, 1024",
                    "add {d}, 1024",
                    "dec {n}",
                    "jnz 2b",
                    "3:",
                    "tilestored [{o} + {s}], tmm0",
                    "tilestored [{o} + {s} + 1024], tmm1",
                    "tilestored [{o} + {s} + 2048], tmm2",
                    "tilestored [{o} + {s} + 3072], tmm3",
                    a = inout(reg) left.as_ptr().add(i * panel) => _,
                    c = inout(reg) left.as_ptr().add((i + 1) * panel) => _,
                    b = inout(reg) right.as_ptr().add(j * panel) => _,
                    d = inout(reg) right.as_ptr().add((j + 1) * panel) => _,
                    n = inout(reg) depth => _,
                    o = in(reg) sums.as_mut_ptr(),
                    s = in(reg) 64_usize,
                    options(nostack),
                );
            }
            for (quarter, sums) in sums.chunks_exact(EDGE * EDGE).enumerate() {
                let (i, j) = ((i + quarter / 2) * EDGE, (j + quarter % 2) * EDGE);
                let width = columns.saturating_sub(j).min(EDGE);
                let height = rows.saturating_sub(i).min(EDGE);
                if width == 0 {
                    continue;
                }
                for (row, sums) in sums.chunks_exact(EDGE).take(height).enumerate() {
                    let to = &mut to[(i + row) * stride + j..][..width];
                    match add {
                        true => to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum),
                        false => to.copy_from_slice(&sums[..width]),
                    }
                }
            }
        }
    }
    drop(shaped);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "needs a processor with AMX"]
    fn products_are_those_of_a_plain_loop() {
        assert!(available(), "this processor has no AMX");
        let mut rng = fastrand::Rng::with_seed(7);
        // Numbers that bf16 holds exactly, whose sums f32 holds exactly.
        let mut numbers =
            |count| -> Vec<f32> { (0..count).map(|_| rng.i32(-8..=8) as f32).collect() };
        for [m, k, n] in [
            [1, 1, 1],
            [16, 32, 16],
            [33, 70, 50],
            [64, 256, 96],
            [5, 0, 3],
        ] {
            for turned in 0..4 {
                let (a, b, c) = (numbers(m * k), numbers(k * n), numbers(m * n));
                let left = match turned & 1 {
                    0 => Matrix::rows(&a, k),
                    _ => Matrix::columns(&a, m),
                };
                let right = match turned & 2 {
                    0 => Matrix::rows(&b, n),
                    _ => Matrix::columns(&b, k),
                };
                for add in [false, true] {
                    let mut to = c.clone();
                    compute(&mut to, n, [m, k, n], left, right, add);
                    for i in 0..m {
                        for j in 0..n {
                            let sum: f32 = (0..k)
                                .map(|t| {
                                    a[i * left.row + t * left.column]
                                        * b[t * right.row + j * right.column]
                                })
                                .sum();
                            let before = if add { c[i * n + j] } else { 0.0 };
                            assert_eq!(to[i * n + j], sum + before, "{m} {k} {n} {turned}");
                        }
                    }
                }
            }
        }
    }
}
