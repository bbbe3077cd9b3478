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

    /// Its rows as columns.
    fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    /// Dense rows of `width` elements in f64.
    fn in_f64(self, rows: usize, width: usize) -> Vec<f64> {
        let mut all = vec![0.0; rows * width];
        assert!(
            all.is_empty() || span(rows, self.row, width, self.column).end <= self.values.len()
        );
        for (row, to) in all.chunks_exact_mut(width.max(1)).enumerate() {
            let from = self.values[row * self.row..].iter().step_by(self.column);
            for (to, &from) in to.iter_mut().zip(from) {
                *to = from.into();
            }
        }
        all
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

/// How many products are summed before the sum is added to what it was before: one sum over hundreds would lose three times as
/// much to rounding, and sums of fewer take more time.
const PART: usize = 32;

/// `to = left * right`, `to` being `rows x columns` with `stride` elements from row to row.
/// `inner` is what the sums run over, a part at a time.
pub(super) fn multiply<'a>(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'a>,
    right: Matrix<'a>,
    threads: Threads,
) {
    for begin in (0..inner.max(1)).step_by(PART) {
        let size = [rows, PART.min(inner - begin), columns];
        let from = |matrix: Matrix<'a>, step: usize| Matrix {
            values: &matrix.values[(begin * step).min(matrix.values.len())..],
            ..matrix
        };
        let (left, right) = (from(left, left.column), from(right, right.row));
        spread(to, stride, size, left, right, begin > 0, threads);
    }
}

/// As [`multiply`], with sums in f64, on the calling thread.
pub(super) fn multiply_in_f64(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(stride >= columns, "rows of the result overlap");
    assert!(span(rows, stride, columns, 1).end <= to.len());
    let left = left.in_f64(rows, inner);
    // Its columns as rows, since that is how weights and keys stand.
    let right = right.transposed().in_f64(columns, inner);
    let mut all = vec![0.0_f64; rows * columns];
    // SAFETY: the three matrices are dense and fill their vectors.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            all.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.as_ptr(),
            1,
            inner as isize,
            right.as_ptr(),
            inner as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
    for (to, all) in to.chunks_mut(stride).zip(all.chunks_exact(columns)) {
        for (to, &sum) in to.iter_mut().zip(all) {
            *to = sum as f32;
        }
    }
}

/// Where a product is computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Threads {
    /// On the calling thread.
    Own,
    /// On all.
    All,
}

impl Threads {
    fn of_gemm(self) -> gemm::Parallelism {
        match self {
            Self::Own => gemm::Parallelism::None,
            Self::All => gemm::Parallelism::Rayon(0),
        }
    }
}

/// The product in one go, on the calling thread, or added to what `to` holds.
pub(super) fn compute(
    to: &mut [f32],
    stride: usize,
    size: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    add: bool,
) {
    spread(to, stride, size, left, right, add, Threads::Own);
}

fn spread(
    to: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    add: bool,
    threads: Threads,
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
            threads.of_gemm(),
        );
    }
}

/// The elements that a matrix touches. Sizes are those of tensors in memory: no overflow.
fn span(rows: usize, row: usize, columns: usize, column: usize) -> Range<usize> {
    0..(rows - 1) * row + (columns - 1) * column + 1
}
