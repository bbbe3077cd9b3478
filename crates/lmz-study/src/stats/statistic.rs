//! The coefficients by name.

use serde::{Deserialize, Serialize};

use super::correlation::{Correlation, pearson, spearman};
use super::kendall::kendall;
use super::undefined::Figure;

/// Which coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Pearson's rho: how near to a line.
    Pearson,
    /// Spearman's rho: Pearson's of the ranks; equal values share their mean rank.
    Spearman,
    /// Kendall's tau-b: pairs in order against pairs in reverse, corrected for ties.
    Kendall,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pearson, Self::Spearman, Self::Kendall];
}

/// A coefficient of two columns.
///
/// # Errors
/// Fewer than three rows; a constant column.
pub fn correlation(statistic: Statistic, x: &[f64], y: &[f64]) -> Figure<Correlation> {
    match statistic {
        Statistic::Pearson => pearson(x, y),
        Statistic::Spearman => spearman(x, y),
        Statistic::Kendall => kendall(x, y),
    }
}
