//! How far a figure would move with other documents: a percentile bootstrap.

use serde::{Deserialize, Serialize};

use crate::random::SplitMix64;

/// How many resamples an interval is made from.
pub const RESAMPLES: u32 = 1_000;
/// Seed of the generator that draws them: the same units give the same interval.
pub const SEED: u64 = 20_240_409;
/// Probability that the interval is to hold.
pub const LEVEL: f64 = 0.95;

/// An interval of a ratio of sums.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, in the ratio's own unit.
    pub low: f64,
    /// Upper end, in the ratio's own unit.
    pub high: f64,
    /// Probability that it is to hold: 0.95.
    pub level: f64,
    /// Number of resamples it was made from.
    pub resamples: u32,
    /// Seed of the generator that drew them.
    pub seed: u64,
}

/// The interval of `sum(numerators) / sum(denominators)` over units that are drawn with
/// replacement, as many as there are. None for fewer than two.
///
/// Draw `i` of `n` is `(x * n) >> 64` of the next output `x` of SplitMix64 (Steele, Lea and Flood
/// 2014) started at 20240409; the ends are the 2.5 and 97.5 percentiles, interpolated linearly
/// between order statistics, as NumPy's `percentile` does.
pub fn interval(units: &[(f64, f64)]) -> Option<Interval> {
    if units.len() < 2 {
        return None;
    }
    let mut generator = SplitMix64::new(SEED);
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut numerator, mut denominator) = (0.0, 0.0);
            for _ in 0..units.len() {
                let (n, d) = units[generator.below(units.len())];
                numerator += n;
                denominator += d;
            }
            numerator / denominator
        })
        .filter(|ratio| ratio.is_finite())
        .collect();
    if ratios.is_empty() {
        return None;
    }
    ratios.sort_by(f64::total_cmp);
    Some(Interval {
        low: percentile(&ratios, (1.0 - LEVEL) / 2.0),
        high: percentile(&ratios, (1.0 + LEVEL) / 2.0),
        level: LEVEL,
        resamples: RESAMPLES,
        seed: SEED,
    })
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_units_leave_no_doubt() {
        let interval = interval(&[(3.0, 2.0); 7]).unwrap();
        assert_eq!((interval.low, interval.high), (1.5, 1.5));
        assert_eq!(super::interval(&[(3.0, 2.0)]), None);
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_normal_one() {
        // 0, 1, ..., 999: the mean's standard error is 288.7 / sqrt(1000) = 9.13.
        let units: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), 1.0)).collect();
        let interval = interval(&units).unwrap();
        assert!(
            (interval.low - (499.5 - 1.96 * 9.13)).abs() < 2.0,
            "{interval:?}"
        );
        assert!(
            (interval.high - (499.5 + 1.96 * 9.13)).abs() < 2.0,
            "{interval:?}"
        );
    }

    #[test]
    fn percentiles_are_interpolated() {
        let sorted = [0.0, 10.0, 20.0];
        assert_eq!(percentile(&sorted, 0.0), 0.0);
        assert_eq!(percentile(&sorted, 0.25), 5.0);
        assert_eq!(percentile(&sorted, 1.0), 20.0);
    }
}
