//! The choices in which families of models differ.

use serde::{Deserialize, Serialize};

/// A normalisation of the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Norm {
    /// `x / sqrt(mean(x^2) + eps) * weight`.
    RmsNorm {
        /// Added to the mean square.
        eps: f64,
    },
    /// `x / sqrt(mean(x^2) + eps) * (1 + weight)`, as Gemma has it.
    RmsNormPlusOne {
        /// Added to the mean square.
        eps: f64,
    },
    /// `(x - mean(x)) / sqrt(variance(x) + eps) * weight + bias`.
    LayerNorm {
        /// Added to the variance.
        eps: f64,
    },
    /// [`LayerNorm`](Self::LayerNorm) without weight and bias, as the first OLMo has it.
    BareLayerNorm {
        /// Added to the variance.
        eps: f64,
    },
}

/// How positions enter the attention.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Position {
    /// Rotary: queries and keys are rotated, element `i` of a head together with element
    /// `i + head_dim / 2`, by `position * theta^(-2i / head_dim)` radians before scaling.
    Rope {
        /// The base of the frequencies.
        theta: f64,
        /// How the frequencies are stretched for longer contexts.
        scaling: RopeScaling,
    },
    /// A table with one learned row a position, `[max_positions, hidden_size]`, added to the
    /// token's embedding.
    Learned,
}

/// A published rule that stretches rotary frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RopeScaling {
    /// Frequencies as they are.
    None,
    /// Every frequency divided by `factor`.
    Linear {
        /// At least 1.
        factor: f64,
    },
    /// Llama 3.1: long wavelengths divided by `factor`, short ones kept, a linear blend between.
    Llama3 {
        /// At least 1.
        factor: f64,
        /// Wavelengths above `original_max_position_embeddings / low_freq_factor` are divided.
        low_freq_factor: f64,
        /// Wavelengths below `original_max_position_embeddings / high_freq_factor` are kept.
        high_freq_factor: f64,
        /// The context before stretching, in tokens.
        original_max_position_embeddings: usize,
    },
}

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// `x / (1 + exp(-x))`.
    Silu,
    /// `x * Phi(x)`, with the error function.
    Gelu,
    /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// How a checkpoint names and stores its tensors. It says nothing of the mathematics, and the
/// families that share a layout differ in other fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layout {
    /// `model.layers.N.self_attn.q_proj`, `mlp.gate_proj`: Llama, Mistral, Qwen2, Qwen3, Gemma,
    /// OLMo.
    #[default]
    Llama,
    /// `transformer.h.N.attn.c_attn`: query, key and value in one, every matrix transposed.
    Gpt2,
    /// `gpt_neox.layers.N.attention.query_key_value`: fused head by head.
    GptNeox,
    /// `transformer.h.N.attn.c_attn`: all queries, then one key and one value; not transposed.
    GptBigCode,
    /// As [`Llama`](Self::Llama), the feed-forward layer as `mlp.c_fc` and `mlp.c_proj`.
    Starcoder2,
    /// `transformer.h.N.self_attention.query_key_value`: fused group by group.
    Falcon,
    /// As [`Llama`](Self::Llama), with `self_attn.dense`, `mlp.fc1`, `mlp.fc2` and
    /// `model.final_layernorm`.
    Phi,
    /// As [`Llama`](Self::Llama), with `block_sparse_moe.gate` and `.experts.E.{w1,w3,w2}`.
    Mixtral,
}

/// Where a layer's norms stand and how its two halves join the residual stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Where the norms stand.
    #[serde(default, skip_serializing_if = "is_default")]
    pub norms: NormPlacement,
    /// How the two halves join the residual stream.
    #[serde(default, skip_serializing_if = "is_default")]
    pub residual: Residual,
}

/// Where a layer's norms stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormPlacement {
    /// `x += f(norm(x))`.
    #[default]
    Before,
    /// `x += norm(f(x))`, as OLMo 2 has it.
    After,
    /// `x += norm(f(norm(x)))`, as Gemma 2 and 3 have it.
    Around,
}

/// How attention and feed-forward layer join the residual stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Residual {
    /// One after the other; the feed-forward layer sees what the attention added.
    #[default]
    Sequential,
    /// `x += attention(norm_1(x)) + feed_forward(norm_2(x))`.
    Parallel,
    /// `x += attention(n) + feed_forward(n)` with `n = norm(x)`.
    ParallelSharedNorm,
}

/// What the attention does beyond a Llama's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// Whether query, key and value have biases.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input_bias: bool,
    /// Whether the output map has a bias.
    #[serde(default, skip_serializing_if = "is_default")]
    pub output_bias: bool,
    /// A norm of queries and keys before the rotation, of the blueprint's kind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head_norm: HeadNorm,
    /// How many of a head's elements rotate, its first ones; all if `None`. Element `i` goes
    /// with element `i + rotary_dim / 2`, and frequencies are `theta^(-2i / rotary_dim)`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rotary_dim: Option<usize>,
    /// What query times key is multiplied by; `head_dim^(-1/2)` if `None`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale: Option<f64>,
    /// Scores become `cap * tanh(score / cap)` before the softmax.
    #[serde(default, skip_serializing_if = "is_default")]
    pub softcap: Option<f64>,
    /// Layers that see the last tokens only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub window: Option<Window>,
}

/// A norm of queries and keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadNorm {
    /// None.
    #[default]
    None,
    /// Each head alone, one weight of `head_dim` for all (Qwen3, Gemma 3).
    PerHead,
    /// All heads together, weights of `heads * head_dim` and `kv_heads * head_dim` (OLMo 2).
    Whole,
}

/// Sliding-window attention: position `i` sees positions `j` with `i - tokens < j <= i`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// How many positions are seen, one's own included.
    pub tokens: usize,
    /// For each layer, whether it has the window; empty if all have it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layers: Vec<bool>,
    /// The base of the rotary frequencies of windowed layers, unscaled, where it differs
    /// (Gemma 3).
    #[serde(default, skip_serializing_if = "is_default")]
    pub theta: Option<f64>,
}

/// The shape of the feed-forward layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedForward {
    /// Which maps it has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: FeedForwardKind,
    /// Whether its maps have biases.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bias: bool,
}

/// Which maps a feed-forward layer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FeedForwardKind {
    /// `down(activation(gate(x)) * up(x))`.
    #[default]
    Gated,
    /// `down(activation(up(x)))`.
    Plain,
    /// Gated experts: the softmax of the router's logits over all experts, the `chosen` largest
    /// kept and divided by their sum, weighs the experts' outputs (Mixtral).
    Experts {
        /// How many there are.
        count: usize,
        /// How many a token goes to.
        chosen: usize,
    },
}

/// What the embedding and the output head do beyond a Llama's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// What embeddings are multiplied by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub embedding_scale: Option<f64>,
    /// Whether the output head has a bias.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head_bias: bool,
    /// Logits become `cap * tanh(logit / cap)`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub softcap: Option<f64>,
}

/// Whether a field has its default and is left out.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
