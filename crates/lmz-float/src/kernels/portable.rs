//! Each of [`Kernels`](super::Kernels) in burn's own operations.

use burn::tensor::activation::{gelu, gelu_approximate, log_softmax, relu, silu, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor};
use lmz_model::Activation;

use super::multiply::Multiply;
use super::rules::{AttentionRule, Bounds, NormRule, Products};

/// [`Kernels::linear_map`](super::Kernels::linear_map) for any backend.
pub fn linear<B: Multiply>(
    x: Tensor<B, 2>,
    weight: Tensor<B, 2>,
    products: Products,
) -> Tensor<B, 2> {
    let dtype = x.dtype();
    let (x, weight) = (operand(x, products), operand(weight, products));
    B::multiply(x, weight.transpose()).cast(dtype)
}

/// A factor as it is multiplied.
pub(super) fn operand<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    products: Products,
) -> Tensor<B, D> {
    match products {
        Products::Full | Products::Double => x,
        Products::Bf16 => x.cast(DType::BF16),
    }
}

/// [`Kernels::normalise`](super::Kernels::normalise) for any backend.
pub fn normalise<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    rule: NormRule,
    weight: Option<Tensor<B, 1>>,
    bias: Option<Tensor<B, 1>>,
) -> Tensor<B, D> {
    let dtype = x.dtype();
    let mut x = x.cast(DType::F32);
    if rule.centred {
        x = x.clone() - x.mean_dim(D - 1);
    }
    let mean_square = x.clone().square().mean_dim(D - 1);
    let mut x = x / (mean_square + rule.eps).sqrt();
    if let Some(weight) = weight {
        let mut weight = weight.cast(DType::F32);
        if rule.weight_offset != 0.0 {
            weight = weight + rule.weight_offset;
        }
        x = x * weight.unsqueeze();
    }
    if let Some(bias) = bias {
        x = x + bias.cast(DType::F32).unsqueeze();
    }
    x.cast(dtype)
}

/// [`Kernels::rotate`](super::Kernels::rotate) for any backend.
pub fn rotate<B: Backend>(x: Tensor<B, 4>, cos: Tensor<B, 2>, sin: Tensor<B, 2>) -> Tensor<B, 4> {
    let [_, tokens, _, head_dim] = x.dims();
    let [_, half] = cos.dims();
    let dtype = x.dtype();
    let cos = cos.reshape([1, tokens, 1, half]);
    let sin = sin.reshape([1, tokens, 1, half]);
    let first = x.clone().narrow(3, 0, half).cast(DType::F32);
    let second = x.clone().narrow(3, half, half).cast(DType::F32);
    let mut parts = vec![
        (first.clone() * cos.clone() - second.clone() * sin.clone()).cast(dtype),
        (second * cos + first * sin).cast(dtype),
    ];
    if 2 * half < head_dim {
        parts.push(x.narrow(3, 2 * half, head_dim - 2 * half));
    }
    Tensor::cat(parts, 3)
}

