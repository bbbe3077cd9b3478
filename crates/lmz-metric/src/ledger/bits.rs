//! Bits as integers, so that sums are exact.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use lmz_coder::Cost;

/// A number of bits in units of 2^-24 bit; differences may be negative. Sums saturate at 2^39 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits(pub i64);

impl Bits {
    /// Fractional bits: the unit is 2^-24 bit.
    pub const FRAC_BITS: u32 = Cost::FRAC_BITS;

    /// All bits of some bytes.
    pub fn of_bytes(bytes: u64) -> Self {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        Self(bytes.saturating_mul(8 << Self::FRAC_BITS))
    }

    /// Rounds to the nearest unit; `None` for what is no number or out of range.
    pub fn from_f64(bits: f64) -> Option<Self> {
        let units = (bits * f64::from(1u32 << Self::FRAC_BITS)).round();
        (units.abs() < i64::MAX as f64).then_some(Self(units as i64))
    }

    /// In bits. Exact up to 2^29 bits.
    pub fn bits(self) -> f64 {
        self.0 as f64 / f64::from(1u32 << Self::FRAC_BITS)
    }
}

impl From<Cost> for Bits {
    fn from(cost: Cost) -> Self {
        Self(i64::try_from(cost.0).unwrap_or(i64::MAX))
    }
}

impl Add for Bits {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Bits {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Bits {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Bits {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact() {
        assert_eq!(Bits::from(Cost::from_bits(8)), Bits::of_bytes(1));
        assert_eq!(Bits::from_f64(2.5), Some(Bits(5 << 23)));
        assert_eq!((Bits::of_bytes(3) - Bits::of_bytes(4)).bits(), -8.0);
        for bad in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Bits::from_f64(bad), None);
        }
        assert_eq!(Bits::of_bytes(u64::MAX), Bits(i64::MAX));
    }
}
