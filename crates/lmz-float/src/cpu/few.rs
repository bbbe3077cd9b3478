//! Products of few rows with a matrix: each weight is read once and never packed.
//!
//! A step of generation has one row for each text. What is computed for a row does not depend on the rows beside it: its sums
//! run in the same order in any tile.

use rayon::prelude::*;

use super::maths::vectorised;

/// Up to so many rows this is faster than a product that packs its operands.
pub(super) const MOST: usize = 32;

/// Sums that run side by side.
const LANES: usize = 16;
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
            vectorised(
                #[inline(always)]
                || strip(to, x, weight, rows, inputs),
            );
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

#[inline(always)]
fn strip(to: &mut [f32], x: &[f32], weight: &[f32], rows: usize, inputs: usize) {
    let outputs = weight.len() / inputs;
    let mut output = 0;
    while output + OUTPUTS <= outputs {
        tiles::<OUTPUTS>(to, x, weight, [rows, inputs, output]);
        output += OUTPUTS;
    }
    while output < outputs {
        tiles::<1>(to, x, weight, [rows, inputs, output]);
        output += 1;
    }
}

/// All rows with `O` outputs from `output` on.
#[inline(always)]
fn tiles<const O: usize>(
    to: &mut [f32],
    x: &[f32],
    weight: &[f32],
    [rows, inputs, output]: [usize; 3],
) {
    let mut row = 0;
    while row + ROWS <= rows {
        tile::<O, ROWS>(to, x, weight, [rows, inputs, output, row]);
        row += ROWS;
    }
    while row < rows {
        tile::<O, 1>(to, x, weight, [rows, inputs, output, row]);
        row += 1;
    }
}

#[inline(always)]
fn tile<const O: usize, const R: usize>(
    to: &mut [f32],
    x: &[f32],
    weight: &[f32],
    [rows, inputs, output, row]: [usize; 4],
) {
    let x: [&[f32]; R] = std::array::from_fn(|i| &x[(row + i) * inputs..(row + i + 1) * inputs]);
    let w: [&[f32]; O] =
        std::array::from_fn(|i| &weight[(output + i) * inputs..(output + i + 1) * inputs]);
    let mut sums = [[[0.0_f32; LANES]; R]; O];
    let whole = inputs / LANES * LANES;
    let mut at = 0;
    while at < whole {
        for o in 0..O {
            let w = &w[o][at..at + LANES];
            for r in 0..R {
                let x = &x[r][at..at + LANES];
                for lane in 0..LANES {
                    sums[o][r][lane] = w[lane].mul_add(x[lane], sums[o][r][lane]);
                }
            }
        }
        at += LANES;
    }
    for o in 0..O {
        for r in 0..R {
            let mut sum = sums[o][r];
            let mut half = LANES / 2;
            while half > 0 {
                for lane in 0..half {
                    sum[lane] += sum[lane + half];
                }
                half /= 2;
            }
            let rest = w[o][whole..].iter().zip(&x[r][whole..]);
            to[(output + o) * rows + row + r] = rest.fold(sum[0], |sum, (w, x)| w.mul_add(*x, sum));
        }
    }
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