/// [`Kernels::attend`](super::Kernels::attend) for any backend: strips of queries against the keys that any of them sees.
pub fn attend<B: Multiply>(
    query: Tensor<B, 4>,
    key: Tensor<B, 4>,
    value: Tensor<B, 4>,
    rule: AttentionRule,
) -> Tensor<B, 3> {
    let [batch, queries, heads, head_dim] = query.dims();
    let [_, keys, kv_heads, _] = key.dims();
    let group = heads / kv_heads;
    let past = keys - queries;
    let dtype = query.dtype();
    let device = query.device();
    let query = operand(query, rule.products);
    let (key, value) = (operand(key, rule.products), operand(value, rule.products));
    let inner = query.dtype();
    let key = key.permute([0, 2, 3, 1]); // [batch, kv_heads, head_dim, keys]
    let value = value.permute([0, 2, 1, 3]); // [batch, kv_heads, keys, head_dim]
    let strip = (rule.max_scores / (batch * heads * keys).max(1)).clamp(16, queries.max(16));

    let mut outputs = Vec::with_capacity(queries.div_ceil(strip));
    for start in (0..queries).step_by(strip) {
        let end = (start + strip).min(queries);
        let rows = end - start;
        let (first, last) = rule.visible(past, start, end);
        let seen = last - first;
        // The query heads that share a key head become further rows of one product.
        let strip_query = query
            .clone()
            .narrow(1, start, rows)
            .reshape([batch, rows, kv_heads, group, head_dim])
            .permute([0, 2, 3, 1, 4])
            .reshape([batch, kv_heads, group * rows, head_dim]);
        let scores = B::multiply(strip_query, key.clone().narrow(3, first, seen));
        let mut scores = scores.cast(DType::F32) * rule.scale;
        if let Some(cap) = rule.softcap {
            scores = (scores / cap).tanh() * cap;
        }
        if rows > 1 {
            let row = position_range::<B>(past + start, rows, &device).reshape([rows, 1]);
            let column = position_range::<B>(first, seen, &device).reshape([1, seen]);
            let row = row.expand([rows, seen]);
            let column = column.expand([rows, seen]);
            let mut hidden = column.clone().greater(row.clone());
            if let Some(window) = rule.window {
                let horizon = row - i32::try_from(window).unwrap_or(i32::MAX);
                hidden = hidden.bool_or(column.lower_equal(horizon));
            }
            let hidden = hidden
                .reshape([1, 1, 1, rows, seen])
                .expand([batch, kv_heads, group, rows, seen])
                .reshape([batch, kv_heads, group * rows, seen]);
            scores = scores.mask_fill(hidden, f32::NEG_INFINITY);
        }
        let weights = softmax(scores, 3).cast(inner);
        let output = B::multiply(weights, value.clone().narrow(2, first, seen))
            .cast(dtype)
            .reshape([batch, kv_heads, group, rows, head_dim])
            .permute([0, 3, 1, 2, 4])
            .reshape([batch, rows, heads * head_dim]);
        outputs.push(output);
    }
    if outputs.len() == 1 {
        outputs.remove(0)
    } else {
        Tensor::cat(outputs, 1)
    }
}

fn position_range<B: Backend>(
    start: usize,
    length: usize,
    device: &B::Device,
) -> Tensor<B, 1, Int> {
    Tensor::arange(start as i64..(start + length) as i64, device)
}

/// [`Kernels::activate`](super::Kernels::activate) for any backend.
pub fn activate<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    activation: Activation,
) -> Tensor<B, D> {
    match activation {
        Activation::Silu => silu(x),
        Activation::Gelu => gelu(x),
        Activation::GeluTanh => gelu_approximate(x),
        // `Activation` may grow; a blueprint that this version can parse has one of these.
        _ => relu(x),
    }
}

/// [`Kernels::gated`](super::Kernels::gated) for any backend.
pub fn gated<B: Backend, const D: usize>(x: Tensor<B, D>, activation: Activation) -> Tensor<B, D> {
    let inner = x.dims()[D - 1] / 2;
    let up = x.clone().narrow(D - 1, inner, inner);
    activate(x.narrow(D - 1, 0, inner), activation) * up
}

/// [`Kernels::surprisals`](super::Kernels::surprisals) for any backend, by chunks of rows.
pub fn surprisals<B: Multiply>(
    hidden: Tensor<B, 2>,
    head: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
    softcap: Option<f64>,
    targets: &[u32],
    Bounds { max_logits, .. }: Bounds,
) -> Tensor<B, 1> {
    let [rows, _] = hidden.dims();
    let [vocab_size, _] = head.dims();
    let device = hidden.device();
    let targets: Vec<i32> = targets.iter().map(|&t| t as i32).collect();
    let targets = Tensor::<B, 1, Int>::from_data(targets.as_slice(), &device).reshape([rows, 1]);
    let head = head.transpose();
    let chunk = (max_logits / vocab_size).clamp(1, rows.max(1));
    let mut all = Vec::with_capacity(rows.div_ceil(chunk));
    for start in (0..rows).step_by(chunk) {
        let count = chunk.min(rows - start);
        let products = B::multiply(hidden.clone().narrow(0, start, count), head.clone());
        let logits = logits(products, bias.clone(), softcap);
        let target = targets.clone().narrow(0, start, count);
        let picked = log_softmax(logits, 1).gather(1, target);
        all.push(picked.reshape([count]).neg());
    }
    Tensor::cat(all, 0)
}

/// Logits in f32, of the products of hidden states and head, `[rows, vocab_size]`.
pub fn logits<B: Backend>(
    products: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
    softcap: Option<f64>,
) -> Tensor<B, 2> {
    let mut logits = products.cast(DType::F32);
    if let Some(bias) = bias {
        logits = logits + bias.cast(DType::F32).unsqueeze();
    }
    if let Some(cap) = softcap {
        logits = (logits / cap).tanh() * cap;
    }
    logits
}
