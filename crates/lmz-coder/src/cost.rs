//! Code lengths in fixed point.

use crate::exp2::LOGIT_FRAC_BITS;

/// A code length in units of 2^-24 bit. Sums saturate (at 2^40 bits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(pub u64);

impl Cost {
    /// Fractional bits of a [`Cost`].
    pub const FRAC_BITS: u32 = 24;

    /// A whole number of bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self((bits as u64) << Self::FRAC_BITS)
    }

    /// The code length in bits, for display.
    pub fn bits(self) -> f64 {
        self.0 as f64 / f64::from(1u32 << Self::FRAC_BITS)
    }

    /// Rounded to the nearest 1/256 bit, the unit in which the container stores it.
    pub fn to_q8(self) -> u64 {
        self.0.saturating_add(1 << 15) >> 16
    }

    /// The model's own code length of a symbol: -log2 of its softmax probability.
    ///
    /// `distance` is the largest logit less the symbol's (16 fractional bits), `total` the sum of
    /// all [weights](crate::exp2_weight). The symbol's own weight does not enter: it may have been
    /// rounded to 0, its logit was not.
    pub fn of_symbol(distance: u32, total: u64) -> Self {
        // Weights that come from logits sum to 2^30 at least; others cost nothing below that.
        let log_total = log2_q24(total).saturating_sub(30 << Self::FRAC_BITS);
        Self(log_total + (u64::from(distance) << (Self::FRAC_BITS - LOGIT_FRAC_BITS)))
    }
}

impl std::ops::Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |a, b| a + b)
    }
}

/// `log2(x)` with 24 fractional bits, rounded down, by repeated squaring; 0 for `x` = 0.
pub fn log2_q24(x: u64) -> u64 {
    if x == 0 {
        return 0;
    }
    let exponent = 63 - x.leading_zeros();
    // The mantissa in [1, 2) with 63 fractional bits.
    let mut mantissa = x << x.leading_zeros();
    let mut log = u64::from(exponent);
    for _ in 0..Cost::FRAC_BITS {
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        let bit = (square >> 64) as u64;
        mantissa = (square >> bit) as u64;
        log = (log << 1) | bit;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log2_agrees_with_f64() {
        for x in [
            1u64,
            2,
            3,
            7,
            10,
            1 << 30,
            (1 << 30) + 1,
            12_345_678_901,
            u64::MAX,
        ] {
            let exact = (x as f64).log2() * f64::from(1 << 24);
            let ours = log2_q24(x) as f64;
            assert!(
                ours <= exact + 1e-3 && exact - ours < 1.001,
                "{x}: {ours} against {exact}"
            );
        }
        assert_eq!(log2_q24(0), 0);
    }

    #[test]
    fn half_costs_one_bit() {
        assert_eq!(Cost::of_symbol(0, 2 << 30), Cost::from_bits(1));
        assert_eq!(Cost::of_symbol(3 << 16, 2 << 30), Cost::from_bits(4));
        assert_eq!(Cost::from_bits(3).to_q8(), 3 * 256);
    }
}
