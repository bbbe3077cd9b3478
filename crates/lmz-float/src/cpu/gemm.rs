//! Matrix products on slices.

use std::ops::Range;

/// A matrix inside a slice: element `(i, j)` stands at `i * row + j * column`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub values: &'a [f32],
    pub row: usize,
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// Dense rows of `width` elements.
    pub fn rows(values: &'a [f32], width: usize) -> Self {
        Self {
            values,
            row: width,
            column: 1,
        }
    }

    /// Dense columns of `height` elements: the transpose of such rows.
    pub fn columns(values: &'a [f32], height: usize) -> Self {
        Self {
            values,
            row: 1,
            column: height,
        }
    }
}

/// `to = left * right`, `to` being `rows x columns` with `stride` elements from row to row.
/// `inner` is what the sums run over. It stays on the calling thread.
pub(super) fn multiply(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
) {
    compute(to, stride, [rows, inner, columns], left, right, false);
}

/// As [`multiply`], or added to what `to` holds.
pub(super) fn compute(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    add: bool,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    if inner == 0 {
        if !add {
            to.fill(0.0);
        }
        return;
    }
    assert!(stride >= columns, "rows of the result overlap");
    assert!(span(rows, stride, columns, 1).end <= to.len());
    assert!(span(rows, left.row, inner, left.column).end <= left.values.len());
    assert!(span(inner, right.row, columns, right.column).end <= right.values.len());
    // SAFETY: the three matrices lie inside their slices (asserted above), the result's rows do
    // not overlap each other, and a `&mut` slice overlaps no other.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            to.as_mut_ptr(),
            1,
            stride as isize,
            add,
            left.values.as_ptr(),
            left.column as isize,
            left.row as isize,
            right.values.as_ptr(),
            right.column as isize,
            right.row as isize,
            f32::from(u8::from(add)),
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The elements that a matrix touches. Sizes are those of tensors in memory: no overflow.
fn span(rows: usize, row: usize, columns: usize, column: usize) -> Range<usize> {
    0..(rows - 1) * row + (columns - 1) * column + 1
}
