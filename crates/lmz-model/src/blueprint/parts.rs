//! The weights as an engine wants them: one tensor for each part of the mathematics, whatever the
//! checkpoint's names, fusions and transpositions.

use std::ops::RangeInclusive;

use super::description::Blueprint;
use super::variants::{FeedForwardKind, HeadNorm, Norm, NormPlacement, Position, Residual};
use crate::error::Result;

/// One tensor of the model as the mathematics names it. Linear maps are `[outputs, inputs]`,
/// row-major; norms and biases are vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `[vocab_size, hidden_size]`.
    TokenEmbedding,
    /// `[max_positions, hidden_size]`.
    PositionEmbedding,
    /// A tensor of the layer of this index.
    Layer(usize, LayerPart),
    /// `[hidden_size]`.
    FinalNorm,
    /// `[hidden_size]`.
    FinalNormBias,
    /// `[vocab_size, hidden_size]`; not a part of its own where the head is tied.
    Head,
    /// `[vocab_size]`.
    HeadBias,
}

/// One tensor of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerPart {
    /// The norm before the attention (before both halves, where they share it): `[hidden_size]`.
    AttentionNorm,
    /// Its bias.
    AttentionNormBias,
    /// `[heads * head_dim, hidden_size]`.
    Query,
    /// `[heads * head_dim]`.
    QueryBias,
    /// `[kv_heads * head_dim, hidden_size]`.
    Key,
    /// `[kv_heads * head_dim]`.
    KeyBias,
    /// `[kv_heads * head_dim, hidden_size]`.
    Value,
    /// `[kv_heads * head_dim]`.
    ValueBias,
    /// `[head_dim]` or `[heads * head_dim]`, see [`HeadNorm`].
    QueryNorm,
    /// `[head_dim]` or `[kv_heads * head_dim]`.
    KeyNorm,
    /// `[hidden_size, heads * head_dim]`.
    Output,
    /// `[hidden_size]`.
    OutputBias,
    /// The norm after the attention: `[hidden_size]`.
    AttentionPostNorm,
    /// Its bias.
    AttentionPostNormBias,
    /// The norm before the feed-forward layer: `[hidden_size]`.
    FeedForwardNorm,
    /// Its bias.
    FeedForwardNormBias,
    /// `[intermediate_size, hidden_size]`.
    Gate,
    /// `[intermediate_size]`.
    GateBias,
    /// `[intermediate_size, hidden_size]`.
    Up,
    /// `[intermediate_size]`.
    UpBias,
    /// `[hidden_size, intermediate_size]`.
    Down,
    /// `[hidden_size]`.
    DownBias,
    /// `[experts, hidden_size]`.
    Router,
    /// As [`Gate`](Self::Gate), of one expert.
    ExpertGate(usize),
    /// As [`Up`](Self::Up), of one expert.
    ExpertUp(usize),
    /// As [`Down`](Self::Down), of one expert.
    ExpertDown(usize),
    /// The norm after the feed-forward layer: `[hidden_size]`.
    FeedForwardPostNorm,
    /// Its bias.
    FeedForwardPostNormBias,
}

/// Where an engine gets a model's weights from.
pub trait Weights {
    /// What the model computes.
    fn blueprint(&self) -> &Blueprint;

    /// One part, in f32, of the shape that [`Blueprint::part_shape`] gives.
    ///
    /// # Errors
    /// The part does not exist in this model ([`Blueprint::has`]), or cannot be read, or holds a
    /// number that is not finite.
    fn load(&self, part: Part) -> Result<Vec<f32>>;

    /// The grid on which the elements of a matrix lie, if it is stored in blocks of small integers.
    ///
    /// # Errors
    /// As [`load`](Weights::load).
    fn grid(&self, part: Part) -> Result<Option<Grid>> {
        let _ = part;
        Ok(None)
    }
}

/// What a matrix stored in blocks is made of: within a block of a row every element is `step · q + offset`, q an integer.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Elements of a block, 16 or 32; a row is whole blocks.
    pub block: usize,
    /// The integers that q may be: at most 8 bits.
    pub integers: RangeInclusive<i8>,
    /// `[rows][blocks of a row]`.
    pub steps: Vec<f64>,
    /// Likewise; empty where all are 0.
    pub offsets: Vec<f64>,
}

impl Blueprint {
    /// Every part of the model in the order of computation.
    pub fn parts(&self) -> Vec<Part> {
        let mut all = vec![Part::TokenEmbedding];
        if self.position == Position::Learned {
            all.push(Part::PositionEmbedding);
        }
        for layer in 0..self.layers {
            let parts = self.layer_parts().into_iter();
            all.extend(parts.map(|part| Part::Layer(layer, part)));
        }
        all.extend(self.norm_parts(Part::FinalNorm, Part::FinalNormBias));
        if !self.tied_head {
            all.push(Part::Head);
        }
        if self.ends.head_bias {
            all.push(Part::HeadBias);
        }
        all
    }

