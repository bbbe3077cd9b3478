//! The feed-forward layer with a gate: of most models, and of each expert.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use lmz_model::Activation;

use crate::kernels::Kernels;
use crate::linear::Linear;

/// `down(activation(gate(x)) * up(x))`.
#[derive(Module, Debug)]
pub struct Gated<B: Backend> {
    /// Gate and up in one map: first the rows of the gate, then those of up.
    pub gate_up: Linear<B>,
    /// Back to the residual stream.
    pub down: Linear<B>,
    #[module(skip)]
    pub(crate) activation: Activation,
}

impl<B: Kernels> Gated<B> {
    /// `[.., hidden_size]` to the same.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let inner = B::gated(self.gate_up.forward(x), self.activation);
        self.down.forward(inner)
    }
}
