//! The whole model: embedding, layers, head.

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use crate::block::{Layer, Tables};
use crate::cache::Cache;
use crate::kernels::{self, Bounds, Kernels, Products};
use crate::norm::Norm;
use crate::scoring::Piece;

/// From token ids to the residual stream.
#[derive(Module, Debug)]
pub struct Embedding<B: Backend> {
    /// `[vocab_size, hidden_size]`.
    pub tokens: Param<Tensor<B, 2>>,
    /// `[max_positions, hidden_size]`, where positions are learned.
    pub positions: Option<Param<Tensor<B, 2>>>,
    pub(crate) scale: Option<f64>,
}

impl<B: Backend> Embedding<B> {
    /// `ids` is `[batch, tokens]`, its first column at position `start`; the result is
    /// `[batch, tokens, hidden_size]`.
    pub fn forward(&self, ids: Tensor<B, 2, Int>, start: usize) -> Tensor<B, 3> {
        let [batch, tokens] = ids.dims();
        let [_, hidden] = self.tokens.dims();
        let mut x = self
            .rows(ids.reshape([batch * tokens]))
            .reshape([batch, tokens, hidden]);
        if let Some(positions) = &self.positions {
            let rows = positions.val().narrow(0, start, tokens);
            x = x + rows.reshape([1, tokens, hidden]);
        }
        x
    }

    /// Tokens that stand at these positions, `ids` being `[tokens]`: `[1, tokens, hidden_size]`.
    pub(crate) fn at(&self, ids: Tensor<B, 1, Int>, positions: &Tensor<B, 1, Int>) -> Tensor<B, 3> {
        let x = self.rows(ids);
        let x = match &self.positions {
            Some(table) => x + table.val().select(0, positions.clone()),
            None => x,
        };
        x.unsqueeze()
    }

    fn rows(&self, ids: Tensor<B, 1, Int>) -> Tensor<B, 2> {
        let x = self.tokens.val().select(0, ids);
        match self.scale {
            Some(scale) => x * scale,
            None => x,
        }
    }
}

/// From the residual stream to logits.
#[derive(Module, Debug)]
pub struct Head<B: Backend> {
    /// The norm between the last layer and the logits.
    pub norm: Norm<B>,
    /// `[vocab_size, hidden_size]`; `None` where it is the embedding table.
    pub weight: Option<Param<Tensor<B, 2>>>,
    /// `[vocab_size]`; `None` where the head has no bias.
    pub bias: Option<Param<Tensor<B, 1>>>,
    pub(crate) softcap: Option<f64>,
    #[module(skip)]
    pub(crate) products: Products,
}

impl<B: Kernels> Head<B> {
    /// `[rows, hidden_size]` to `[rows, vocab_size]` in f32. `tied` is the embedding table.
    pub fn logits(&self, hidden: Tensor<B, 2>, tied: Option<Tensor<B, 2>>) -> Tensor<B, 2> {
        let hidden = self.norm.forward(hidden);
        let bias = self.bias.as_ref().map(Param::val);
        let products = B::linear_map(hidden, self.matrix(tied), Products::Full);
        kernels::logits(products, bias, self.softcap)
    }

    /// The surprisals of `targets`, one a row, in nats: `[rows]` in f32.
    pub fn surprisals(
        &self,
        hidden: Tensor<B, 2>,
        tied: Option<Tensor<B, 2>>,
        targets: &[u32],
        max_logits: usize,
    ) -> Tensor<B, 1> {
        let hidden = self.norm.forward(hidden);
        let bias = self.bias.as_ref().map(Param::val);
        let head = self.matrix(tied);
        let bounds = Bounds {
            max_logits,
            products: self.products,
        };
        B::surprisals(hidden, head, bias, self.softcap, targets, bounds)
    }

