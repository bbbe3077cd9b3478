//! A prepared model as real numbers: what its integers stand for.
//!
//! A float engine that loads these weights computes the function that the integer engine approximates, so the two
//! differ
//! by the rounding of activations alone. Queries, keys, values and the output map come back with their levels
//! (recipe 1): each pair of them carries opposite powers of two, so the function is still the checkpoint's.

use std::f64::consts::LOG2_E;

use lmz_model::{Blueprint, FeedForwardKind, HeadNorm, LayerPart, ModelError, Norm, Part, Weights};

use super::model::Prepared;
use crate::error::Result;
use crate::fixed::pow2;

impl Weights for Prepared {
    fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    fn load(&self, part: Part) -> lmz_model::Result<Vec<f32>> {
        self.dequantise(part)
            .map_err(|error| ModelError::Safetensors {
                file: self.name.clone(),
                reason: error.to_string(),
            })?
            .ok_or_else(|| ModelError::MissingTensor {
                tensor: format!("{part:?}"),
                file: self.name.clone(),
            })
    }
}

impl Prepared {
    fn dequantise(&self, part: Part) -> Result<Option<Vec<f32>>> {
        let b = &self.blueprint;
        if !b.has(part) {
            return Ok(None);
        }
        let width = b.hidden_size;
        let scale = b.ends.embedding_scale.unwrap_or(1.0);
        let values = match part {
            Part::TokenEmbedding => self.matrix("embed", &[b.vocab_size], width, 0, 1.0 / scale)?,
            Part::PositionEmbedding => {
                self.matrix("positions", &[b.max_positions], width, 0, 1.0)?
            }
            Part::Head => self.matrix("head", &[b.vocab_size], width, 0, 1.0 / LOG2_E)?,
            Part::HeadBias => self.vector("head", &[b.vocab_size], 0, 1.0 / LOG2_E)?,
            Part::FinalNorm => self.gains("norm", width, 1.0)?,
            Part::FinalNormBias => self.vector("norm", &[width], 0, 1.0)?,
            Part::Layer(layer, part) => return self.layer_part(layer, part),
        };
        Ok(Some(values))
    }

    fn layer_part(&self, layer: usize, part: LayerPart) -> Result<Option<Vec<f32>>> {
        use LayerPart::*;
        let b = &self.blueprint;
        let (width, inner) = (b.hidden_size, b.intermediate_size);
        let (queries, keys) = (b.heads * b.head_dim, b.kv_heads * b.head_dim);
        let qkv = [queries, keys, keys];
        let name = |part: &str| format!("layers.{layer}.{part}");
        // Where norms follow, they carry the scale of scores.
        let query_scale = match b.attention.scale {
            None => (b.head_dim as f64).sqrt() / LOG2_E,
            Some(scale) => 1.0 / (scale * LOG2_E),
        };
        let normed = b.attention.head_norm != HeadNorm::None;
        let query = if normed { 1.0 } else { query_scale };
        let (up, feed): (_, &[usize]) = match b.feed_forward.kind {
            FeedForwardKind::Gated => ("gate_up", &[inner, inner]),
            _ => ("up", &[inner]),
        };
        let last = feed.len() - 1;
        let size = |part| b.part_shape(Part::Layer(layer, part))[0];
        Ok(Some(match part {
            Query => self.matrix(&name("qkv"), &qkv, width, 0, query)?,
            Key => self.matrix(&name("qkv"), &qkv, width, 1, 1.0)?,
            Value => self.matrix(&name("qkv"), &qkv, width, 2, 1.0)?,
            QueryBias => self.vector(&name("qkv"), &qkv, 0, query)?,
            KeyBias => self.vector(&name("qkv"), &qkv, 1, 1.0)?,
            ValueBias => self.vector(&name("qkv"), &qkv, 2, 1.0)?,
            QueryNorm => self.gains(&name("q_norm"), size(QueryNorm), query_scale)?,
            KeyNorm => self.gains(&name("k_norm"), size(KeyNorm), 1.0)?,
            Output => self.matrix(&name("o"), &[width], queries, 0, 1.0)?,
            OutputBias => self.vector(&name("o"), &[width], 0, 1.0)?,
            Gate => self.matrix(&name(up), feed, width, 0, 1.0)?,
            GateBias => self.vector(&name(up), feed, 0, 1.0)?,
            Up => self.matrix(&name(up), feed, width, last, 1.0)?,
            UpBias => self.vector(&name(up), feed, last, 1.0)?,
            Down => self.matrix(&name("down"), &[width], inner, 0, 1.0)?,
            DownBias => self.vector(&name("down"), &[width], 0, 1.0)?,
            AttentionNorm => self.gains(&name("attn_norm"), width, 1.0)?,
            AttentionNormBias => self.vector(&name("attn_norm"), &[width], 0, 1.0)?,
            AttentionPostNorm => self.gains(&name("attn_post_norm"), width, 1.0)?,
            FeedForwardNorm => self.gains(&name("ffn_norm"), width, 1.0)?,
            FeedForwardNormBias => self.vector(&name("ffn_norm"), &[width], 0, 1.0)?,
            FeedForwardPostNorm => self.gains(&name("ffn_post_norm"), width, 1.0)?,
            // Of models that `prepare` refuses.
            Router
            | ExpertGate(_)
            | ExpertUp(_)
            | ExpertDown(_)
            | AttentionPostNormBias
            | FeedForwardPostNormBias => return Ok(None),
        }))
    }

