//! Which rows get weights of 16 bits (docs/lmzm.md, "Recipe 2").

use crate::fixed::pow2;
use crate::prepared::{Builder, Remainder};

/// A model whose large scores magnify its noise gets fine rows when int8 makes more of it than this, ...
const NOISE: f64 = 0.05;
/// ... any other when a matrix has more than this in the mean, ...
const MEAN_NOISE: f64 = 1.0 / 200.0;
/// ... so many that no more than this is left.
const LEFT: f64 = 1.0 / 4096.0;
/// Thresholds go down to 2^-16: finer than that is no row of int8.
const STEPS: i32 = 16;

impl Remainder {
    /// What rows that are no coarser than `most` have in the mean square of all rows' coarseness.
    fn noise(&self, most: f64) -> f64 {
        let rows = self.coarseness.iter().filter(|c| **c <= most);
        let squares = rows.fold(0f64, |sum, c| sum + c * c);
        squares / self.coarseness.len() as f64
    }

    /// Writes the low planes of the rows that are coarser than `most`.
    fn write(&self, most: f64, out: &mut Builder) {
        let rows = self.coarseness.iter().enumerate();
        let coarse = rows.filter(|(_, coarseness)| **coarseness > most);
        let rows: Vec<u32> = coarse.map(|(row, _)| row as u32).collect();
        if rows.is_empty() {
            return;
        }
        let plane = |&row: &u32| &self.low[row as usize * self.columns..][..self.columns];
        let low: Vec<i8> = rows.iter().flat_map(plane).copied().collect();
        out.u32(format!("{}.fine", self.name), &rows);
        out.i8(
            format!("{}.low", self.name),
            [rows.len(), self.columns],
            &low,
        );
    }
}

/// Gives the model whose matrices were written its fine rows; `magnified` if some of its scores are wide. Returns whether
/// it has any.
pub fn refine(out: &mut Builder, magnified: bool) -> bool {
    let all = std::mem::take(&mut out.remainders);
    let noise = |most: f64| {
        all.iter()
            .fold(0f64, |sum, matrix| sum + matrix.noise(most))
    };
    let limit = match magnified {
        true => NOISE,
        false => MEAN_NOISE * all.len() as f64,
    };
    if noise(f64::INFINITY) <= limit {
        return false;
    }
    let thresholds = (0..=STEPS).map(|step| pow2(-step));
    let mut fitting = thresholds.filter(|most| noise(*most) <= LEFT);
    let most = fitting.next().unwrap_or(0.0);
    for matrix in &all {
        matrix.write(most, out);
    }
    true
}
