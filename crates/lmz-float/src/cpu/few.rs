//! Products of few rows with a matrix: each weight is read once and never packed.
//!
//! A step of generation has one row for each text. What is computed for a row does not depend on the rows beside it: its sums
//! run in the same order in any tile.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Up to so many rows this is faster than a product that packs its operands.
pub(super) const MOST: usize = 32;

/// Rows of `x`, and outputs, that a tile has: their sums fit into registers.
const ROWS: usize = 4;
const OUTPUTS: usize = 2;
/// Outputs of one task.
const STRIP: usize = 32;

/// `x weight^T`: `x` is `[rows, inputs]`, `weight` `[outputs, inputs]`; the result is `[rows, outputs]`.
pub(super) fn products(x: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    if inputs == 0 || x.is_empty() || weight.is_empty() {
        return Vec::new();
    }
    let (rows, outputs) = (x.len() / inputs, weight.len() / inputs);
    // By outputs first, as they are made: [outputs, rows].
    let mut by_output = vec![0.0; outputs * rows];
    by_output
        .par_chunks_mut(STRIP * rows)
        .zip(weight.par_chunks(STRIP * inputs))
        .for_each(|(to, weight)| {
            Arch::new().dispatch(Strip {
                to,
                x,
                weight,
                rows,
                inputs,
            });
        });
    if rows == 1 {
        return by_output;
    }
    let mut y = vec![0.0; rows * outputs];
    for (output, values) in by_output.chunks_exact(rows).enumerate() {
        for (row, &value) in values.iter().enumerate() {
            y[row * outputs + output] = value;
        }
    }
    y
}

/// Some outputs of all rows: `to` is `[outputs, rows]`.
struct Strip<'a> {
    to: &'a mut [f32],
    x: &'a [f32],
    weight: &'a [f32],
    rows: usize,
    inputs: usize,
}

impl WithSimd for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let outputs = self.weight.len() / self.inputs;
        let mut output = 0;
        while output + OUTPUTS <= outputs {
            self.tiles::<S, OUTPUTS>(simd, output);
            output += OUTPUTS;
        }
        while output < outputs {
            self.tiles::<S, 1>(simd, output);
            output += 1;
        }
    }
}

impl Strip<'_> {
    /// All rows with `O` outputs from `output` on.
    #[inline(always)]
    fn tiles<S: Simd, const O: usize>(&mut self, simd: S, output: usize) {
        let mut row = 0;
        while row + ROWS <= self.rows {
            self.tile::<S, O, ROWS>(simd, output, row);
            row += ROWS;
        }
        while row < self.rows {
            self.tile::<S, O, 1>(simd, output, row);
            row += 1;
        }
    }

    // Vectors by name: loops over arrays of numbers were left scalar by the compiler, at a tenth of the speed.
    #[inline(always)]
    fn tile<S: Simd, const O: usize, const R: usize>(
        &mut self,
        simd: S,
        output: usize,
        row: usize,
    ) {
        let of = |matrix, index: usize| line(matrix, index, self.inputs);
        let x: [&[f32]; R] = std::array::from_fn(|i| of(self.x, row + i));
        let w: [&[f32]; O] = std::array::from_fn(|i| of(self.weight, output + i));
        let (x_lanes, x_rest) = lanes::<S, R>(x);
        let (w_lanes, w_rest) = lanes::<S, O>(w);
        let mut sums = [[simd.splat_f32s(0.0); R]; O];
        for at in 0..x_lanes[0].len() {
            let x: [S::f32s; R] = std::array::from_fn(|r| x_lanes[r][at]);
            for o in 0..O {
                let w = w_lanes[o][at];
                for r in 0..R {
                    sums[o][r] = simd.mul_add_f32s(w, x[r], sums[o][r]);
                }
            }
        }
        for o in 0..O {
            for r in 0..R {
                let rest = w_rest[o].iter().zip(x_rest[r]);
                let sum = simd.reduce_sum_f32s(sums[o][r]);
                self.to[(output + o) * self.rows + row + r] =
                    rest.fold(sum, |sum, (w, x)| w.mul_add(*x, sum));
            }
        }
    }
}

#[inline(always)]
fn line(matrix: &[f32], index: usize, width: usize) -> &[f32] {
    &matrix[index * width..(index + 1) * width]
}

/// Rows as vectors, and what is left of each.
#[inline(always)]
#[allow(clippy::type_complexity)]
fn lanes<S: Simd, const N: usize>(rows: [&[f32]; N]) -> ([&[S::f32s]; N], [&[f32]; N]) {
    let split = rows.map(|row| S::as_simd_f32s(row));
    (split.map(|(whole, _)| whole), split.map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_same_alone_and_among_others() {
        for (inputs, outputs) in [(1, 1), (16, 3), (67, 40), (576, 129)] {
            let number = |i: usize| ((i * 2_654_435_761) % 1_000) as f32 / 500.0 - 1.0;
            let x: Vec<f32> = (0..7 * inputs).map(number).collect();
            let weight: Vec<f32> = (0..outputs * inputs).map(|i| number(i + 99)).collect();
            let all = products(&x, &weight, inputs);
            assert_eq!(all.len(), 7 * outputs);
            for (row, x) in x.chunks_exact(inputs).enumerate() {
                let own = &all[row * outputs..(row + 1) * outputs];
                assert_eq!(products(x, &weight, inputs), own);
                for (y, w) in own.iter().zip(weight.chunks_exact(inputs)) {
                    let exact: f64 = x.iter().zip(w).map(|(a, b)| f64::from(a * b)).sum();
                    assert!((f64::from(*y) - exact).abs() < 1e-3, "{y} {exact}");
                }
            }
        }
    }
}
