//! From a checkpoint's parts to modules.

use burn::module::Param;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use lmz_model::{
    Blueprint, FeedForwardKind, HeadNorm, LayerPart, Norm as NormKind, NormPlacement, Part,
    Position, Residual, Weights,
};

use crate::attention::{Attention, Heads};
use crate::block::Layer;
use crate::error::{FloatError, Result};
use crate::experts::Experts;
use crate::feed_forward::{FeedForward, Plain};
use crate::gated::Gated;
use crate::kernels::{AttentionRule, Kernels, Products};
use crate::linear::Linear;
use crate::model::{Embedding, Head, Model};
use crate::norm::Norm;

/// Builds modules out of weights, on one device and in one number type.
pub struct Loader<'a, B: Backend> {
    weights: &'a dyn Weights,
    device: &'a B::Device,
    dtype: DType,
    /// How many attention scores may exist at once.
    max_scores: usize,
    products: Products,
}

impl<'a, B: Kernels> Loader<'a, B> {
    /// A loader onto a device. Matrices are stored in `dtype`, norms in f32.
    pub fn new(
        weights: &'a dyn Weights,
        device: &'a B::Device,
        dtype: DType,
        max_scores: usize,
    ) -> Self {
        Self {
            weights,
            device,
            dtype,
            max_scores,
            products: Products::Full,
        }
    }

    /// The same, with products of another precision.
    pub fn with_products(self, products: Products) -> Self {
        Self { products, ..self }
    }

