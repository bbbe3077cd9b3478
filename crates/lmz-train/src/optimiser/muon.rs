//! Muon (Jordan and others, 2024): momentum whose singular values are all made about 1.

use burn::tensor::Tensor;
use lmz_float::kernels::{Kernels, Products};

const MOMENTUM: f64 = 0.95;

/// Five Newton-Schulz steps, each with coefficients tuned to where the one before has led.
const STEPS: [[f64; 3]; 5] = [
    [4.0848, -6.8946, 2.9270],
    [3.9505, -6.3029, 2.6377],
    [3.7418, -5.5913, 2.3037],
    [2.8769, -3.1427, 1.2046],
    [2.8366, -3.0525, 1.2012],
];

/// The direction of a step: `momentum` takes in the gradient, and what Nesterov's rule makes of
/// both is orthogonalised.
pub(super) fn direction<B: Kernels>(
    momentum: &mut Tensor<B, 2>,
    gradient: Tensor<B, 2>,
    products: Products,
) -> Tensor<B, 2> {
    *momentum = momentum.clone() * MOMENTUM + gradient.clone() * (1.0 - MOMENTUM);
    let ahead = gradient * (1.0 - MOMENTUM) + momentum.clone() * MOMENTUM;
    orthogonalise(ahead, products)
}

/// `value` moved by `update`, scaled by its shape, and drawn towards zero.
pub(super) fn apply<B: Kernels>(
    value: Tensor<B, 2>,
    update: Tensor<B, 2>,
    rate: f64,
    decay: f64,
) -> Tensor<B, 2> {
    let [rows, columns] = value.dims();
    let scale = (rows as f64 / columns as f64).max(1.0).sqrt();
    value * (1.0 - rate * decay) - update * (rate * scale)
}

/// `U V^T` of a singular value decomposition `U S V^T`, about.
fn orthogonalise<B: Kernels>(x: Tensor<B, 2>, products: Products) -> Tensor<B, 2> {
    let [rows, columns] = x.dims();
    let flip = rows > columns;
    let norm = x.clone().square().sum().sqrt() + 1e-7;
    let mut x = x / norm.reshape([1, 1]);
    if flip {
        x = x.transpose();
    }
    for [a, b, c] in STEPS {
        // `linear_map(p, q)` is `p q^T`; the Gram matrix is symmetric.
        let gram = B::linear_map(x.clone(), x.clone(), products);
        let square = B::linear_map(gram.clone(), gram.clone(), products);
        let factor = gram * b + square * c;
        x = x.clone() * a + B::linear_map(factor, x.transpose(), products);
    }
    if flip { x.transpose() } else { x }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::tests::Cpu;

    #[test]
    fn rows_or_columns_become_orthonormal() {
        for shape in [[8, 24], [24, 8], [16, 16], [1, 5]] {
            let random = Distribution::Normal(0.0, 3.0);
            let x = Tensor::<Cpu, 2>::random(shape, random, &Default::default());
            let y = orthogonalise(x, Products::Full);
            let y = if shape[0] > shape[1] {
                y.transpose()
            } else {
                y
            };
            let gram = y.clone().matmul(y.transpose());
            let n = gram.dims()[0];
            let gram: Vec<f32> = gram.into_data().to_vec().unwrap();
            // Square matrices have small singular values, which are lifted in part.
            let slack = if shape[0] == shape[1] { 1.1 } else { 0.2 };
            for i in 0..n {
                assert!(
                    (gram[i * n + i] - 1.0).abs() < slack,
                    "{shape:?} {}",
                    gram[i * n + i]
                );
            }
        }
    }
}
