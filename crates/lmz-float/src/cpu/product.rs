//! Matrix products for training, in either precision.

use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
use super::amx;
use super::gemm::{self, Matrix, Threads};
use crate::kernels::Products;

/// Whether this processor multiplies bf16 faster than f32.
pub(super) fn has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return amx::available();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// `to = left * right` over all threads, `to` being dense, `rows x columns`.
pub(super) fn product(
    to: &mut [f32],
    size: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    products: Products,
) {
    match products {
        #[cfg(target_arch = "x86_64")]
        Products::Bf16 if has_bf16() => {
            let [_, inner, columns] = size;
            let packed = amx::pack(inner, columns, right);
            strips(to, size, left, |to, size, left| {
                amx::compute_packed(to, columns, size, left, &packed, false);
            });
        }
        _ => strips(to, size, left, |to, size, left| {
            gemm::compute(to, size[2], size, left, right, false);
        }),
    }
}

/// Calls `each` with strips of rows, over all threads.
fn strips(
    to: &mut [f32],
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    each: impl Fn(&mut [f32], [usize; 3], Matrix<'_>) + Sync,
) {
    let strip = rows.div_ceil(8).next_multiple_of(32).min(256);
    to.par_chunks_mut((strip * columns).max(1))
        .enumerate()
        .for_each(|(i, to)| {
            let left = Matrix {
                values: &left.values[i * strip * left.row..],
                ..left
            };
            each(to, [to.len() / columns, inner, columns], left);
        });
}

/// `to = left * right` in any precision, on the calling thread, `to` being `rows x columns` with `stride` elements from row to row.
pub(super) fn forward(
    to: &mut [f32],
    stride: usize,
    size: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    products: Products,
) {
    match products {
        Products::Full => gemm::multiply(to, stride, size, left, right, Threads::Own),
        Products::Double => gemm::multiply_in_f64(to, stride, size, left, right),
        Products::Bf16 => piece(to, stride, size, left, right, false, products),
    }
}

/// As [`gemm::compute`], in either precision, on the calling thread.
pub(super) fn piece(
    to: &mut [f32],
    stride: usize,
    size: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    add: bool,
    products: Products,
) {
    match products {
        #[cfg(target_arch = "x86_64")]
        Products::Bf16 if has_bf16() => amx::compute(to, stride, size, left, right, add),
        _ => gemm::compute(to, stride, size, left, right, add),
    }
}
