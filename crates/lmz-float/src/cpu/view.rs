//! From burn's tensors to slices and back.

use burn::tensor::{DType, Tensor, TensorData, TensorPrimitive};
use burn_flex::{Flex, FlexTensor};

/// A 4-dimensional view whose last dimension is dense.
#[derive(Clone, Copy)]
pub(super) struct Strided<'a> {
    /// From the view's first element on.
    pub(super) values: &'a [f32],
    pub(super) shape: [usize; 4],
    /// In elements; the last is 1.
    pub(super) strides: [usize; 4],
}

impl<'a> Strided<'a> {
    /// Of a tensor of f32, if its last dimension is dense.
    pub(super) fn new(x: &'a FlexTensor) -> Option<Self> {
        let layout = x.layout();
        if x.dtype() != DType::F32 || layout.shape().num_dims() != 4 {
            return None;
        }
        let mut strides = [0; 4];
        for (to, &from) in strides.iter_mut().zip(layout.strides()) {
            *to = usize::try_from(from).ok()?;
        }
        let shape = layout.shape().dims::<4>();
        if strides[3] != 1 && shape[3] != 1 {
            return None;
        }
        strides[3] = 1;
        Some(Self {
            values: x.storage::<f32>().get(layout.start_offset()..)?,
            shape,
            strides,
        })
    }

    /// From one head's first element of one token on.
    pub(super) fn at(&self, batch: usize, token: usize, head: usize) -> &'a [f32] {
        let [b, t, h, _] = self.strides;
        &self.values[batch * b + token * t + head * h..]
    }
}

pub(super) fn primitive<const D: usize>(x: Tensor<Flex, D>) -> FlexTensor {
    x.into_primitive().tensor()
}

pub(super) fn contiguous<const D: usize>(x: Tensor<Flex, D>) -> FlexTensor {
    primitive(x).to_contiguous()
}

/// The elements of a contiguous tensor.
pub(super) fn values(x: &FlexTensor) -> &[f32] {
    x.storage::<f32>()
}

pub(super) fn wrap<const D: usize>(x: FlexTensor) -> Tensor<Flex, D> {
    Tensor::from_primitive(TensorPrimitive::Float(x))
}

pub(super) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<Flex, D> {
    wrap(FlexTensor::from_data(TensorData::new(values, shape)))
}
