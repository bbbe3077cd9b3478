//! Int8 rows with integer scales, and the shifts of outlier columns.

use lmz_model::Grid;

use crate::fixed::{exponent, pow2};
use crate::prepared::{Builder, Remainder};

/// A matrix whose rows have factors that go into their scales.
pub struct Part {
    /// `[rows][columns]`.
    pub values: Vec<f32>,
    /// By row: each multiplies its row's scale, not its integers.
    pub factors: Vec<f64>,
    /// What a checkpoint in blocks has them on.
    pub grid: Option<Grid>,
}

/// Matrices that read the same activations, one below the other.
pub struct Group {
    /// The power of two that each column is multiplied by before anything else.
    pub(super) levels: Vec<i32>,
    pub(super) parts: Vec<Part>,
}

/// A quantised group: the tensors of a linear layer.
pub struct Quantised {
    columns: usize,
    w: Vec<i8>,
    m: Vec<i32>,
    e: i32,
    c: Vec<u8>,
    /// The real scale of each row, without its factor.
    pub scales: Vec<f64>,
    /// What int8 leaves of each weight, in 256ths of its row's scale.
    low: Vec<i8>,
    /// By row: how coarse int8 is for it, the scale over the mean magnitude of its weights; 0 for a row of zeros.
    coarseness: Vec<f64>,
}

/// The lower median of exponents of doubles.
pub fn lower_median(exponents: impl Iterator<Item = i32>) -> Option<i32> {
    const LOWEST: i32 = -1074;
    let mut histogram = [0u64; 2100];
    let mut count = 0u64;
    for e in exponents {
        histogram[(e - LOWEST) as usize] += 1;
        count += 1;
    }
    let mut rank = count.checked_sub(1)? / 2;
    for (i, &n) in histogram.iter().enumerate() {
        if rank < n {
            return Some(i as i32 + LOWEST);
        }
        rank -= n;
    }
    None
}

impl Part {
    /// A matrix of `columns` columns whose rows all have the same factor.
    pub fn uniform(values: Vec<f32>, columns: usize, factor: f64) -> Self {
        let factors = vec![factor; values.len() / columns];
        Self {
            values,
            factors,
            grid: None,
        }
    }

    /// The same, on a grid if the checkpoint has one.
    pub fn on(self, grid: Option<Grid>) -> Self {
        Self { grid, ..self }
    }
}

/// How far each row of a matrix stands above the median row, as a power of two; rows in the same
/// `class` share the highest of them. Zero rows count for nothing.
pub fn row_levels(values: &[f32], columns: usize, class: impl Fn(usize) -> usize) -> Vec<i32> {
    let size = |row: &[f32]| f64::from(row.iter().fold(0f32, |max, w| max.max(w.abs())));
    levels(values.chunks_exact(columns).map(size).collect(), class)
}

/// As [`row_levels`], by what rows give with their biases: the root of the sum of squares of weights times `gains`,
/// plus the bias's magnitude.
pub fn size_levels(
    values: &[f32],
    gains: &[f64],
    bias: &[f64],
    class: impl Fn(usize) -> usize,
) -> Vec<i32> {
    let size = |(row, b): (&[f32], &f64)| {
        let squares = row.iter().zip(gains).fold(0f64, |sum, (&w, g)| {
            let product = f64::from(w) * g;
            sum + product * product
        });
        squares.sqrt() + b.abs()
    };
    let rows = values.chunks_exact(gains.len()).zip(bias);
    levels(rows.map(size).collect(), class)
}

/// As [`row_levels`], of the rows' sizes.
pub fn levels(sizes: Vec<f64>, class: impl Fn(usize) -> usize) -> Vec<i32> {
    let mut largest = vec![0f64; sizes.len()];
    for (r, &size) in sizes.iter().enumerate() {
        largest[class(r)] = largest[class(r)].max(size);
    }
    let of = |r: usize| largest[class(r)];
    let exponents = (0..sizes.len()).map(of).filter(|max| *max > 0.0);
    let median = lower_median(exponents.map(exponent)).unwrap_or(0);
    let level = |max: f64| {
        if max > 0.0 {
            (exponent(max) - median).clamp(-20, 20)
        } else {
            0
        }
    };
    (0..sizes.len()).map(|r| level(of(r))).collect()
}

impl Group {
    /// A group of matrices with `columns` columns each.
    pub fn new(columns: usize, parts: Vec<Part>) -> Self {
        Self {
            levels: vec![0; columns],
            parts,
        }
    }

