//! The CPU's loops against the same operations in burn's own.

use burn::tensor::{Distribution, Tensor};
use burn_flex::Flex;
use lmz_model::Activation;

use super::gemm::Matrix;
use super::product::forward;
use crate::kernels::{self, AttentionRule, Bounds, Kernels, NormRule, Products};

fn random<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Default::default())
}

fn agree<const D: usize>(a: Tensor<Flex, D>, b: Tensor<Flex, D>) {
    assert_eq!(a.dims(), b.dims());
    // Rounding grows with the numbers, which are random.
    let size: f32 = b.clone().abs().max().into_scalar();
    let worst: f32 = (a - b).abs().max().into_scalar();
    assert!(worst < 1e-5 * size.max(1.0), "{worst} of {size}");
}

#[test]
fn norms() {
    for (width, centred) in [(1, false), (7, true), (64, false), (100, true)] {
        let rule = NormRule {
            centred,
            eps: 1e-5,
            weight_offset: 1.0,
        };
        let (x, w, b) = (random([3, 5, width]), random([width]), random([width]));
        for (w, b) in [(None, None), (Some(w.clone()), None), (Some(w), Some(b))] {
            agree(
                Flex::normalise(x.clone(), rule, w.clone(), b.clone()),
                kernels::normalise(x.clone(), rule, w, b),
            );
        }
    }
}

#[test]
fn rotations_of_views() {
    let x = random([2, 9, 7, 12]).narrow(2, 1, 4);
    for half in [1, 4, 6] {
        let (cos, sin) = (random([11, half]), random([11, half]));
        let (cos, sin) = (cos.narrow(0, 2, 9), sin.narrow(0, 2, 9));
        agree(
            Flex::rotate(x.clone(), cos.clone(), sin.clone()),
            kernels::rotate(x.clone(), cos, sin),
        );
    }
}

#[test]
fn attention() {
    for (queries, keys, heads, kv_heads) in [
        (1, 1, 1, 1),
        (1, 90, 4, 2),
        (150, 150, 6, 3),
        (70, 200, 4, 1),
    ] {
        for window in [None, Some(1), Some(33), Some(1000)] {
            for softcap in [None, Some(2.0)] {
                let rule = AttentionRule {
                    scale: 0.3,
                    softcap,
                    window,
                    max_scores: 20_000,
                    products: Products::Full,
                };
                // As they come: slices of one product's result.
                let pair = random([2, queries, heads + 3, 8]);
                let query = pair.narrow(2, 1, heads);
                let key = random([2, keys, kv_heads, 8]);
                let value = random([2, keys, 2 * kv_heads, 8]).narrow(2, kv_heads, kv_heads);
                agree(
                    Flex::attend(query.clone(), key.clone(), value.clone(), rule),
                    kernels::attend(query, key, value, rule),
                );
            }
        }
    }
}

#[test]
fn activations() {
    for activation in [
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Relu,
    ] {
        let x = random([3, 50, 6]) * 4.0;
        agree(
            Flex::activate(x.clone(), activation),
            kernels::activate(x.clone(), activation),
        );
        agree(
            Flex::gated(x.clone(), activation),
            kernels::gated(x, activation),
        );
    }
}

