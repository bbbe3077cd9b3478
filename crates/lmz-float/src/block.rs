//! One layer: attention and feed-forward, their norms, and how they join the residual stream.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use lmz_model::Residual;

use crate::attention::Attention;
use crate::cache::LayerCache;
use crate::feed_forward::FeedForward;
use crate::kernels::Kernels;
use crate::norm::Norm;
use crate::rotary::Rotary;

/// A layer. Which norms it has is [`NormPlacement`](lmz_model::NormPlacement)'s matter.
#[derive(Module, Debug)]
pub struct Layer<B: Backend> {
    /// Before the attention.
    pub attention_norm: Option<Norm<B>>,
    /// Mixes the positions; its result is added to the residual stream.
    pub attention: Attention<B>,
    /// After the attention.
    pub attention_post_norm: Option<Norm<B>>,
    /// Before the feed-forward half.
    pub feed_forward_norm: Option<Norm<B>>,
    /// The feed-forward half.
    pub feed_forward: FeedForward<B>,
    /// After the feed-forward half.
    pub feed_forward_post_norm: Option<Norm<B>>,
    #[module(skip)]
    pub(crate) residual: Residual,
    /// Whether it rotates with the tables of windowed layers.
    pub(crate) local: bool,
}

impl<B: Kernels> Layer<B> {
    /// `x` is `[batch, tokens, hidden_size]`, its first token at position `start`.
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        tables: &Tables<B>,
        start: usize,
        cache: Option<&mut LayerCache<B>>,
    ) -> Tensor<B, 3> {
        let rotary = match (&tables.local, self.local) {
            (Some(local), true) => Some(local),
            _ => tables.global.as_ref(),
        };
        let before = apply(&self.attention_norm, x.clone());
        let attended = self.attention.forward(before.clone(), rotary, start, cache);
        let attended = apply(&self.attention_post_norm, attended);
        match self.residual {
            Residual::Sequential => {
                drop(before);
                let x = x + attended;
                let fed = apply(&self.feed_forward_norm, x.clone());
                let fed = self.feed_forward.forward(fed);
                x + apply(&self.feed_forward_post_norm, fed)
            }
            Residual::Parallel => {
                let fed = apply(&self.feed_forward_norm, x.clone());
                let fed = self.feed_forward.forward(fed);
                x + attended + apply(&self.feed_forward_post_norm, fed)
            }
            Residual::ParallelSharedNorm => {
                let fed = self.feed_forward.forward(before);
                x + attended + apply(&self.feed_forward_post_norm, fed)
            }
        }
    }
}

fn apply<B: Kernels>(norm: &Option<Norm<B>>, x: Tensor<B, 3>) -> Tensor<B, 3> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

/// The rotary tables of a model's layers.
#[derive(Clone, Debug)]
pub struct Tables<B: Backend> {
    /// Of ordinary layers; none without rotary positions.
    pub global: Option<Rotary<B>>,
    /// Of windowed layers, where they differ.
    pub local: Option<Rotary<B>>,
}

impl<B: Backend> Tables<B> {
    /// Tables for `positions` positions.
    pub fn new(blueprint: &lmz_model::Blueprint, positions: usize, device: &B::Device) -> Self {
        let (global, local) = crate::rotary::frequencies(blueprint);
        Self {
            global: (!global.is_empty()).then(|| Rotary::new(&global, positions, device)),
            local: local.map(|local| Rotary::new(&local, positions, device)),
        }
    }

    /// How many positions they have; any number without rotary positions.
    pub fn positions(&self) -> usize {
        self.global.as_ref().map_or(usize::MAX, Rotary::positions)
    }
}
