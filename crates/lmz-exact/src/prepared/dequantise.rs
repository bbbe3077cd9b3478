//! A prepared model as real numbers: what its integers stand for.
//!
//! A float engine that loads these weights computes the function that the integer engine
//! approximates, so the difference between the two is that of the activations alone. Queries,
//! keys, values and the output map come back with their levels (recipe 1): each pair carries
//! opposite powers of two, and the function is the checkpoint's.

use std::f64::consts::LOG2_E;

use lmz_model::{Blueprint, LayerPart, ModelError, Part, Weights};

use super::Prepared;
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
        let (width, inner) = (b.hidden_size, b.intermediate_size);
        let (queries, keys) = (b.heads * b.head_dim, b.kv_heads * b.head_dim);
        let qkv = [queries, keys, keys];
        let values = match part {
            Part::TokenEmbedding => self.matrix("embed", &[b.vocab_size], width, 0, 1.0)?,
            Part::Head if !b.tied_head => {
                self.matrix("head", &[b.vocab_size], width, 0, 1.0 / LOG2_E)?
            }
            Part::FinalNorm => self.gains("norm")?,
            Part::Layer(layer, part) if layer < b.layers => {
                let name = |part: &str| format!("layers.{layer}.{part}");
                match part {
                    LayerPart::AttentionNorm => self.gains(&name("attn_norm"))?,
                    LayerPart::Query => {
                        let factor = (b.head_dim as f64).sqrt() / LOG2_E;
                        self.matrix(&name("qkv"), &qkv, width, 0, factor)?
                    }
                    LayerPart::Key => self.matrix(&name("qkv"), &qkv, width, 1, 1.0)?,
                    LayerPart::Value => self.matrix(&name("qkv"), &qkv, width, 2, 1.0)?,
                    LayerPart::Output => self.matrix(&name("o"), &[width], queries, 0, 1.0)?,
                    LayerPart::FeedForwardNorm => self.gains(&name("ffn_norm"))?,
                    LayerPart::Gate => self.matrix(&name("gate_up"), &[inner; 2], width, 0, 1.0)?,
                    LayerPart::Up => self.matrix(&name("gate_up"), &[inner; 2], width, 1, 1.0)?,
                    LayerPart::Down => self.matrix(&name("down"), &[width], inner, 0, 1.0)?,
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(values))
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
        let weights = self.weights_i8(&format!("{name}.w"), [rows, columns])?;
        let mantissas = self.i32s(&format!("{name}.m"), rows, i32::MAX)?;
        let exponent = self.i32s(&format!("{name}.e"), 1, 1 << 12)?[0];
        let shifts = self.shifts(&format!("{name}.c"), columns)?;
        let shift = |column: usize| shifts.get(column).map_or(0, |&c| i32::from(c));
        let columns_scale: Vec<f64> = (0..columns).map(|c| pow2(shift(c))).collect();
        let first: usize = stacked[..index].iter().sum();
        let chosen = first..first + stacked[index];
        let mut out = Vec::with_capacity(stacked[index] * columns);
        for row in chosen {
            let scale = f64::from(mantissas[row]) * pow2(exponent) * factor;
            let row = &weights[row * columns..(row + 1) * columns];
            let real = |(w, s): (&i8, &f64)| (f64::from(*w) * scale * s) as f32;
            out.extend(row.iter().zip(&columns_scale).map(real));
        }
        Ok(out)
    }

    /// A norm's gains without the root of the width.
    fn gains(&self, name: &str) -> Result<Vec<f32>> {
        let width = self.blueprint.hidden_size;
        let gains = self.i32s(&format!("{name}.g"), width, i32::MAX)?;
        let exponent = self.i32s(&format!("{name}.e"), 1, 1 << 12)?[0];
        let scale = pow2(exponent) / (width as f64).sqrt();
        Ok(gains
            .iter()
            .map(|&g| (f64::from(g) * scale) as f32)
            .collect())
    }
}