    /// Whether the model has this part.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::TokenEmbedding => true,
            Part::PositionEmbedding => self.position == Position::Learned,
            Part::Layer(layer, part) => layer < self.layers && self.layer_parts().contains(&part),
            Part::FinalNorm | Part::FinalNormBias => {
                let parts = self.norm_parts(Part::FinalNorm, Part::FinalNormBias);
                parts.contains(&part)
            }
            Part::Head => !self.tied_head,
            Part::HeadBias => self.ends.head_bias,
        }
    }

    /// The parts of one layer (all layers have the same).
    pub fn layer_parts(&self) -> Vec<LayerPart> {
        use LayerPart::*;
        let mut all = Vec::new();
        let before = self.block.norms != NormPlacement::After;
        let after = self.block.norms != NormPlacement::Before;
        if before {
            all.extend(self.norm_parts(AttentionNorm, AttentionNormBias));
        }
        for (weight, bias) in [(Query, QueryBias), (Key, KeyBias), (Value, ValueBias)] {
            all.push(weight);
            all.extend(self.attention.input_bias.then_some(bias));
        }
        if self.attention.head_norm != HeadNorm::None {
            all.extend([QueryNorm, KeyNorm]);
        }
        all.push(Output);
        all.extend(self.attention.output_bias.then_some(OutputBias));
        if after {
            all.extend(self.norm_parts(AttentionPostNorm, AttentionPostNormBias));
        }
        if before && self.block.residual != Residual::ParallelSharedNorm {
            all.extend(self.norm_parts(FeedForwardNorm, FeedForwardNormBias));
        }
        let bias = self.feed_forward.bias;
        match self.feed_forward.kind {
            FeedForwardKind::Gated => {
                all.push(Gate);
                all.extend(bias.then_some(GateBias));
                all.push(Up);
                all.extend(bias.then_some(UpBias));
                all.push(Down);
                all.extend(bias.then_some(DownBias));
            }
            FeedForwardKind::Plain => {
                all.push(Up);
                all.extend(bias.then_some(UpBias));
                all.push(Down);
                all.extend(bias.then_some(DownBias));
            }
            FeedForwardKind::Experts { count, .. } => {
                all.push(Router);
                for e in 0..count {
                    all.extend([ExpertGate(e), ExpertUp(e), ExpertDown(e)]);
                }
            }
        }
        if after {
            all.extend(self.norm_parts(FeedForwardPostNorm, FeedForwardPostNormBias));
        }
        all
    }

    /// The shape of a part, rows first.
    pub fn part_shape(&self, part: Part) -> Vec<usize> {
        use LayerPart::*;
        let (width, inner) = (self.hidden_size, self.intermediate_size);
        let queries = self.heads * self.head_dim;
        let keys = self.kv_heads * self.head_dim;
        let whole = self.attention.head_norm == HeadNorm::Whole;
        match part {
            Part::TokenEmbedding | Part::Head => vec![self.vocab_size, width],
            Part::PositionEmbedding => vec![self.max_positions, width],
            Part::FinalNorm | Part::FinalNormBias => vec![width],
            Part::HeadBias => vec![self.vocab_size],
            Part::Layer(_, part) => match part {
                Query => vec![queries, width],
                QueryBias => vec![queries],
                Key | Value => vec![keys, width],
                KeyBias | ValueBias => vec![keys],
                QueryNorm => vec![if whole { queries } else { self.head_dim }],
                KeyNorm => vec![if whole { keys } else { self.head_dim }],
                Output => vec![width, queries],
                Gate | Up | ExpertGate(_) | ExpertUp(_) => vec![inner, width],
                GateBias | UpBias => vec![inner],
                Down | ExpertDown(_) => vec![width, inner],
                Router => match self.feed_forward.kind {
                    FeedForwardKind::Experts { count, .. } => vec![count, width],
                    _ => vec![0, width],
                },
                AttentionNorm
                | AttentionNormBias
                | OutputBias
                | AttentionPostNorm
                | AttentionPostNormBias
                | FeedForwardNorm
                | FeedForwardNormBias
                | DownBias
                | FeedForwardPostNorm
                | FeedForwardPostNormBias => vec![width],
            },
        }
    }

    fn norm_parts<T>(&self, weight: T, bias: T) -> Vec<T> {
        match self.norm {
            Norm::BareLayerNorm { .. } => vec![],
            Norm::LayerNorm { .. } => vec![weight, bias],
            Norm::RmsNorm { .. } | Norm::RmsNormPlusOne { .. } => vec![weight],
        }
    }
}