    pub(crate) fn device(&self) -> &B::Device {
        self.device
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    fn blueprint(&self) -> &Blueprint {
        self.weights.blueprint()
    }

    /// All of the model.
    ///
    /// # Errors
    /// A part that cannot be read.
    pub fn model(&self) -> Result<Model<B>> {
        let layers = 0..self.blueprint().layers;
        Ok(Model {
            embedding: self.embedding()?,
            layers: layers.map(|i| self.layer(i)).collect::<Result<_>>()?,
            head: self.head(false)?,
        })
    }

    /// The embedding.
    ///
    /// # Errors
    /// A part that cannot be read.
    pub fn embedding(&self) -> Result<Embedding<B>> {
        let learned = self.blueprint().position == Position::Learned;
        Ok(Embedding {
            tokens: self.matrix(&[Part::TokenEmbedding])?,
            positions: match learned {
                true => Some(self.matrix(&[Part::PositionEmbedding])?),
                false => None,
            },
            scale: self.blueprint().ends.embedding_scale,
        })
    }

    /// The head; with a matrix of its own even where it is tied, if `alone`.
    ///
    /// # Errors
    /// A part that cannot be read.
    pub fn head(&self, alone: bool) -> Result<Head<B>> {
        let blueprint = self.blueprint();
        let weight = match (blueprint.tied_head, alone) {
            (false, _) => Some(self.matrix(&[Part::Head])?),
            (true, true) => Some(self.matrix(&[Part::TokenEmbedding])?),
            (true, false) => None,
        };
        Ok(Head {
            norm: self.norm(Part::FinalNorm, Part::FinalNormBias)?,
            weight,
            bias: match blueprint.ends.head_bias {
                true => Some(self.vector(&[Part::HeadBias], self.dtype)?),
                false => None,
            },
            softcap: blueprint.ends.softcap,
            products: self.products,
        })
    }

    /// One layer.
    ///
    /// # Errors
    /// A part that cannot be read.
    pub fn layer(&self, index: usize) -> Result<Layer<B>> {
        use LayerPart::*;
        let block = self.blueprint().block;
        let before = block.norms != NormPlacement::After;
        let after = block.norms != NormPlacement::Before;
        let norm = |present: bool, weight, bias| match present {
            true => self
                .norm(Part::Layer(index, weight), Part::Layer(index, bias))
                .map(Some),
            false => Ok(None),
        };
        let second = before && block.residual != Residual::ParallelSharedNorm;
        Ok(Layer {
            attention_norm: norm(before, AttentionNorm, AttentionNormBias)?,
            attention: self.attention(index)?,
            attention_post_norm: norm(after, AttentionPostNorm, AttentionPostNormBias)?,
            feed_forward_norm: norm(second, FeedForwardNorm, FeedForwardNormBias)?,
            feed_forward: self.feed_forward(index)?,
            feed_forward_post_norm: norm(after, FeedForwardPostNorm, FeedForwardPostNormBias)?,
            residual: block.residual,
            local: self.windowed(index),
        })
    }

    fn windowed(&self, index: usize) -> bool {
        match &self.blueprint().attention.window {
            Some(window) if window.layers.is_empty() => true,
            Some(window) => window.layers.get(index).copied().unwrap_or(false),
            None => false,
        }
    }

    fn attention(&self, index: usize) -> Result<Attention<B>> {
        use LayerPart::*;
        let blueprint = self.blueprint();
        let kind = &blueprint.attention;
        let window = kind.window.as_ref().filter(|_| self.windowed(index));
        let head_norm = |part| -> Result<Option<Norm<B>>> {
            if kind.head_norm == HeadNorm::None {
                return Ok(None);
            }
            let weight = self.vector(&[Part::Layer(index, part)], DType::F32)?;
            Ok(Some(Norm::new(blueprint.norm, Some(weight.val()), None)))
        };
        Ok(Attention {
            input: self.linear(
                index,
                &[Query, Key, Value],
                kind.input_bias
                    .then_some(&[QueryBias, KeyBias, ValueBias][..]),
            )?,
            output: self.linear(
                index,
                &[Output],
                kind.output_bias.then_some(&[OutputBias][..]),
            )?,
            query_norm: head_norm(QueryNorm)?,
            key_norm: head_norm(KeyNorm)?,
            heads: Heads {
                queries: blueprint.heads,
                keys: blueprint.kv_heads,
                width: blueprint.head_dim,
            },
            head_norm: kind.head_norm,
            rule: AttentionRule {
                scale: kind
                    .scale
                    .unwrap_or_else(|| (blueprint.head_dim as f64).powf(-0.5)),
                softcap: kind.softcap,
                window: window.map(|window| window.tokens),
                max_scores: self.max_scores,
                products: self.products,
            },
        })
    }

    fn feed_forward(&self, index: usize) -> Result<FeedForward<B>> {
        use LayerPart::*;
        let blueprint = self.blueprint();
        let activation = blueprint.activation;
        let bias = blueprint.feed_forward.bias;
        let down = || self.linear(index, &[Down], bias.then_some(&[DownBias][..]));
        Ok(match blueprint.feed_forward.kind {
            FeedForwardKind::Plain => FeedForward::Plain(Plain {
                up: self.linear(index, &[Up], bias.then_some(&[UpBias][..]))?,
                down: down()?,
                activation,
            }),
            FeedForwardKind::Experts { count, chosen } => {
                let expert = |e| {
                    Ok(Gated {
                        gate_up: self.linear(index, &[ExpertGate(e), ExpertUp(e)], None)?,
                        down: self.linear(index, &[ExpertDown(e)], None)?,
                        activation,
                    })
                };
                FeedForward::Experts(Experts {
                    router: self.linear(index, &[Router], None)?,
                    experts: (0..count).map(expert).collect::<Result<_>>()?,
                    chosen,
                })
            }
            // `FeedForwardKind` may grow; a blueprint that validates has one of these.
            _ => FeedForward::Gated(Gated {
                gate_up: self.linear(
                    index,
                    &[Gate, Up],
                    bias.then_some(&[GateBias, UpBias][..]),
                )?,
                down: down()?,
                activation,
            }),
        })
    }

    fn norm(&self, weight: Part, bias: Part) -> Result<Norm<B>> {
        let kind = self.blueprint().norm;
        let vector = |part| Ok::<_, FloatError>(self.vector(&[part], DType::F32)?.val());
        Ok(match kind {
            NormKind::BareLayerNorm { .. } => Norm::new(kind, None, None),
            NormKind::LayerNorm { .. } => {
                Norm::new(kind, Some(vector(weight)?), Some(vector(bias)?))
            }
            _ => Norm::new(kind, Some(vector(weight)?), None),
        })
    }

    fn linear(
        &self,
        index: usize,
        weights: &[LayerPart],
        biases: Option<&[LayerPart]>,
    ) -> Result<Linear<B>> {
        let parts = |parts: &[LayerPart]| -> Vec<Part> {
            parts.iter().map(|&p| Part::Layer(index, p)).collect()
        };
        Ok(Linear {
            weight: self.matrix(&parts(weights))?,
            bias: match biases {
                Some(biases) => Some(self.vector(&parts(biases), self.dtype)?),
                None => None,
            },
            products: self.products,
        })
    }

    /// Matrices of one width, one above the other.
    fn matrix(&self, parts: &[Part]) -> Result<Param<Tensor<B, 2>>> {
        let (values, rows) = self.read(parts)?;
        let columns = values.len() / rows.max(1);
        let data = TensorData::new(values, [rows, columns]);
        Ok(Param::from_tensor(self.upload(data, self.dtype)))
    }

    /// Vectors, one after the other.
    fn vector(&self, parts: &[Part], dtype: DType) -> Result<Param<Tensor<B, 1>>> {
        let (values, _) = self.read(parts)?;
        let length = values.len();
        let data = TensorData::new(values, [length]);
        Ok(Param::from_tensor(self.upload(data, dtype)))
    }

    fn upload<const D: usize>(&self, data: TensorData, dtype: DType) -> Tensor<B, D> {
        Tensor::from_data(data, (self.device, dtype))
    }

    /// The values of parts in a row, and the sum of their first dimensions.
    fn read(&self, parts: &[Part]) -> Result<(Vec<f32>, usize)> {
        let mut all = Vec::new();
        let mut rows = 0;
        for &part in parts {
            let shape = self.blueprint().part_shape(part);
            let values = self.weights.load(part)?;
            if values.len() != shape.iter().product::<usize>() {
                return Err(FloatError::Part {
                    part,
                    found: values.len(),
                    shape,
                });
            }
            rows += shape[0];
            if all.is_empty() {
                all = values;
            } else {
                all.extend_from_slice(&values);
            }
        }
        Ok((all, rows))
    }
}
