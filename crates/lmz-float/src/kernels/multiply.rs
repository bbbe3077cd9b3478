//! The one operation that the others in burn's own operations are made with.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// A backend with a matrix product that keeps the precision of its operands.
pub trait Multiply: Backend {
    /// The matrix product, batched over leading dimensions. Products of f32 are f32 throughout.
    fn multiply<const D: usize>(left: Tensor<Self, D>, right: Tensor<Self, D>) -> Tensor<Self, D> {
        left.matmul(right)
    }
}
