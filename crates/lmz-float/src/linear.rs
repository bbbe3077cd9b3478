//! Linear maps.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::kernels::{Kernels, Products};

/// `x W^T + b`.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `[outputs, inputs]`, as checkpoints store it.
    pub weight: Param<Tensor<B, 2>>,
    /// `[outputs]`; `None` where the map has no bias.
    pub bias: Option<Param<Tensor<B, 1>>>,
    #[module(skip)]
    pub(crate) products: Products,
}

impl<B: Kernels> Linear<B> {
    /// `[.., inputs]` to `[.., outputs]`. All leading dimensions become the rows of one product.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let mut shape = x.dims();
        let [outputs, inputs] = self.weight.dims();
        let rows = shape[..D - 1].iter().product::<usize>();
        let x = x.reshape([rows, inputs]);
        let mut y = B::linear_map(x, self.weight.val(), self.products);
        if let Some(bias) = &self.bias {
            y = y + bias.val().unsqueeze();
        }
        shape[D - 1] = outputs;
        y.reshape(shape)
    }
}