#[test]
fn sums_in_f64_are_rounded_once() {
    let (rows, inputs, outputs) = (50, 700, 33);
    let (x, weight) = (random([rows, inputs]), random([outputs, inputs]));
    let x = x.into_data().to_vec::<f32>().unwrap();
    let weight = weight.into_data().to_vec::<f32>().unwrap();
    let of = |products| {
        let mut y = vec![0.0; rows * outputs];
        let (left, right) = (Matrix::rows(&x, inputs), Matrix::columns(&weight, inputs));
        forward(
            &mut y,
            outputs,
            [rows, inputs, outputs],
            left,
            right,
            products,
        );
        y
    };
    let (full, double) = (of(Products::Full), of(Products::Double));
    let mut worst = [0.0_f64; 2];
    for (row, x) in x.chunks(inputs).enumerate() {
        for (output, weight) in weight.chunks(inputs).enumerate() {
            let products = x
                .iter()
                .zip(weight)
                .map(|(&x, &w)| f64::from(x) * f64::from(w));
            let exact: f64 = products.sum();
            let at = row * outputs + output;
            assert!((f64::from(double[at]) - exact).abs() <= exact.abs() * f64::from(f32::EPSILON));
            for (worst, y) in worst.iter_mut().zip([full[at], double[at]]) {
                *worst = worst.max((f64::from(y) - exact).abs());
            }
        }
    }
    assert!(worst[1] < worst[0] / 2.0, "{worst:?}");
}

#[test]
fn surprisals() {
    for (rows, vocab_size) in [(1, 5), (300, 37), (9, 2500)] {
        let (hidden, head) = (random([rows, 16]), random([vocab_size, 16]));
        let targets: Vec<u32> = (0..rows).map(|r| (r * 31 % vocab_size) as u32).collect();
        for (bias, softcap) in [(None, None), (Some(random([vocab_size])), Some(3.0))] {
            for products in [Products::Full, Products::Double] {
                let bounds = Bounds {
                    max_logits: 1000,
                    products,
                };
                let (hidden, head, bias) = (hidden.clone(), head.clone(), bias.clone());
                agree(
                    Flex::surprisals(
                        hidden.clone(),
                        head.clone(),
                        bias.clone(),
                        softcap,
                        &targets,
                        bounds,
                    ),
                    kernels::surprisals(hidden, head, bias, softcap, &targets, bounds),
                );
            }
        }
    }
}

/// Backward passes of our own against burn's through the same operations.
#[cfg(feature = "autodiff")]
mod gradients {
    use burn::backend::Autodiff;

    use super::*;

    type Auto = Autodiff<Flex>;

    /// The gradients of a weighed sum of `f` of these inputs.
    fn gradients<const D: usize, const E: usize>(
        inputs: &[Tensor<Flex, D>],
        weights: &Tensor<Flex, E>,
        f: impl Fn(&[Tensor<Auto, D>]) -> Tensor<Auto, E>,
    ) -> Vec<Tensor<Flex, D>> {
        let inputs: Vec<Tensor<Auto, D>> = inputs
            .iter()
            .map(|x| Tensor::from_inner(x.clone()).require_grad())
            .collect();
        let sum = (f(&inputs) * Tensor::from_inner(weights.clone())).sum();
        let found = sum.backward();
        inputs
            .iter()
            .map(|x| x.grad(&found).expect("a gradient"))
            .collect()
    }

    fn all_agree<const D: usize>(a: Vec<Tensor<Flex, D>>, b: Vec<Tensor<Flex, D>>, most: f32) {
        for (a, b) in a.into_iter().zip(b) {
            assert_eq!(a.dims(), b.dims());
            let worst: f32 = (a - b).abs().max().into_scalar();
            assert!(worst < most, "{worst}");
        }
    }

    #[test]
    fn of_linear_maps() {
        let inputs = [random([70, 40]), random([50, 40])];
        let weights = random([70, 50]);
        let with = |products| {
            gradients(&inputs, &weights, |x| {
                Auto::linear_map(x[0].clone(), x[1].clone(), products)
            })
        };
        let plain = gradients(&inputs, &weights, |x| {
            kernels::linear(x[0].clone(), x[1].clone(), Products::Full)
        });
        all_agree(with(Products::Full), plain.clone(), 1e-4);
        // Eight bits of mantissa, and sums of 70 products of about 1.
        all_agree(with(Products::Bf16), plain, 0.3);
    }

