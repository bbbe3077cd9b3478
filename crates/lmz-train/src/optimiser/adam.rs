//! AdamW (Loshchilov and Hutter, arXiv 1711.05101), without decay: it trains the embedding and norms.

use burn::tensor::Tensor;
use lmz_float::kernels::Kernels;

const BETAS: [f64; 2] = [0.9, 0.95];
const EPSILON: f64 = 1e-8;

/// The value after a step; `means` are those of the gradients and of their squares.
pub(super) fn step<B: Kernels>(
    value: Tensor<B, 2>,
    means: &mut [Tensor<B, 2>; 2],
    gradient: Tensor<B, 2>,
    step: u64,
    rate: f64,
) -> Tensor<B, 2> {
    let [first, second] = means;
    *first = first.clone() * BETAS[0] + gradient.clone() * (1.0 - BETAS[0]);
    *second = second.clone() * BETAS[1] + gradient.square() * (1.0 - BETAS[1]);
    // Both start at zero, which is made up for.
    let steps = (step + 1).min(1 << 30) as i32;
    let [one, two] = BETAS.map(|beta| 1.0 - beta.powi(steps));
    let deviation = (second.clone() / two).sqrt() + EPSILON;
    value - first.clone() / deviation * (rate / one)
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::tests::Cpu;

    #[test]
    fn the_first_step_is_the_rate_against_the_sign() {
        let device = Default::default();
        let value = Tensor::<Cpu, 2>::from_floats([[1.0, 2.0, 3.0]], &device);
        let gradient = Tensor::<Cpu, 2>::from_floats([[0.5, -7.0, 1e-3]], &device);
        let mut means = [value.zeros_like(), value.zeros_like()];
        let after = step(value, &mut means, gradient, 0, 0.1);
        let after: Vec<f32> = after.into_data().to_vec().unwrap();
        for (found, expected) in after.iter().zip([0.9, 2.1, 2.9]) {
            assert!((found - expected).abs() < 1e-4, "{after:?}");
        }
    }

    #[test]
    fn three_steps_are_those_of_a_plain_loop() {
        let device = Default::default();
        let mut value = Tensor::<Cpu, 2>::from_floats([[0.3]], &device);
        let mut means = [value.zeros_like(), value.zeros_like()];
        let (mut x, mut m, mut v) = (0.3_f64, 0.0, 0.0);
        for (t, g) in [0.2, -0.1, 0.4].into_iter().enumerate() {
            let gradient = Tensor::<Cpu, 2>::from_floats([[g as f32]], &device);
            value = step(value, &mut means, gradient, t as u64, 0.01);
            m = 0.9 * m + 0.1 * g;
            v = 0.95 * v + 0.05 * g * g;
            let (one, two) = (
                1.0 - 0.9_f64.powi(t as i32 + 1),
                1.0 - 0.95_f64.powi(t as i32 + 1),
            );
            x -= 0.01 * (m / one) / ((v / two).sqrt() + 1e-8);
        }
        let found: Vec<f32> = value.into_data().to_vec().unwrap();
        assert!((f64::from(found[0]) - x).abs() < 1e-5, "{} {x}", found[0]);
    }
}