    /// The rows of one of the matrices that a linear layer stacks, times a factor.
    fn matrix(
        &self,
        name: &str,
        stacked: &[usize],
        columns: usize,
        index: usize,
        factor: f64,
    ) -> Result<Vec<f32>> {
        let rows: usize = stacked.iter().sum();
        let weights = self.rows(name, [rows, columns])?;
        let mantissas = self.i32s(&format!("{name}.m"), rows, i32::MAX)?;
        let exponent = self.i32s(&format!("{name}.e"), 1, 1 << 12)?[0];
        let shifts = self.shifts(&format!("{name}.c"), columns)?;
        let shift = |column: usize| shifts.get(column).map_or(0, |&c| i32::from(c));
        let columns_scale: Vec<f64> = (0..columns).map(|c| pow2(shift(c))).collect();
        let first: usize = stacked[..index].iter().sum();
        let chosen = first..first + stacked[index];
        let mut out = Vec::with_capacity(stacked[index] * columns);
        for row in chosen {
            let (integers, below) = weights.row(row, columns);
            let scale = f64::from(mantissas[row]) * pow2(exponent) * factor;
            for (&weight, s) in integers.iter().zip(&columns_scale) {
                let weight = f64::from(weight) * pow2(below);
                out.push((weight * scale * s) as f32);
            }
        }
        Ok(out)
    }

    /// A part of a bias, times a factor.
    fn vector(&self, name: &str, stacked: &[usize], index: usize, factor: f64) -> Result<Vec<f32>> {
        let mantissas = self.i32s(&format!("{name}.b"), stacked.iter().sum(), i32::MAX)?;
        let exponent = self.i32s(&format!("{name}.be"), 1, 1 << 12)?[0];
        let first: usize = stacked[..index].iter().sum();
        let scale = pow2(exponent) * factor;
        let values = mantissas[first..first + stacked[index]].iter();
        Ok(values.map(|&b| (f64::from(b) * scale) as f32).collect())
    }

    /// A norm's gains without the root of their number, times a factor, as the checkpoint has them.
    fn gains(&self, name: &str, width: usize, factor: f64) -> Result<Vec<f32>> {
        let gains = self.i32s(&format!("{name}.g"), width, i32::MAX)?;
        let exponent = self.i32s(&format!("{name}.e"), 1, 1 << 12)?[0];
        let scale = pow2(exponent) / (width as f64).sqrt() * factor;
        let offset = match self.blueprint.norm {
            Norm::RmsNormPlusOne { .. } => 1.0,
            _ => 0.0,
        };
        let real = |&g: &i32| (f64::from(g) * scale - offset) as f32;
        Ok(gains.iter().map(real).collect())
    }
}
