//! The operations whose best form depends on the backend.
//!
//! [`Kernels`] gives each of them in burn's own operations, which is what GPUs run and what
//! gradients flow through. The CPU backend replaces them with loops that keep a strip of the
//! data in the cache (`cpu`). A test compares the two.

mod multiply;
mod portable;
mod rules;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use lmz_model::Activation;

pub use multiply::Multiply;
pub use portable::{activate, attend, gated, linear, logits, normalise, rotate, surprisals};
pub use rules::{AttentionRule, Bounds, NormRule, Products};

/// A backend that a model runs on.
pub trait Kernels: Multiply {
    /// `x weight^T`: `x` is `[rows, inputs]`, `weight` `[outputs, inputs]`.
    fn linear_map(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        products: Products,
    ) -> Tensor<Self, 2> {
        linear(x, weight, products)
    }

    /// Normalises the last dimension. Sums are in f32.
    fn normalise<const D: usize>(
        x: Tensor<Self, D>,
        rule: NormRule,
        weight: Option<Tensor<Self, 1>>,
        bias: Option<Tensor<Self, 1>>,
    ) -> Tensor<Self, D> {
        normalise(x, rule, weight, bias)
    }

    /// Rotates the first `2 r` elements of each head: `x` is `[batch, tokens, heads, head_dim]`,
    /// `cos` and `sin` are `[tokens, r]` in f32.
    fn rotate(x: Tensor<Self, 4>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 4> {
        rotate(x, cos, sin)
    }

    /// Causal attention. `query` is `[batch, queries, heads, head_dim]`, `key` and `value` are
    /// `[batch, keys, kv_heads, head_dim]`; the last query stands at the last key. The result is
    /// `[batch, queries, heads * head_dim]`.
    fn attend(
        query: Tensor<Self, 4>,
        key: Tensor<Self, 4>,
        value: Tensor<Self, 4>,
        rule: AttentionRule,
    ) -> Tensor<Self, 3> {
        attend(query, key, value, rule)
    }

    /// [`attend`](Self::attend) of several texts, whose queries stand one behind the other in `query`,
    /// `[1, queries, heads, head_dim]`: `queries` says how many each has. Each has keys and values of its own,
    /// `[1, keys, kv_heads, head_dim]`. The result is `[1, queries, heads * head_dim]`.
    fn attend_each(
        query: Tensor<Self, 4>,
        queries: &[usize],
        past: Vec<(Tensor<Self, 4>, Tensor<Self, 4>)>,
        rule: AttentionRule,
    ) -> Tensor<Self, 3> {
        let mut start = 0;
        let each = queries.iter().zip(past).map(|(&count, (key, value))| {
            let own = query.clone().narrow(1, start, count);
            start += count;
            Self::attend(own, key, value, rule)
        });
        Tensor::cat(each.collect(), 1)
    }

    /// Whether many short pieces of attention cost little, so that texts that begin alike are best read as one row.
    fn packs() -> bool {
        false
    }

    /// The non-linearity, element by element.
    fn activate<const D: usize>(x: Tensor<Self, D>, activation: Activation) -> Tensor<Self, D> {
        activate(x, activation)
    }

    /// `activation(gate) * up`, where the last dimension holds the gates and then the ups.
    fn gated<const D: usize>(x: Tensor<Self, D>, activation: Activation) -> Tensor<Self, D> {
        gated(x, activation)
    }

    /// `-ln softmax(cap(hidden head^T + bias))` at each row's target, in f32: `hidden` is
    /// `[rows, hidden_size]`, `head` `[vocab_size, hidden_size]`, `targets` `[rows]`.
    fn surprisals(
        hidden: Tensor<Self, 2>,
        head: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        softcap: Option<f64>,
        targets: &[u32],
        bounds: Bounds,
    ) -> Tensor<Self, 1> {
        surprisals(hidden, head, bias, softcap, targets, bounds)
    }

    /// The mean of [`surprisals`](Self::surprisals), `[1]`: what training makes small.
    fn loss(
        hidden: Tensor<Self, 2>,
        head: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        softcap: Option<f64>,
        targets: &[u32],
        bounds: Bounds,
    ) -> Tensor<Self, 1> {
        loss(hidden, head, bias, softcap, targets, bounds)
    }

    /// Backward passes of its own, in place of burn's through the operations of this module.
    fn gradients() -> Option<&'static dyn Gradients<Self>> {
        None
    }
}

/// [`Kernels::loss`] for any backend.
pub fn loss<B: Kernels>(
    hidden: Tensor<B, 2>,
    head: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
    softcap: Option<f64>,
    targets: &[u32],
    bounds: Bounds,
) -> Tensor<B, 1> {
    let (hidden, head) = (
        portable::operand(hidden, bounds.products),
        portable::operand(head, bounds.products),
    );
    B::surprisals(hidden, head, bias, softcap, targets, bounds).mean()
}

/// Backward passes: each takes what the forward pass took and the gradient of its result, and
/// gives the gradients of what has one. All numbers are f32.
pub trait Gradients<B: Backend>: Sync {
    /// Of [`Kernels::linear_map`]: of `x` and of `weight`.
    fn linear(
        &self,
        x: Tensor<B, 2>,
        weight: Tensor<B, 2>,
        products: Products,
        gradient: Tensor<B, 2>,
    ) -> (Tensor<B, 2>, Tensor<B, 2>);

    /// Of [`Kernels::normalise`] with a weight and neither mean nor bias: of `x`, `[rows, width]`,
    /// and of the weight.
    fn normalise(
        &self,
        x: Tensor<B, 2>,
        rule: NormRule,
        weight: Tensor<B, 1>,
        gradient: Tensor<B, 2>,
    ) -> (Tensor<B, 2>, Tensor<B, 1>);

    /// Of [`Kernels::attend`] without a cap and with as many queries as keys: of query, key and
    /// value.
    fn attend(
        &self,
        query: Tensor<B, 4>,
        key: Tensor<B, 4>,
        value: Tensor<B, 4>,
        rule: AttentionRule,
        gradient: Tensor<B, 3>,
    ) -> [Tensor<B, 4>; 3];

    /// Of [`Kernels::gated`], `x` being `[rows, 2 inner]`.
    fn gated(
        &self,
        x: Tensor<B, 2>,
        activation: Activation,
        gradient: Tensor<B, 2>,
    ) -> Tensor<B, 2>;

    /// [`Kernels::loss`] without bias and cap, and at once the gradients of `hidden` and `head`.
    fn loss(
        &self,
        hidden: Tensor<B, 2>,
        head: Tensor<B, 2>,
        targets: &[u32],
        products: Products,
    ) -> (Tensor<B, 1>, Tensor<B, 2>, Tensor<B, 2>);
}
