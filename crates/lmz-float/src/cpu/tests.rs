//! The CPU's loops against the same operations in burn's own.

use burn::tensor::{Distribution, Tensor};
use burn_flex::Flex;
use lmz_model::Activation;

use crate::kernels::{self, AttentionRule, Kernels, NormRule};

fn random<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Default::default())
}

fn agree<const D: usize>(a: Tensor<Flex, D>, b: Tensor<Flex, D>) {
    assert_eq!(a.dims(), b.dims());
    let worst: f32 = (a - b).abs().max().into_scalar();
    assert!(worst < 1e-5, "{worst}");
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
fn surprisals() {
    for (rows, vocab_size) in [(1, 5), (300, 37), (9, 2500)] {
        let (hidden, head) = (random([rows, 16]), random([vocab_size, 16]));
        let targets: Vec<u32> = (0..rows).map(|r| (r * 31 % vocab_size) as u32).collect();
        for (bias, softcap) in [(None, None), (Some(random([vocab_size])), Some(3.0))] {
            agree(
                Flex::surprisals(
                    hidden.clone(),
                    head.clone(),
                    bias.clone(),
                    softcap,
                    &targets,
                    1000,
                ),
                kernels::surprisals(hidden.clone(), head.clone(), bias, softcap, &targets, 1000),
            );
        }
    }
}
