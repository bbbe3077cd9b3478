//! How large attention's scores may become, and the levels that share them between queries and keys
//! (docs/lmzm.md, "Recipe 2").

use lmz_model::{Blueprint, HeadNorm, LayerPart, Weights};

use super::heads::Heads;
use super::norms::{gains, of};
use crate::error::Result;
use crate::fixed::exponent;

/// In log2 units: a layer where one product of a query's and a key's element may be larger has large scores.
const LARGE: f64 = 64.0;
/// The same, by recipe 4, for the other layers of a model that has such a layer: what these round, it magnifies.
const LARGE_BESIDE: f64 = 16.0;

/// How large the elements of a layer's queries and keys become: the root of the sum of squares of weights times the
/// norm's gains, plus the bias's magnitude; or the magnitude of the gain, where a norm follows.
pub struct Sizes {
    /// A row for each element of the queries.
    query: Vec<f64>,
    key: Vec<f64>,
    heads: Heads,
}

impl Sizes {
    /// Those of one layer.
    ///
    /// # Errors
    /// A part that cannot be read.
    pub fn new(weights: &dyn Weights, layer: usize) -> Result<Self> {
        let b = weights.blueprint();
        let [query, key] = match b.attention.head_norm {
            HeadNorm::None => [
                rows(weights, layer, LayerPart::Query, LayerPart::QueryBias)?,
                rows(weights, layer, LayerPart::Key, LayerPart::KeyBias)?,
            ],
            _ => {
                let sizes = |part, rows: usize| -> Result<Vec<f64>> {
                    let part = of(layer, part);
                    let width = b.part_shape(part)[0];
                    let gains = gains(weights, part, width)?;
                    Ok((0..rows).map(|row| gains[row % width].abs()).collect())
                };
                [
                    sizes(LayerPart::QueryNorm, b.heads * b.head_dim)?,
                    sizes(LayerPart::KeyNorm, b.kv_heads * b.head_dim)?,
                ]
            }
        };
        Ok(Self {
            query,
            key,
            heads: Heads::new(b),
        })
    }

    /// Whether scores may become so large that the rounding of narrow queries and keys moves them.
    pub fn are_large(&self, b: &Blueprint) -> bool {
        self.product(b) > LARGE
    }

    /// As [`Sizes::are_large`], for a layer beside one with large scores.
    pub fn are_large_beside(&self, b: &Blueprint) -> bool {
        self.product(b) > LARGE_BESIDE
    }

    /// The largest product of a query's and a key's element, in log2 units.
    fn product(&self, b: &Blueprint) -> f64 {
        let scale = b.attention.scale;
        let scale = scale.unwrap_or(1.0 / (b.head_dim as f64).sqrt()) * std::f64::consts::LOG2_E;
        let products = self.query.iter().enumerate();
        let products = products.map(|(row, query)| query * self.key[self.heads.shared(row)]);
        scale.abs() * products.fold(0f64, f64::max)
    }

    /// By row of the keys: the power of two that it is divided by and that the queries' rows which meet it are
    /// multiplied by, so that both become equally large. The rows of a rotary pair share it.
    pub fn balance(&self) -> Vec<i32> {
        let class = |row| self.heads.pair(row);
        let mut largest = vec![[0f64; 2]; self.key.len()];
        for (row, &size) in self.query.iter().enumerate() {
            let slot = &mut largest[class(self.heads.shared(row))][0];
            *slot = slot.max(size);
        }
        for (row, &size) in self.key.iter().enumerate() {
            let slot = &mut largest[class(row)][1];
            *slot = slot.max(size);
        }
        let level = |row| match largest[class(row)] {
            [query, key] if query > 0.0 && key > 0.0 => {
                ((exponent(key / query) + 1) >> 1).clamp(-20, 20)
            }
            _ => 0,
        };
        (0..self.key.len()).map(level).collect()
    }
}

/// The sizes of what a matrix gives with its bias.
fn rows(weights: &dyn Weights, layer: usize, part: LayerPart, bias: LayerPart) -> Result<Vec<f64>> {
    let b = weights.blueprint();
    let gains = gains(weights, of(layer, LayerPart::AttentionNorm), b.hidden_size)?;
    let values = weights.load(of(layer, part))?;
    let bias = match of(layer, bias) {
        bias if b.has(bias) => weights.load(bias)?,
        _ => vec![0.0; values.len() / b.hidden_size],
    };
    let size = |(row, b): (&[f32], &f32)| {
        let squares = row.iter().zip(&gains).fold(0f64, |sum, (&w, g)| {
            let product = f64::from(w) * g;
            sum + product * product
        });
        squares.sqrt() + f64::from(b.abs())
    };
    let rows = values.chunks_exact(b.hidden_size).zip(&bias);
    Ok(rows.map(size).collect())
}
