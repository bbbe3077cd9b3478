//! Two columns without gaps.

use super::summary::mean;
use super::undefined::{Figure, Undefined};

/// The models of which both figures are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// The first column: compression.
    pub x: Vec<f64>,
    /// The second column: a score.
    pub y: Vec<f64>,
    /// Where each pair was in the columns.
    pub rows: Vec<usize>,
    /// Rows that lack one of the two figures, or hold one that is not finite.
    pub missing: Vec<usize>,
}

impl Pairs {
    /// The rows of two columns in which both are known and finite.
    ///
    /// # Panics
    /// If the columns differ in length.
    pub fn new(x: &[Option<f64>], y: &[Option<f64>]) -> Self {
        assert_eq!(x.len(), y.len(), "columns of one table");
        let mut pairs = Self::default();
        for (row, (x, y)) in x.iter().zip(y).enumerate() {
            let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
            match (finite(x), finite(y)) {
                (Some(x), Some(y)) => {
                    pairs.x.push(x);
                    pairs.y.push(y);
                    pairs.rows.push(row);
                }
                _ => pairs.missing.push(row),
            }
        }
        pairs
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }
}

/// The columns can vary together: at least `needed` rows, and neither is constant.
pub(crate) fn check(x: &[f64], y: &[f64], needed: usize) -> Figure<()> {
    assert_eq!(x.len(), y.len(), "columns of one table");
    let found = x.len();
    if found < needed {
        return Err(Undefined::TooFew { needed, found });
    }
    for (name, column) in [("x", x), ("y", y)] {
        if column.iter().all(|value| *value == column[0]) {
            return Err(Undefined::Constant(name.into()));
        }
    }
    Ok(())
}

/// `sum((a - mean a) (b - mean b))`.
pub(crate) fn co_deviation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let terms = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    terms.sum()
}
