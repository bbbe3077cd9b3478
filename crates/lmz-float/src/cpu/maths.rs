//! Scalar functions that the compiler turns into vector code, and sums in a fixed order.
//!
//! They are inlined into a closure that [`pulp`] runs with the best instructions there are, so
//! they hold no branch and no call.

use pulp::{Arch, Simd, WithSimd};

/// Runs `f` compiled for the best instructions of this processor. `f` must be marked
/// `#[inline(always)]`, or it is compiled for the oldest.
pub(super) fn vectorised(f: impl FnMut()) {
    struct Job<F>(F);
    impl<F: FnMut()> WithSimd for Job<F> {
        type Output = ();

        // `FnMut`, since a call by value goes through a function that is not inlined.
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) {
            (self.0)();
        }
    }
    Arch::new().dispatch(Job(f));
}

/// `e^x`, to 2 units in the last place; 0 below -87, and never infinite.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer below.
    let small = x < -87.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts, the first with trailing zeros.
    let r = n.mul_add(-0.693_145_75, x);
    let r = n.mul_add(-1.428_606_8e-6, r);
    let p = 1.987_569_1e-4_f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 5.000_000_1e-1);
    let p = (p * r).mul_add(r, r) + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let power = f32::from_bits(exponent.wrapping_add(127) << 23);
    if small { 0.0 } else { p * power }
}

/// `tanh x`, to 1e-7.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let x = x.clamp(-10.0, 10.0);
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// The error function, to 1e-7: a quotient of polynomials for |x| < 4.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub(super) fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let p = -2.726_142_3e-10_f32;
    let p = p.mul_add(s, 2.770_681_4e-8);
    let p = p.mul_add(s, -2.101_024_e-6);
    let p = p.mul_add(s, -5.692_506_4e-5);
    let p = p.mul_add(s, -7.349_906_3e-4);
    let p = p.mul_add(s, -2.954_6e-3);
    let p = p.mul_add(s, -1.609_603_3e-2);
    let q = -1.456_607_2e-5_f32;
    let q = q.mul_add(s, -2.133_740_5e-4);
    let q = q.mul_add(s, -1.682_827e-3);
    let q = q.mul_add(s, -7.373_329_2e-3);
    let q = q.mul_add(s, -1.426_473_9e-2);
    (x * p / q).clamp(-1.0, 1.0)
}

/// Calls `$with` with a function of one element for the activation, so that the loop around it
/// is compiled once for each.
macro_rules! with_activation {
    ($activation:expr, $f:ident => $body:expr) => {
        match $activation {
            lmz_model::Activation::Silu => {
                let $f = $crate::cpu::maths::silu;
                $body
            }
            lmz_model::Activation::Gelu => {
                let $f = $crate::cpu::maths::gelu;
                $body
            }
            lmz_model::Activation::GeluTanh => {
                let $f = $crate::cpu::maths::gelu_tanh;
                $body
            }
            _ => {
                let $f = $crate::cpu::maths::relu;
                $body
            }
        }
    };
}
pub(super) use with_activation;

#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
pub(super) fn gelu_tanh(x: f32) -> f32 {
    const ROOT_2_OVER_PI: f32 = 0.797_884_6;
    0.5 * x * (1.0 + tanh(ROOT_2_OVER_PI * (x + 0.044_715 * x * x * x)))
}

#[inline(always)]
pub(super) fn relu(x: f32) -> f32 {
    x.max(0.0)
}

/// The derivative of an activation.
#[inline(always)]
pub(super) fn slope(activation: lmz_model::Activation, x: f32) -> f32 {
    match activation {
        lmz_model::Activation::Silu => {
            let s = 1.0 / (1.0 + exp(-x));
            s * (1.0 + x * (1.0 - s))
        }
        lmz_model::Activation::Gelu => {
            const INV_ROOT_TAU: f32 = 0.398_942_3;
            let area = 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
            area + x * INV_ROOT_TAU * exp(-0.5 * x * x)
        }
        lmz_model::Activation::GeluTanh => {
            const ROOT_2_OVER_PI: f32 = 0.797_884_6;
            let t = tanh(ROOT_2_OVER_PI * (x + 0.044_715 * x * x * x));
            let inner = ROOT_2_OVER_PI * (1.0 + 3.0 * 0.044_715 * x * x);
            0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
        }
        _ => f32::from(u8::from(x > 0.0)),
    }
}

/// How many partial sums a reduction keeps: two vectors of the widest kind.
const LANES: usize = 32;

/// The sum of `f` over a row.
#[inline(always)]
pub(super) fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += f(x);
    }
    fold(lanes, |a, b| a + b)
}

/// The largest element of a row.
#[inline(always)]
pub(super) fn max(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = if x > *lane { x } else { *lane };
    }
    fold(lanes, |a, b| if a > b { a } else { b })
}

/// Replaces each element by `e^(x - max)` and gives their sum.
#[inline(always)]
pub(super) fn exponentiate(row: &mut [f32], max: f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *x = exp(*x - max);
            *lane += *x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *x = exp(*x - max);
        *lane += *x;
    }
    fold(lanes, |a, b| a + b)
}

#[inline(always)]
fn fold(mut lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = f(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_that_of_f64() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            let relative = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(relative < 3e-7, "exp({x}): {relative}");
        }
        assert_eq!(exp(-1000.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn erf_has_its_known_values() {
        // erf by its series in f64.
        let series = |x: f64| {
            let (mut term, mut total) = (x, x);
            for n in 1..200 {
                term *= -x * x / f64::from(n);
                total += term / f64::from(2 * n + 1);
            }
            total * 2.0 / std::f64::consts::PI.sqrt()
        };
        for i in -380..=380 {
            let x = i as f32 / 100.0;
            let error = (f64::from(erf(x)) - series(f64::from(x))).abs();
            assert!(error < 5e-7, "erf({x}): {error}");
        }
        assert!((erf(9.0) - 1.0).abs() < 2e-7);
    }

    #[test]
    fn tanh_is_that_of_f64() {
        for i in -1200..1200 {
            let x = i as f32 / 100.0;
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 3e-7);
        }
    }

    #[test]
    fn reductions_take_every_element() {
        for length in [1, 7, 31, 32, 33, 100] {
            let row: Vec<f32> = (0..length).map(|i| i as f32).collect();
            assert_eq!(sum(&row, |x| x), (length * (length - 1) / 2) as f32);
            assert_eq!(max(&row), (length - 1) as f32);
        }
    }
}
