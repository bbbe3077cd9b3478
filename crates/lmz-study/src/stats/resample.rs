//! Resampling over models: bootstrap and permutation.

use serde::{Deserialize, Serialize};

use super::random::SplitMix64;
use super::statistic::{Statistic, correlation};
use super::summary::percentile;
use super::undefined::{Figure, Undefined};

/// Resamples of a bootstrap.
pub const BOOTSTRAPS: u32 = 2_000;
/// Random permutations, where there are too many to try all.
pub const PERMUTATIONS: u32 = 5_000;
/// Start of the generator of both: the date of the paper.
pub const SEED: u64 = 20_240_409;
/// Probability that an interval is to hold.
pub const LEVEL: f64 = 0.95;

/// A percentile interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Resamples with a value. Those that drew one model only, or a constant column, have none.
    pub defined: u32,
    /// All resamples.
    pub resamples: u32,
}

/// A permutation test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permutation {
    /// Share of the permutations at least as far from 0 as the columns as they are.
    pub p: f64,
    /// Whether all permutations were tried.
    pub exact: bool,
    /// How many were.
    pub permutations: u32,
}

/// The 95 % percentile interval of a coefficient over models drawn with replacement, as many as
/// there are. Draw `i` is `(output * n) >> 64` of the next output of SplitMix64 started at
/// [`SEED`]; the ends are interpolated between order statistics, as NumPy's `percentile` does.
///
/// # Errors
/// As the coefficient; fewer than nine in ten resamples have a value.
pub fn bootstrap(statistic: Statistic, x: &[f64], y: &[f64]) -> Figure<BootstrapInterval> {
    correlation(statistic, x, y)?;
    let mut generator = SplitMix64::new(SEED);
    let n = x.len();
    let (mut drawn_x, mut drawn_y) = (vec![0.0; n], vec![0.0; n]);
    let mut values = Vec::with_capacity(BOOTSTRAPS as usize);
    for _ in 0..BOOTSTRAPS {
        for i in 0..n {
            let row = generator.below(n);
            (drawn_x[i], drawn_y[i]) = (x[row], y[row]);
        }
        if let Ok(found) = correlation(statistic, &drawn_x, &drawn_y) {
            values.push(found.value);
        }
    }
    let defined = values.len() as u32;
    if u64::from(defined) * 10 < u64::from(BOOTSTRAPS) * 9 {
        return Err(Undefined::Resamples {
            defined,
            resamples: BOOTSTRAPS,
        });
    }
    values.sort_by(f64::total_cmp);
    Ok(BootstrapInterval {
        low: percentile(&values, (1.0 - LEVEL) / 2.0),
        high: percentile(&values, (1.0 + LEVEL) / 2.0),
        defined,
        resamples: BOOTSTRAPS,
    })
}

/// A permutation test of a coefficient: `y` in other orders. All orders if they are no more than
/// [`PERMUTATIONS`] (seven models), else so many random ones (Fisher and Yates, SplitMix64 from
/// [`SEED`], each from the order before), and then `p = (1 + as far) / (1 + tried)`.
///
/// # Errors
/// As the coefficient.
pub fn permutation(statistic: Statistic, x: &[f64], y: &[f64]) -> Figure<Permutation> {
    let observed = correlation(statistic, x, y)?.value.abs();
    // Sums in another order may differ in the last bits.
    let far = |y: &[f64]| {
        correlation(statistic, x, y).is_ok_and(|found| found.value.abs() >= observed - 1e-12)
    };
    let orders: Option<u32> = (1..=x.len() as u32).try_fold(1u32, u32::checked_mul);
    let mut y = y.to_vec();
    if let Some(orders) = orders.filter(|&orders| orders <= PERMUTATIONS) {
        let mut as_far = 0u32;
        every_order(&mut y, &mut |y| as_far += u32::from(far(y)));
        return Ok(Permutation {
            p: f64::from(as_far) / f64::from(orders),
            exact: true,
            permutations: orders,
        });
    }
    let mut generator = SplitMix64::new(SEED);
    let mut as_far = 0u32;
    for _ in 0..PERMUTATIONS {
        generator.shuffle(&mut y);
        as_far += u32::from(far(&y));
    }
    Ok(Permutation {
        p: f64::from(1 + as_far) / f64::from(1 + PERMUTATIONS),
        exact: false,
        permutations: PERMUTATIONS,
    })
}

/// Heap's algorithm.
fn every_order(values: &mut [f64], visit: &mut impl FnMut(&[f64])) {
    let mut counters = vec![0; values.len()];
    visit(values);
    let mut at = 1;
    while at < values.len() {
        if counters[at] < at {
            let other = if at % 2 == 0 { 0 } else { counters[at] };
            values.swap(other, at);
            visit(values);
            counters[at] += 1;
            at = 1;
        } else {
            counters[at] = 0;
            at += 1;
        }
    }
}
