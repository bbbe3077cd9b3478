//! Logarithms, `stretch` and `squash`, made with integers.
//!
//! A probability p is mixed in the *stretched* domain, ln(p / (1 - p)), held with 8 fractional bits
//! (1/256 nat) or, between the mixer's layers, with 16.

use std::sync::LazyLock;

use lmz_coder::log2_q24;

/// Largest stretched value, 12 nat with 8 fractional bits.
pub const STRETCH_MAX: i32 = 3071;
/// Largest stretched value with 16 fractional bits.
pub const FINE_MAX: i32 = (12 << 16) - 1;
/// Fractional bits of a probability in the mixer.
pub const PROBABILITY_BITS: u32 = 22;

/// Steps of a nat between two entries of the table of `squash`.
const SQUASH_STEPS: usize = 64;
const SQUASH_HALF: usize = 12 * SQUASH_STEPS;
/// round(e^(1/64) * 2^60)
const E_STEP: u128 = 1_171_077_376_484_718_872;
/// round(256 ln 2 * 2^16)
const NAT_256: i64 = 11_629_080;

/// The tables; read by [`tables`].
#[derive(Debug)]
pub struct Tables {
    /// `squash` at multiples of 1/64 nat from -12 to 12, 22 bits.
    squash: [u32; 2 * SQUASH_HALF + 1],
    /// `stretch` of (i + 1/2) / 4096.
    stretch: [i16; 4096],
    /// log2(1 + i / 1024) with 16 fractional bits.
    log2: [u32; 1024],
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// The tables, made at the first call.
pub fn tables() -> &'static Tables {
    &TABLES
}

impl Tables {
    fn new() -> Self {
        let mut squash = [1u32 << (PROBABILITY_BITS - 1); 2 * SQUASH_HALF + 1];
        // e^(k/64) with 40 fractional bits: below 2^58.
        let one = 1u128 << 40;
        let mut power = one;
        for k in 1..=SQUASH_HALF {
            power = (power * E_STEP + (1 << 59)) >> 60;
            let p = (power << PROBABILITY_BITS) + (one + power) / 2;
            let p = (p / (one + power)) as u32;
            squash[SQUASH_HALF + k] = p;
            squash[SQUASH_HALF - k] = (1 << PROBABILITY_BITS) - p;
        }
        let stretch = std::array::from_fn(|i| {
            let i = i as u64;
            let log = log2_q24(2 * i + 1) as i64 - log2_q24(8191 - 2 * i) as i64;
            ((log * NAT_256 + (1 << 39)) >> 40) as i16
        });
        let log2 =
            std::array::from_fn(|i| ((log2_q24(1024 + i as u64) - (10 << 24) + 128) >> 8) as u32);
        Self {
            squash,
            stretch,
            log2,
        }
    }

    /// 1 / (1 + e^-x) with 22 bits; `x` has 16 fractional bits and is within ±[`FINE_MAX`].
    #[inline(always)]
    pub fn squash(&self, x: i32) -> u32 {
        let t = (x + (12 << 16)) as u32;
        let (i, f) = ((t >> 10) as usize, t & 1023);
        let (a, b) = (self.squash[i], self.squash[i + 1]);
        a + (((b - a) * f) >> 10)
    }

    /// ln(p / (1 - p)) in 1/256 nat, of a probability of 12 bits (its middle).
    #[inline(always)]
    pub fn stretch(&self, p12: u32) -> i16 {
        self.stretch[(p12 & 4095) as usize]
    }

    /// log2(x) with 16 fractional bits, from the leading 11 bits of `x`; 0 for 0.
    #[inline(always)]
    pub fn log2(&self, x: u64) -> i32 {
        let x = x | 1;
        let n = 63 - x.leading_zeros();
        let mantissa = if n >= 10 {
            x >> (n - 10)
        } else {
            x << (10 - n)
        };
        ((n << 16) + self.log2[(mantissa & 1023) as usize]) as i32
    }

    /// ln(ones / zeros) in 1/256 nat, within ±[`STRETCH_MAX`].
    #[inline(always)]
    pub fn ratio(&self, zeros: u64, ones: u64) -> i16 {
        let log = i64::from(self.log2(ones) - self.log2(zeros));
        let nat = (log * NAT_256 + (1 << 31)) >> 32;
        nat.clamp(-i64::from(STRETCH_MAX), i64::from(STRETCH_MAX)) as i16
    }

    /// [`Tables::stretch`] of a probability of 16 bits, to its full precision.
    #[inline(always)]
    pub fn stretch16(&self, p16: u32) -> i16 {
        self.ratio(u64::from(131_071 - 2 * p16), u64::from(2 * p16 + 1))
    }
}

/// Mixes two numbers into one.
#[inline(always)]
pub fn hash(a: u32, b: u32) -> u32 {
    let mut h = a.wrapping_mul(0x9E37_79B1) ^ b.wrapping_add(0x7F4A_7C15).wrapping_mul(0x85EB_CA6B);
    h ^= h >> 15;
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squash_is_the_logistic_function() {
        let t = tables();
        for x in (-FINE_MAX..=FINE_MAX).step_by(97) {
            let exact = 4_194_304.0 / (1.0 + (-f64::from(x) / 65536.0).exp());
            let error = (f64::from(t.squash(x)) - exact).abs();
            assert!(
                // Entries are rounded, what lies between two of them is cut.
                error < 1.5 + exact.min(4_194_304.0 - exact) * 4e-5,
                "{x}: {error}"
            );
        }
        assert!(t.squash(-FINE_MAX) > 0 && t.squash(FINE_MAX) < 1 << 22);
    }

    #[test]
    fn stretch_is_its_inverse() {
        let t = tables();
        for p in 0..4096 {
            let q = (f64::from(p) + 0.5) / 4096.0;
            let exact = (q / (1.0 - q)).ln() * 256.0;
            assert!((f64::from(t.stretch(p)) - exact).abs() < 0.51, "{p}");
        }
        for p in 0..65536 {
            let q = (f64::from(p) + 0.5) / 65536.0;
            let exact = (q / (1.0 - q)).ln() * 256.0;
            assert!((f64::from(t.stretch16(p)) - exact).abs() < 1.0, "{p}");
        }
        assert_eq!(t.ratio(0, u64::MAX), STRETCH_MAX as i16);
        assert_eq!(t.ratio(u64::MAX, 0), -STRETCH_MAX as i16);
    }
}
