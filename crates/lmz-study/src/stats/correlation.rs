//! Pearson's and Spearman's coefficients.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::pairs::{check, co_deviation};
use super::rank::ranks;
use super::undefined::Figure;

/// A coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Its value, from -1 to 1.
    pub value: f64,
    /// Two-sided p-value against no association.
    pub p: f64,
    /// How many models.
    pub n: usize,
}

/// Pearson's rho. The p-value is that of Student's t with `n - 2` degrees of freedom, exact for
/// normal columns.
///
/// # Errors
/// Fewer than three rows; a constant column.
pub fn pearson(x: &[f64], y: &[f64]) -> Figure<Correlation> {
    check(x, y, 3)?;
    let value = coefficient(x, y);
    Ok(Correlation {
        value,
        p: student_p(value, x.len() as f64 - 2.0),
        n: x.len(),
    })
}

/// Spearman's rho. The p-value is Pearson's formula on the ranks, an approximation below ten rows.
///
/// # Errors
/// Fewer than three rows; a constant column.
pub fn spearman(x: &[f64], y: &[f64]) -> Figure<Correlation> {
    check(x, y, 3)?;
    pearson(&ranks(x), &ranks(y))
}

/// The 95 % interval of Pearson's rho by Fisher's transformation: `tanh(atanh(rho) +- 1.96 /
/// sqrt(n - 3))`. None below four rows.
pub fn fisher_interval(value: f64, n: usize) -> Option<(f64, f64)> {
    if n < 4 {
        return None;
    }
    let half = Normal::standard().inverse_cdf(0.975) / (n as f64 - 3.0).sqrt();
    let z = value.atanh();
    Some(((z - half).tanh(), (z + half).tanh()))
}

/// Pearson's rho of columns that vary.
pub(crate) fn coefficient(x: &[f64], y: &[f64]) -> f64 {
    let scale = co_deviation(x, x).sqrt() * co_deviation(y, y).sqrt();
    let value = co_deviation(x, y) / scale;
    // On a line but for rounding.
    if 1.0 - value.abs() <= 4.0 * f64::EPSILON {
        return value.signum();
    }
    value
}

/// Two-sided p-value of a coefficient by Student's t.
pub(crate) fn student_p(value: f64, freedom: f64) -> f64 {
    let left = (1.0 - value * value).max(0.0);
    if left == 0.0 {
        return 0.0;
    }
    let t = value.abs() * (freedom / left).sqrt();
    // A positive number of degrees of freedom has a distribution.
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |student| 2.0 * student.sf(t))
}
