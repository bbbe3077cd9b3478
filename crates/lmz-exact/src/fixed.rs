//! The integer operations of docs/numerics.md, section 1.

/// Number of bits of a magnitude: 0 for 0, 8 for 255.
#[inline(always)]
pub fn bitlen(x: u64) -> i32 {
    64 - x.leading_zeros() as i32
}

/// The rounding shift: `x / 2^n`, halves up; a left shift for negative `n`, which the caller knows
/// not to overflow.
#[inline(always)]
pub fn rshift(x: i64, n: i32) -> i64 {
    if n <= 0 {
        x << (-n).min(63)
    } else if n < 63 {
        x.wrapping_add(1 << (n - 1)) >> n
    } else {
        0
    }
}

/// Largest magnitude of the residual stream and of anything brought to 32 bits.
pub const MAX32: i64 = i32::MAX as i64;

/// `x · 2^e`, saturating at ±(2^31 - 1).
#[inline(always)]
pub fn shift_to(x: i64, e: i32) -> i64 {
    if e <= 0 {
        return rshift(x, -e).clamp(-MAX32, MAX32);
    }
    // |x| < 2^31 and a shift of at most 32 cannot leave 63 bits; any larger one saturates too.
    (x.clamp(-MAX32, MAX32) << e.min(32)).clamp(-MAX32, MAX32)
}

/// The largest integer whose square is at most `n`.
#[inline]
pub fn isqrt(n: u64) -> u64 {
    n.isqrt()
}

/// floor(log2 |x|) of a finite, non-zero double, from its bits.
pub fn exponent(x: f64) -> i32 {
    let bits = x.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i32;
    if field != 0 {
        field - 1023
    } else {
        bitlen(bits & ((1 << 52) - 1)) - 1075
    }
}

/// `2^e` as a double, exact for -1022..=1023.
pub fn pow2(e: i32) -> f64 {
    f64::from_bits(((e.clamp(-1022, 1023) + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_shift_rounds_halves_up() {
        assert_eq!(
            [rshift(5, 1), rshift(-5, 1), rshift(6, 2), rshift(-6, 2)],
            [3, -2, 2, -1]
        );
        assert_eq!(
            [rshift(7, 0), rshift(7, -2), rshift(i64::MAX / 2, 63)],
            [7, 28, 0]
        );
        assert_eq!(rshift(-1, 62), 0);
    }

    #[test]
    fn shift_to_saturates() {
        assert_eq!(shift_to(1 << 30, 5), MAX32);
        assert_eq!(shift_to(-3, 500), -MAX32);
        assert_eq!(shift_to(0, 500), 0);
        assert_eq!(shift_to(1 << 40, -20), 1 << 20);
        assert_eq!(shift_to(1 << 40, 0), MAX32);
        assert_eq!(shift_to(12345, -500), 0);
    }

    #[test]
    fn exponents_of_doubles() {
        for x in [
            1.0,
            1.5,
            2.0,
            0.75,
            1e-300,
            1e300,
            -3.0,
            f64::MIN_POSITIVE / 8.0,
            5e-324,
        ] {
            let e = exponent(x);
            if (-1022..=1023).contains(&e) {
                assert!(pow2(e) <= x.abs() && x.abs() < 2.0 * pow2(e), "{x}: {e}");
            } else {
                assert_eq!(e, if x == 5e-324 { -1074 } else { -1025 });
            }
        }
    }

    #[test]
    fn bit_lengths() {
        assert_eq!(
            [
                bitlen(0),
                bitlen(1),
                bitlen(255),
                bitlen(256),
                bitlen(u64::MAX)
            ],
            [0, 1, 8, 9, 64]
        );
    }
}