    /// The mean surprisal of `targets` in nats, `[1]`: the loss of training.
    pub fn loss(
        &self,
        hidden: Tensor<B, 2>,
        tied: Option<Tensor<B, 2>>,
        targets: &[u32],
        max_logits: usize,
    ) -> Tensor<B, 1> {
        let hidden = self.norm.forward(hidden);
        let bias = self.bias.as_ref().map(Param::val);
        let bounds = Bounds {
            max_logits,
            products: self.products,
        };
        let head = self.matrix(tied);
        B::loss(hidden, head, bias, self.softcap, targets, bounds)
    }

    fn matrix(&self, tied: Option<Tensor<B, 2>>) -> Tensor<B, 2> {
        match (&self.weight, tied) {
            (Some(weight), _) => weight.val(),
            (None, Some(tied)) => tied,
            // The loader gives a head of its own or ties it; there is no third form.
            (None, None) => unreachable!("a head without a matrix"),
        }
    }
}

/// A decoder-only transformer: from token ids to logits.
#[derive(Module, Debug)]
pub struct Model<B: Backend> {
    /// From token ids to the residual stream.
    pub embedding: Embedding<B>,
    /// The layers, in order.
    pub layers: Vec<Layer<B>>,
    /// From the residual stream to logits.
    pub head: Head<B>,
}

impl<B: Kernels> Model<B> {
    /// The residual stream after the last layer, `[batch, tokens, hidden_size]`, of ids
    /// `[batch, tokens]`. With a cache, `ids` follow what it has seen.
    pub fn hidden(
        &self,
        ids: Tensor<B, 2, Int>,
        tables: &Tables<B>,
        mut cache: Option<&mut Cache<B>>,
    ) -> Tensor<B, 3> {
        let tokens = ids.dims()[1];
        let start = cache.as_ref().map_or(0, |cache| cache.tokens);
        let mut x = self.embedding.forward(ids, start);
        for (i, layer) in self.layers.iter().enumerate() {
            let cache = cache.as_mut().map(|cache| &mut cache.layers[i]);
            x = layer.forward(x, tables, start, cache);
        }
        if let Some(cache) = cache {
            cache.tokens += tokens;
        }
        x
    }

    /// The residual stream after the last layer, `[1, tokens, hidden_size]`, of pieces one behind the other, `ids` being
    /// `[tokens]`. All follow what `context` has seen, which stays as it is.
    pub(crate) fn pieces(
        &self,
        ids: Tensor<B, 1, Int>,
        positions: &Tensor<B, 1, Int>,
        pieces: &[Piece],
        tables: &Tables<B>,
        context: &Cache<B>,
    ) -> Tensor<B, 3> {
        let lengths: Vec<usize> = pieces.iter().map(|piece| piece.tokens).collect();
        let mut x = self.embedding.at(ids, positions);
        for (layer, context) in self.layers.iter().zip(&context.layers) {
            x = layer.pieces(x, tables, positions, &lengths, |(key, value), _| {
                let (keys, values) = match context.held() {
                    Some((keys, values)) => (Some(keys), Some(values)),
                    None => (None, None),
                };
                let see = |piece: &Piece| {
                    (
                        piece.sees(pieces, keys, &key),
                        piece.sees(pieces, values, &value),
                    )
                };
                pieces.iter().map(see).collect()
            });
        }
        x
    }

    /// The embedding table where the head is tied to it.
    pub fn tied(&self) -> Option<Tensor<B, 2>> {
        self.head
            .weight
            .is_none()
            .then(|| self.embedding.tokens.val())
    }

    /// The logits of every position, `[batch, tokens, vocab_size]` in f32.
    pub fn logits(&self, ids: Tensor<B, 2, Int>, tables: &Tables<B>) -> Tensor<B, 3> {
        let x = self.hidden(ids, tables, None);
        let [batch, tokens, width] = x.dims();
        let logits = self
            .head
            .logits(x.reshape([batch * tokens, width]), self.tied());
        let vocab_size = logits.dims()[1];
        logits.reshape([batch, tokens, vocab_size])
    }
}
