//! Kendall's tau-b.

use statrs::distribution::{ContinuousCDF, Normal};

use super::correlation::Correlation;
use super::pairs::check;
use super::undefined::Figure;

/// Up to so many rows without ties the p-value is exact.
const EXACT: usize = 33;

/// Kendall's tau-b: `(C - D) / sqrt((T - Tx) (T - Ty))` with `C` pairs in order, `D` in reverse,
/// `T` of all, `Tx` and `Ty` tied. The p-value counts permutations up to 33 rows without ties, and
/// otherwise is the normal approximation with the variance for ties (Kendall 1970, chapter 3).
///
/// # Errors
/// Fewer than three rows; a constant column.
pub fn kendall(x: &[f64], y: &[f64]) -> Figure<Correlation> {
    check(x, y, 3)?;
    let n = x.len();
    let (mut difference, mut discordant) = (0i64, 0u64);
    for i in 0..n {
        for j in 0..i {
            let sign = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
            let product = sign(x[i], x[j]) * sign(y[i], y[j]);
            difference += product;
            discordant += u64::from(product < 0);
        }
    }
    let all = (n * (n - 1) / 2) as f64;
    let (ties_x, ties_y) = (Ties::of(x), Ties::of(y));
    let scale = (all - ties_x.pairs).sqrt() * (all - ties_y.pairs).sqrt();
    let value = (difference as f64 / scale).clamp(-1.0, 1.0);
    let tied = ties_x.pairs + ties_y.pairs > 0.0;
    let p = if !tied && n <= EXACT {
        exact_p(n, discordant.min(all as u64 - discordant))
    } else {
        normal_p(n as f64, difference as f64, &ties_x, &ties_y)
    };
    Ok(Correlation { value, p, n })
}

/// What a column's groups of equal values come to.
struct Ties {
    /// Pairs of equal values: `sum t (t - 1) / 2`.
    pairs: f64,
    /// `sum t (t - 1) (t - 2)`.
    triples: f64,
    /// `sum t (t - 1) (2 t + 5)`.
    weighted: f64,
}

impl Ties {
    fn of(column: &[f64]) -> Self {
        let mut sorted = column.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut ties = Self {
            pairs: 0.0,
            triples: 0.0,
            weighted: 0.0,
        };
        for group in sorted.chunk_by(|a, b| a == b) {
            let t = group.len() as f64;
            ties.pairs += t * (t - 1.0) / 2.0;
            ties.triples += t * (t - 1.0) * (t - 2.0);
            ties.weighted += t * (t - 1.0) * (2.0 * t + 5.0);
        }
        ties
    }
}

/// Twice the share of the permutations of `n` values with at most `inversions` of them.
fn exact_p(n: usize, inversions: u64) -> f64 {
    let most = inversions as usize;
    // shares[k]: the share of the permutations of `length` values with k inversions.
    let mut shares = vec![0.0; most + 1];
    shares[0] = 1.0;
    for length in 2..=n {
        let mut next = vec![0.0; most + 1];
        let mut window = 0.0;
        for k in 0..=most {
            window += shares[k];
            if k >= length {
                window -= shares[k - length];
            }
            next[k] = window / length as f64;
        }
        shares = next;
    }
    (2.0 * shares.iter().sum::<f64>()).min(1.0)
}

fn normal_p(n: f64, difference: f64, x: &Ties, y: &Ties) -> f64 {
    let pairs = n * (n - 1.0);
    let variance = (pairs * (2.0 * n + 5.0) - x.weighted - y.weighted) / 18.0
        + 2.0 * x.pairs * y.pairs / pairs
        + x.triples * y.triples / (9.0 * pairs * (n - 2.0));
    2.0 * Normal::standard().sf(difference.abs() / variance.sqrt())
}
