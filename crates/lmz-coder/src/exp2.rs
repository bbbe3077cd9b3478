//! Exponentials of non-positive fixed-point numbers.

/// Fractional bits of a logit (log2 units).
pub const LOGIT_FRAC_BITS: u32 = 16;

/// The weight of the largest logit: 2^30 stands for 1.
pub const WEIGHT_ONE: u32 = 1 << 30;

/// `2^(-distance / 2^16)` with 30 fractional bits.
///
/// The relative error of the polynomial is below 1.3e-5 (checked exhaustively); what is smaller than
/// 2^-30 becomes 0. The arithmetic is 32-bit unsigned multiplication, addition and shift only, with
/// every intermediate below 2^32, so that it means the same on a GPU.
#[inline(always)]
pub fn exp2_weight(distance: u32) -> u32 {
    // distance = 65536 n - f with 0 <= f < 65536, so 2^-(distance/65536) = 2^(f/65536) / 2^n.
    let f = distance.wrapping_neg() & 0xffff;
    // (distance + 65535) >> 16 without overflow: distances reach 2^31.
    let n = (distance >> 16) + u32::from(distance & 0xffff != 0);
    let mut h = 896u32;
    h = 3396 + (h.wrapping_mul(f).wrapping_add(0x8000) >> 16);
    h = 15826 + (h.wrapping_mul(f).wrapping_add(0x8000) >> 16);
    h = 45418 + (h.wrapping_mul(f).wrapping_add(0x8000) >> 16);
    let power = WEIGHT_ONE + (h.wrapping_mul(f) >> 2);
    // power < 2^31: a shift of 31 already gives 0, and no shift reaches 32.
    power >> if n < 31 { n } else { 31 }
}

/// [`exp2_weight`] of `max - logit` for every logit.
///
/// `max` must be at least every logit, and the difference below 2^32 (logits lie in ±2^30).
///
/// # Panics
/// If the slices differ in length.
#[inline(always)]
pub fn exp2_weights(logits: &[i32], max: i32, weights: &mut [u32]) {
    assert_eq!(logits.len(), weights.len());
    for (weight, &logit) in weights.iter_mut().zip(logits) {
        *weight = exp2_weight(max.wrapping_sub(logit) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fraction_is_accurate_and_monotone() {
        let mut previous = u32::MAX;
        for distance in 0..=65536u32 {
            let weight = exp2_weight(distance);
            assert!(weight <= previous, "not monotone at {distance}");
            previous = weight;
            let exact = (-f64::from(distance) / 65536.0).exp2() * f64::from(WEIGHT_ONE);
            let error = (f64::from(weight) - exact).abs() / exact;
            assert!(
                error < 1.3e-5,
                "distance {distance}: relative error {error:e}"
            );
        }
        assert_eq!(exp2_weight(0), WEIGHT_ONE);
        assert_eq!(exp2_weight(65536), WEIGHT_ONE / 2);
    }

    #[test]
    fn far_logits_weigh_nothing() {
        assert_eq!(exp2_weight(30 << 16), 1);
        assert_eq!(exp2_weight(31 << 16), 0);
        assert_eq!(exp2_weight(1 << 31), 0);
        assert_eq!(exp2_weight(u32::MAX), 0);
    }
}
