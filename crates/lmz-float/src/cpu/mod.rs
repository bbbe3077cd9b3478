//! The CPU's own loops.
//!
//! burn-flex multiplies matrices well, but works element by element on one thread and in several
//! passes. Here each norm, rotation and gate is one pass over all threads; attention and the
//! head keep a strip of scores or logits in the cache and never write them to memory. Products of
//! few rows read each weight once, and do not depend on how many rows there are. Everything is f32, and every row is computed in the same order whatever the number of threads.

#[cfg(target_arch = "x86_64")]
mod amx;
mod attention;
mod backward;
mod few;
mod gemm;
mod head;
mod maths;
mod product;
mod rows;
mod view;

#[cfg(test)]
mod tests;

use burn::tensor::{DType, Tensor};
use burn_flex::{Flex, FlexTensor};
use lmz_model::Activation;
use rayon::prelude::*;

use crate::kernels::{
    self, AttentionRule, Bounds, Gradients, Kernels, Multiply, NormRule, Products,
};
use gemm::{Matrix, Threads, multiply};
use product::product;
use view::{Strided, contiguous, primitive, tensor, values, wrap};

impl Multiply for Flex {}

impl Kernels for Flex {
    fn linear_map(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        products: Products,
    ) -> Tensor<Self, 2> {
        let ([rows, inputs], [outputs, _]) = (x.dims(), weight.dims());
        if x.dtype() != DType::F32 {
            return kernels::linear(x, weight, Products::Full);
        }
        let (x, weight) = (contiguous(x), contiguous(weight));
        if products != Products::Bf16 && rows <= few::MOST {
            let y = few::products(values(&x), values(&weight), inputs);
            return tensor(y, [rows, outputs]);
        }
        let mut y = vec![0.0; rows * outputs];
        let (left, right) = (
            Matrix::rows(values(&x), inputs),
            Matrix::columns(values(&weight), inputs),
        );
        let size = [rows, inputs, outputs];
        match products {
            Products::Bf16 => product(&mut y, size, left, right, products),
            Products::Full | Products::Double => {
                multiply(&mut y, outputs, size, left, right, Threads::All);
            }
        }
        tensor(y, [rows, outputs])
    }

    fn gradients() -> Option<&'static dyn Gradients<Self>> {
        Some(&backward::Loops)
    }

    fn normalise<const D: usize>(
        x: Tensor<Self, D>,
        rule: NormRule,
        weight: Option<Tensor<Self, 1>>,
        bias: Option<Tensor<Self, 1>>,
    ) -> Tensor<Self, D> {
        if x.dtype() != DType::F32 {
            return kernels::normalise(x, rule, weight, bias);
        }
        let shape = x.dims();
        let x = contiguous(x);
        let weight = weight.map(contiguous);
        let bias = bias.map(contiguous);
        let y = rows::normalise(
            values(&x),
            shape[D - 1],
            rule,
            weight.as_ref().map(values),
            bias.as_ref().map(values),
        );
        tensor(y, shape)
    }

    fn rotate(x: Tensor<Self, 4>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 4> {
        if x.dtype() != DType::F32 {
            return kernels::rotate(x, cos, sin);
        }
        let shape = x.dims();
        let (x, cos, sin) = (primitive(x), contiguous(cos), contiguous(sin));
        match Strided::new(&x) {
            Some(view) => tensor(rows::rotate(view, values(&cos), values(&sin)), shape),
            None => {
                let x = x.to_contiguous();
                match Strided::new(&x) {
                    Some(view) => tensor(rows::rotate(view, values(&cos), values(&sin)), shape),
                    None => kernels::rotate(wrap(x), wrap(cos), wrap(sin)),
                }
            }
        }
    }

    fn attend(
        query: Tensor<Self, 4>,
        key: Tensor<Self, 4>,
        value: Tensor<Self, 4>,
        rule: AttentionRule,
    ) -> Tensor<Self, 3> {
        let [batch, queries, heads, width] = query.dims();
        let (q, k, v) = (
            primitive(query.clone()),
            primitive(key.clone()),
            primitive(value.clone()),
        );
        match (Strided::new(&q), Strided::new(&k), Strided::new(&v)) {
            (Some(q), Some(k), Some(v)) => tensor(
                attention::attend(q, k, v, rule),
                [batch, queries, heads * width],
            ),
            _ => kernels::attend(query, key, value, rule),
        }
    }

    fn packs() -> bool {
        true
    }

    fn attend_each(
        query: Tensor<Self, 4>,
        queries: &[usize],
        past: Vec<(Tensor<Self, 4>, Tensor<Self, 4>)>,
        rule: AttentionRule,
    ) -> Tensor<Self, 3> {
        let [_, total, heads, width] = query.dims();
        let mut start = 0;
        let all = queries.iter().zip(past).map(|(&count, (key, value))| {
            let own = query.clone().narrow(1, start, count);
            start += count;
            [own, key, value].map(primitive)
        });
        let all: Vec<[FlexTensor; 3]> = all.collect();
        let each = all.par_iter().map(|[query, key, value]| {
            match (Strided::new(query), Strided::new(key), Strided::new(value)) {
                (Some(q), Some(k), Some(v)) => attention::attend(q, k, v, rule),
                _ => {
                    let [q, k, v] = [query, key, value].map(|one| wrap(one.clone()));
                    values(&contiguous(kernels::attend::<Self>(q, k, v, rule))).to_vec()
                }
            }
        });
        let all: Vec<Vec<f32>> = each.collect();
        tensor(all.concat(), [1, total, heads * width])
    }

    fn activate<const D: usize>(x: Tensor<Self, D>, activation: Activation) -> Tensor<Self, D> {
        if x.dtype() != DType::F32 {
            return kernels::activate(x, activation);
        }
        let shape = x.dims();
        let x = contiguous(x);
        tensor(rows::activate(values(&x), activation), shape)
    }

    fn gated<const D: usize>(x: Tensor<Self, D>, activation: Activation) -> Tensor<Self, D> {
        if x.dtype() != DType::F32 {
            return kernels::gated(x, activation);
        }
        let mut shape = x.dims();
        let inner = shape[D - 1] / 2;
        let x = contiguous(x);
        shape[D - 1] = inner;
        tensor(rows::gated(values(&x), inner, activation), shape)
    }

    fn surprisals(
        hidden: Tensor<Self, 2>,
        head: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        softcap: Option<f64>,
        targets: &[u32],
        bounds: Bounds,
    ) -> Tensor<Self, 1> {
        if hidden.dtype() != DType::F32 {
            return kernels::surprisals(hidden, head, bias, softcap, targets, bounds);
        }
        let [rows, width] = hidden.dims();
        let (hidden, head) = (contiguous(hidden), contiguous(head));
        let bias = bias.map(contiguous);
        let y = head::surprisals(
            values(&hidden),
            values(&head),
            width,
            bias.as_ref().map(values),
            softcap,
            targets,
            match bounds.products {
                Products::Double => Products::Double,
                // What is measured is not rounded.
                Products::Full | Products::Bf16 => Products::Full,
            },
        );
        tensor(y, [rows])
    }
}

/// The precision of products that this processor is fastest in.
pub(crate) fn fastest_products() -> Products {
    match product::has_bf16() {
        true => Products::Bf16,
        false => Products::Full,
    }
}
