//! One layer: attention and feed-forward, their norms, and how they join the residual stream.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use lmz_model::Residual;

use crate::attention::Attention;
use crate::cache::{LayerCache, Pair};
use crate::feed_forward::FeedForward;
use crate::kernels::Kernels;
use crate::norm::Norm;
use crate::rotary::Rotary;

/// A layer. [`NormPlacement`](lmz_model::NormPlacement) decides which of the four norms it has; the others are
/// `None`.
#[derive(Module, Debug)]
pub struct Layer<B: Backend> {
    /// Norm of what the attention reads.
    pub attention_norm: Option<Norm<B>>,
    /// Mixes the positions; its result is added to the residual stream.
    pub attention: Attention<B>,
    /// Norm of the attention's output, before it is added.
    pub attention_post_norm: Option<Norm<B>>,
    /// Norm of what the feed-forward half reads.
    pub feed_forward_norm: Option<Norm<B>>,
    /// Works on each position alone; its result is added to the residual stream.
    pub feed_forward: FeedForward<B>,
    /// Norm of the feed-forward half's output, before it is added.
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
        let rotary = self.rotary(tables);
        self.around(x, |x| self.attention.forward(x, rotary, start, cache))
    }

    /// Pieces of several texts: see [`Attention::pieces`].
    pub(crate) fn pieces(
        &self,
        x: Tensor<B, 3>,
        tables: &Tables<B>,
        positions: &Tensor<B, 1, Int>,
        lengths: &[usize],
        past: impl FnOnce(Pair<B>, Option<usize>) -> Vec<Pair<B>>,
    ) -> Tensor<B, 3> {
        let rotary = self.rotary(tables);
        self.around(x, |x| {
            self.attention.pieces(x, rotary, positions, lengths, past)
        })
    }

    fn rotary<'a>(&self, tables: &'a Tables<B>) -> Option<&'a Rotary<B>> {
        match (&tables.local, self.local) {
            (Some(local), true) => Some(local),
            _ => tables.global.as_ref(),
        }
    }

    /// Everything but the attention itself.
    fn around(
        &self,
        x: Tensor<B, 3>,
        attend: impl FnOnce(Tensor<B, 3>) -> Tensor<B, 3>,
    ) -> Tensor<B, 3> {
        let before = apply(&self.attention_norm, x.clone());
        let attended = attend(before.clone());
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
    /// Of ordinary layers; `None` without rotary positions.
    pub global: Option<Rotary<B>>,
    /// Of windowed layers; `None` where they rotate as ordinary ones.
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
