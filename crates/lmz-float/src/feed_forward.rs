//! The feed-forward half of a layer.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use lmz_model::Activation;

use crate::experts::Experts;
use crate::gated::Gated;
use crate::kernels::Kernels;
use crate::linear::Linear;

/// `down(activation(up(x)))`.
#[derive(Module, Debug)]
pub struct Plain<B: Backend> {
    /// To the inner width.
    pub up: Linear<B>,
    /// Back to the residual stream.
    pub down: Linear<B>,
    #[module(skip)]
    pub(crate) activation: Activation,
}

impl<B: Kernels> Plain<B> {
    /// `[.., hidden_size]` to the same.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let inner = B::activate(self.up.forward(x), self.activation);
        self.down.forward(inner)
    }
}

/// Whichever the blueprint asks for.
#[derive(Module, Debug)]
pub enum FeedForward<B: Backend> {
    /// `down(activation(gate(x)) * up(x))`.
    Gated(Gated<B>),
    /// `down(activation(up(x)))`.
    Plain(Plain<B>),
    /// Several of which each token takes a few.
    Experts(Experts<B>),
}

impl<B: Kernels> FeedForward<B> {
    /// `[batch, tokens, hidden_size]` to the same.
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        match self {
            Self::Gated(gated) => gated.forward(x),
            Self::Plain(plain) => plain.forward(x),
            Self::Experts(experts) => experts.forward(x),
        }
    }
}