    /// One matrix whose columns are multiplied by powers of two.
    pub fn leveled(levels: Vec<i32>, part: Part) -> Self {
        Self {
            levels,
            parts: vec![part],
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&[f32], f64)> {
        let columns = self.levels.len();
        self.parts.iter().flat_map(move |part| {
            part.values
                .chunks_exact(columns)
                .zip(part.factors.iter().copied())
        })
    }

    /// Column shifts: what stands more than a factor of 4 to 8 above the median column moves into
    /// the activations, which have bits to spare for it; in a row's scale it would drown the rest.
    fn column_shifts(&self) -> Vec<u8> {
        let mut largest = vec![0f64; self.levels.len()];
        for (row, _) in self.rows() {
            for (max, w) in largest.iter_mut().zip(row) {
                *max = max.max(f64::from(w.abs()));
            }
        }
        for (max, &level) in largest.iter_mut().zip(&self.levels) {
            *max *= pow2(level);
        }
        let Some(median) = lower_median(largest.iter().filter(|m| **m > 0.0).map(|&m| exponent(m)))
        else {
            return vec![0; self.levels.len()];
        };
        let shift = |&m: &f64| {
            if m > 0.0 {
                (exponent(m) - median - 2).clamp(0, 20) as u8
            } else {
                0
            }
        };
        largest.iter().map(shift).collect()
    }

    /// Recipe 1 for matrices.
    pub fn quantise(&self) -> Quantised {
        let c = self.column_shifts();
        let shrink: Vec<f64> = c
            .iter()
            .zip(&self.levels)
            .map(|(&c, level)| pow2(level - i32::from(c)))
            .collect();
        let scaled = |row: &[f32]| -> Vec<f64> {
            row.iter()
                .zip(&shrink)
                .map(|(&w, s)| f64::from(w) * s)
                .collect()
        };
        let scale = |row: &[f64]| row.iter().fold(0f64, |max, w| max.max(w.abs())) / 127.0;
        let wanted: Vec<f64> = self
            .rows()
            .map(|(row, factor)| factor * scale(&scaled(row)))
            .collect();
        let (m, e) = mantissas(&wanted);
        let mut w = Vec::with_capacity(m.len() * self.levels.len());
        let mut low = Vec::with_capacity(w.capacity());
        let mut scales = Vec::with_capacity(m.len());
        let mut coarseness = Vec::with_capacity(m.len());
        for ((row, factor), &m) in self.rows().zip(&m) {
            let scale = f64::from(m) * pow2(e) / factor;
            scales.push(scale);
            let row = scaled(row);
            if m == 0 {
                w.resize(w.len() + row.len(), 0);
                low.resize(w.len(), 0);
                coarseness.push(0.0);
                continue;
            }
            let within = |x: f64| x.round().clamp(-127.0, 127.0);
            for &x in &row {
                let high = within(x / scale);
                w.push(high as i8);
                low.push(within((x / scale - high) * 256.0) as i8);
            }
            let mean = row.iter().fold(0f64, |sum, x| sum + x.abs()) / row.len() as f64;
            coarseness.push(scale.abs() / mean);
        }
        Quantised {
            columns: self.levels.len(),
            w,
            m,
            e,
            c,
            scales,
            low,
            coarseness,
        }
    }
}

/// Scales as 31-bit mantissas of one exponent, that of the largest.
pub(super) fn mantissas(scales: &[f64]) -> (Vec<i32>, i32) {
    let largest = scales.iter().fold(0f64, |max, s| max.max(*s));
    if largest == 0.0 {
        return (vec![0; scales.len()], 0);
    }
    let e = exponent(largest) - 30;
    let mantissa = |&s: &f64| {
        if s == 0.0 {
            0
        } else {
            (s / pow2(e)).round().clamp(1.0, f64::from(i32::MAX)) as i32
        }
    };
    (scales.iter().map(mantissa).collect(), e)
}

impl Quantised {
    /// Writes the tensors of the linear layer `name`.
    pub fn write(self, out: &mut Builder, name: &str) {
        out.i8(format!("{name}.w"), [self.m.len(), self.columns], &self.w);
        out.i32(format!("{name}.m"), &self.m);
        out.i32(format!("{name}.e"), &[self.e]);
        if self.c.iter().any(|&c| c > 0) {
            out.u8(format!("{name}.c"), &self.c);
        }
        out.remainders.push(Remainder {
            name: name.to_owned(),
            columns: self.columns,
            low: self.low,
            coarseness: self.coarseness,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_column_leaves_the_others_their_bits() {
        let row = |k: f32| vec![0.01 * k, -0.02, 20.0, 0.03];
        let values: Vec<f32> = (1..=4).flat_map(|k| row(k as f32)).collect();
        let q = Group::new(4, vec![Part::uniform(values.clone(), 4, 1.0)]).quantise();
        assert!(
            q.c[2] >= 6 && q.c[0] == 0 && q.c[1] == 0 && q.c[3] == 0,
            "{:?}",
            q.c
        );
        for (i, &value) in values.iter().enumerate() {
            let (r, j) = (i / 4, i % 4);
            let real = f64::from(q.w[i]) * f64::from(q.m[r]) * pow2(q.e + i32::from(q.c[j]));
            assert!(
                (real - f64::from(value)).abs() < 0.03 * f64::from(value).abs(),
                "{real} {value}"
            );
        }
    }

    #[test]
    fn levels_are_powers_of_two_against_the_median_row() {
        let values = [1.0, 0.5, 8.0, -9.0, 0.0, 0.0, 1.5, 0.1, 0.01, 0.0];
        assert_eq!(row_levels(&values, 2, |r| r), [0, 3, 0, 0, -7]);
        // Rows 0 and 1 as one class, the others alone.
        assert_eq!(row_levels(&values, 2, |r| r.max(1)), [3, 3, 0, 0, -7]);
    }

    #[test]
    fn zero_rows_and_empty_medians() {
        let q = Group::new(2, vec![Part::uniform(vec![0.0; 6], 2, 1.5)]).quantise();
        assert!(q.w.iter().all(|&w| w == 0) && q.m.iter().all(|&m| m == 0));
        assert_eq!(lower_median([].into_iter()), None);
        assert_eq!(lower_median([5, -3, 9, 7].into_iter()), Some(5));
    }
}
