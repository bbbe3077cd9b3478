//! Norms of the residual stream and of queries and keys.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use lmz_model::Norm as Kind;

use crate::kernels::{Kernels, NormRule};

/// A norm over the last dimension, computed in f32.
#[derive(Module, Debug)]
pub struct Norm<B: Backend> {
    /// The weight as the checkpoint has it, in f32; none for a bare norm.
    pub weight: Option<Param<Tensor<B, 1>>>,
    /// Added after the weight, in f32.
    pub bias: Option<Param<Tensor<B, 1>>>,
    rule: NormRule,
}

impl<B: Kernels> Norm<B> {
    /// A norm of the blueprint's kind.
    pub fn new(kind: Kind, weight: Option<Tensor<B, 1>>, bias: Option<Tensor<B, 1>>) -> Self {
        Self {
            weight: weight.map(Param::from_tensor),
            bias: bias.map(Param::from_tensor),
            rule: rule(kind),
        }
    }

    /// The same shape as `x`.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let weight = self.weight.as_ref().map(Param::val);
        let bias = self.bias.as_ref().map(Param::val);
        B::normalise(x, self.rule, weight, bias)
    }
}

fn rule(kind: Kind) -> NormRule {
    let (centred, weight_offset, eps) = match kind {
        Kind::RmsNorm { eps } => (false, 0.0, eps),
        Kind::RmsNormPlusOne { eps } => (false, 1.0, eps),
        Kind::LayerNorm { eps } | Kind::BareLayerNorm { eps } => (true, 0.0, eps),
        // `Norm` may grow; a blueprint that validates has one of these.
        _ => (false, 0.0, 1e-5),
    };
    NormRule {
        centred,
        eps,
        weight_offset,
    }
}
