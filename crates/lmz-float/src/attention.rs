//! Attention: grouped query heads, rotation, windows.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use lmz_model::HeadNorm;

use crate::cache::{LayerCache, Pair};
use crate::kernels::{AttentionRule, Kernels};
use crate::linear::Linear;
use crate::norm::Norm;
use crate::rotary::Rotary;

/// How many heads there are, and how wide.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Query heads; a multiple of `keys`.
    pub queries: usize,
    /// Key and value heads.
    pub keys: usize,
    /// Elements of one head.
    pub width: usize,
}

/// The attention half of a layer.
#[derive(Module, Debug)]
pub struct Attention<B: Backend> {
    /// Query, key and value in one map: rows `[heads + 2 kv_heads, head_dim]`.
    pub input: Linear<B>,
    /// Back to the residual stream.
    pub output: Linear<B>,
    /// The norm of queries before the rotation.
    pub query_norm: Option<Norm<B>>,
    /// The norm of keys before the rotation.
    pub key_norm: Option<Norm<B>>,
    pub(crate) heads: Heads,
    #[module(skip)]
    pub(crate) head_norm: HeadNorm,
    pub(crate) rule: AttentionRule,
}

impl<B: Kernels> Attention<B> {
    /// `x` is `[batch, tokens, hidden_size]`, its first token at position `start`.
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        rotary: Option<&Rotary<B>>,
        start: usize,
        cache: Option<&mut LayerCache<B>>,
    ) -> Tensor<B, 3> {
        let tokens = x.dims()[1];
        let [query, key, value] = self.project(x, |pair| match rotary {
            Some(rotary) => {
                let (cos, sin) = rotary.rows(start, tokens);
                B::rotate(pair, cos, sin)
            }
            None => pair,
        });
        let (key, value) = match cache {
            Some(cache) => cache.append(key, value, self.rule.window),
            None => (key, value),
        };
        let seen = B::attend(query, key, value, self.rule); // [batch, tokens, queries * width]
        self.output.forward(seen)
    }

    /// Pieces of several texts one behind the other, `x` being `[1, tokens, hidden_size]`; `lengths` says how many tokens
    /// each has, `positions` where they all stand. `past` gets their keys and values, `[1, tokens, kv_heads, head_dim]`,
    /// and how far a token sees; it gives those that each piece may see, its own at the end.
    pub(crate) fn pieces(
        &self,
        x: Tensor<B, 3>,
        rotary: Option<&Rotary<B>>,
        positions: &Tensor<B, 1, Int>,
        lengths: &[usize],
        past: impl FnOnce(Pair<B>, Option<usize>) -> Vec<Pair<B>>,
    ) -> Tensor<B, 3> {
        let [query, key, value] = self.project(x, |pair| match rotary {
            Some(rotary) => {
                let (cos, sin) = rotary.at(positions);
                B::rotate(pair, cos, sin)
            }
            None => pair,
        });
        let past = past((key, value), self.rule.window);
        let seen = B::attend_each(query, lengths, past, self.rule);
        self.output.forward(seen)
    }

    /// Queries, keys and values of `[batch, tokens, hidden_size]`, each `[batch, tokens, heads, head_dim]`. `rotate`
    /// gets queries and keys side by side.
    fn project(
        &self,
        x: Tensor<B, 3>,
        rotate: impl FnOnce(Tensor<B, 4>) -> Tensor<B, 4>,
    ) -> [Tensor<B, 4>; 3] {
        let [batch, tokens, _] = x.dims();
        let Heads {
            queries,
            keys,
            width,
        } = self.heads;
        let all = self.input.forward(x); // [batch, tokens, (queries + 2 keys) * width]
        let by_head = all
            .clone()
            .reshape([batch, tokens, queries + 2 * keys, width]);
        let value = by_head.clone().narrow(2, queries + keys, keys);

        // Queries and keys, still side by side: [batch, tokens, queries + keys, width].
        let pair = match (&self.query_norm, &self.key_norm) {
            (Some(query_norm), Some(key_norm)) if self.head_norm == HeadNorm::Whole => {
                let query = all.clone().narrow(2, 0, queries * width);
                let key = all.narrow(2, queries * width, keys * width);
                let parts = vec![query_norm.forward(query), key_norm.forward(key)];
                Tensor::cat(parts, 2).reshape([batch, tokens, queries + keys, width])
            }
            (Some(query_norm), Some(key_norm)) => {
                let query = by_head.clone().narrow(2, 0, queries);
                let key = by_head.narrow(2, queries, keys);
                Tensor::cat(vec![query_norm.forward(query), key_norm.forward(key)], 2)
            }
            _ => by_head.narrow(2, 0, queries + keys),
        };
        let pair = rotate(pair);
        let query = pair.clone().narrow(2, 0, queries);
        let key = pair.narrow(2, queries, keys);
        [query, key, value]
    }
}
