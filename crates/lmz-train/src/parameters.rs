//! A Llama's parameters: where they start, how they are reached in the burn modules, and what
//! Hugging Face calls them.

use burn::backend::Autodiff;
use burn::module::Param;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use fastrand::Rng;
use lmz_float::kernels::Kernels;
use lmz_float::modules::{FeedForward, Model, Norm};
use lmz_model::{Blueprint, LayerPart, ModelError, Part, Weights};

/// Weights before any training.
pub(crate) struct Initial {
    pub blueprint: Blueprint,
    pub seed: u64,
}

impl Weights for Initial {
    fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Normally distributed; small where a layer joins the residual stream, so that it starts
    /// close to the identity.
    fn load(&self, part: Part) -> Result<Vec<f32>, ModelError> {
        use LayerPart::{Down, Output};
        let shape = self.blueprint.part_shape(part);
        let length = shape.iter().product();
        let deviation = match part {
            _ if shape.len() < 2 => return Ok(vec![1.0; length]),
            Part::TokenEmbedding => 0.02,
            Part::Layer(_, Output | Down) => 0.02 / (2.0 * self.blueprint.layers as f64).sqrt(),
            _ => 0.7 / (self.blueprint.hidden_size as f64).sqrt(),
        };
        let number = self
            .blueprint
            .parts()
            .iter()
            .position(|&other| other == part);
        let number = (number.unwrap_or(0) as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d);
        let mut rng = Rng::with_seed(self.seed ^ number);
        Ok((0..length)
            .map(|_| (normal(&mut rng) * deviation) as f32)
            .collect())
    }
}

/// A normally distributed number, by Box and Muller.
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// The name of a part in a checkpoint.
pub(crate) fn name(part: Part) -> String {
    use LayerPart::*;
    match part {
        Part::TokenEmbedding => "model.embed_tokens.weight".into(),
        Part::Layer(layer, part) => {
            let part = match part {
                AttentionNorm => "input_layernorm",
                Query => "self_attn.q_proj",
                Key => "self_attn.k_proj",
                Value => "self_attn.v_proj",
                Output => "self_attn.o_proj",
                FeedForwardNorm => "post_attention_layernorm",
                Gate => "mlp.gate_proj",
                Up => "mlp.up_proj",
                _ => "mlp.down_proj",
            };
            format!("model.layers.{layer}.{part}.weight")
        }
        _ => "model.norm.weight".into(),
    }
}

/// A tensor of the modules, and the parts that stand in it one above the other.
pub(crate) struct Slot<'a, B: Kernels> {
    pub parts: Vec<Part>,
    tensor: Either<'a, B>,
}

enum Either<'a, B: Kernels> {
    Vector(&'a mut Param<Tensor<Autodiff<B>, 1>>),
    Matrix(&'a mut Param<Tensor<Autodiff<B>, 2>>),
}

impl<B: Kernels> Slot<'_, B> {
    /// The value as a matrix; a vector is a row.
    pub fn value(&self) -> Tensor<B, 2> {
        match &self.tensor {
            Either::Vector(vector) => vector.val().inner().unsqueeze(),
            Either::Matrix(matrix) => matrix.val().inner(),
        }
    }

    /// Its gradient, if any.
    pub fn gradient(
        &self,
        gradients: &<Autodiff<B> as AutodiffBackend>::Gradients,
    ) -> Option<Tensor<B, 2>> {
        match &self.tensor {
            Either::Vector(vector) => vector.val().grad(gradients).map(Tensor::unsqueeze),
            Either::Matrix(matrix) => matrix.val().grad(gradients),
        }
    }

    /// Gives it another value of the same shape.
    pub fn set(&mut self, value: Tensor<B, 2>) {
        match &mut self.tensor {
            Either::Vector(vector) => {
                let length = value.dims()[1];
                **vector = Param::from_tensor(Tensor::from_inner(value.reshape([length])));
            }
            Either::Matrix(matrix) => {
                **matrix = Param::from_tensor(Tensor::from_inner(value));
            }
        }
    }

    /// Whether Muon trains it.
    pub fn is_matrix(&self) -> bool {
        matches!(self.parts[0], Part::Layer(..)) && matches!(self.tensor, Either::Matrix(_))
    }
}

/// All parameters, in a fixed order.
pub(crate) fn slots<B: Kernels>(model: &mut Model<Autodiff<B>>) -> Vec<Slot<'_, B>> {
    use LayerPart::*;
    fn norm<B: Kernels>(part: Part, norm: Option<&mut Norm<Autodiff<B>>>) -> Option<Slot<'_, B>> {
        let weight = norm?.weight.as_mut()?;
        Some(Slot {
            parts: vec![part],
            tensor: Either::Vector(weight),
        })
    }
    let matrix = |parts: &[Part]| parts.to_vec();
    let mut all = vec![Slot {
        parts: matrix(&[Part::TokenEmbedding]),
        tensor: Either::Matrix(&mut model.embedding.tokens),
    }];
    for (i, layer) in model.layers.iter_mut().enumerate() {
        let part = |part| Part::Layer(i, part);
        all.extend(norm(part(AttentionNorm), layer.attention_norm.as_mut()));
        all.push(Slot {
            parts: matrix(&[part(Query), part(Key), part(Value)]),
            tensor: Either::Matrix(&mut layer.attention.input.weight),
        });
        all.push(Slot {
            parts: matrix(&[part(Output)]),
            tensor: Either::Matrix(&mut layer.attention.output.weight),
        });
        all.extend(norm(
            part(FeedForwardNorm),
            layer.feed_forward_norm.as_mut(),
        ));
        // A Llama's is gated.
        if let FeedForward::Gated(gated) = &mut layer.feed_forward {
            all.push(Slot {
                parts: matrix(&[part(Gate), part(Up)]),
                tensor: Either::Matrix(&mut gated.gate_up.weight),
            });
            all.push(Slot {
                parts: matrix(&[part(Down)]),
                tensor: Either::Matrix(&mut gated.down.weight),
            });
        }
    }
    all.extend(norm(Part::FinalNorm, Some(&mut model.head.norm)));
    all
}