    #[test]
    fn of_norms() {
        let rule = NormRule {
            centred: false,
            eps: 1e-5,
            weight_offset: 1.0,
        };
        let weight = random([24]);
        let (inputs, weights) = ([random([3, 7, 24])], random([3, 7, 24]));
        let of = |own: bool| {
            gradients(&inputs, &weights, |x| {
                let weight = Some(Tensor::from_inner(weight.clone()));
                match own {
                    true => Auto::normalise(x[0].clone(), rule, weight, None),
                    false => kernels::normalise(x[0].clone(), rule, weight, None),
                }
            })
        };
        all_agree(of(true), of(false), 1e-5);
        let of = |own: bool| {
            gradients(std::slice::from_ref(&weight), &weights, |w| {
                let (x, w) = (Tensor::from_inner(inputs[0].clone()), Some(w[0].clone()));
                match own {
                    true => Auto::normalise(x, rule, w, None),
                    false => kernels::normalise(x, rule, w, None),
                }
            })
        };
        all_agree(of(true), of(false), 1e-4);
    }

    #[test]
    fn of_rotations_and_gates() {
        let (cos, sin) = (random([9, 4]), random([9, 4]));
        let (inputs, weights) = ([random([2, 9, 3, 12])], random([2, 9, 3, 12]));
        let table = |x: &Tensor<Flex, 2>| Tensor::<Auto, 2>::from_inner(x.clone());
        all_agree(
            gradients(&inputs, &weights, |x| {
                Auto::rotate(x[0].clone(), table(&cos), table(&sin))
            }),
            gradients(&inputs, &weights, |x| {
                kernels::rotate(x[0].clone(), table(&cos), table(&sin))
            }),
            1e-5,
        );
        for activation in [
            Activation::Silu,
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Relu,
        ] {
            let (inputs, weights) = ([random([30, 12]) * 2.0], random([30, 6]));
            all_agree(
                gradients(&inputs, &weights, |x| Auto::gated(x[0].clone(), activation)),
                gradients(&inputs, &weights, |x| {
                    kernels::gated(x[0].clone(), activation)
                }),
                1e-4,
            );
        }
    }

    #[test]
    fn of_attention() {
        for (tokens, window) in [(5, None), (200, None), (200, Some(33))] {
            for (products, most) in [(Products::Full, 1e-4), (Products::Bf16, 0.1)] {
                let rule = |products| AttentionRule {
                    scale: 0.3,
                    softcap: None,
                    window,
                    max_scores: 1 << 20,
                    products,
                };
                // One tensor of all heads, of which query, key and value are slices.
                let (inputs, weights) = ([random([2, tokens, 8, 16])], random([2, tokens, 64]));
                let of = |own: bool| {
                    gradients(&inputs, &weights, |x| {
                        let query = x[0].clone().narrow(2, 0, 4);
                        let key = x[0].clone().narrow(2, 4, 2);
                        let value = x[0].clone().narrow(2, 6, 2);
                        match own {
                            true => Auto::attend(query, key, value, rule(products)),
                            false => kernels::attend(query, key, value, rule(Products::Full)),
                        }
                    })
                };
                all_agree(of(true), of(false), most);
            }
        }
    }

    #[test]
    fn of_the_loss() {
        let (rows, vocab_size) = (300, 70);
        let targets: Vec<u32> = (0..rows).map(|r| (r * 31 % vocab_size) as u32).collect();
        let inputs = [random([rows, 16]), random([vocab_size, 16])];
        let of = |own: bool| {
            gradients(&inputs, &random([1]).ones_like(), |x| {
                let (hidden, head) = (x[0].clone(), x[1].clone());
                let bounds = Bounds {
                    max_logits: 1 << 20,
                    products: Products::Full,
                };
                match own {
                    true => Auto::loss(hidden, head, None, None, &targets, bounds),
                    false => kernels::loss(hidden, head, None, None, &targets, bounds),
                }
            })
        };
        all_agree(of(true), of(false), 1e-5);
    }
}
