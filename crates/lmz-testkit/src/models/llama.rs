//! Tiny Llamas with random weights. Committed vectors are made from them: they stay as they are.

use lmz_model::TensorSpec;
use serde_json::{Value, json};

use super::{Model, few_letters};
use crate::Random;

/// The sizes of a tiny Llama.
#[derive(Clone, Copy, Debug)]
pub struct Tiny {
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width of the feed-forward layers.
    pub inner: usize,
    /// Number of layers.
    pub layers: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Width of a head, even.
    pub head_dim: usize,
    /// Whether the head is the embedding.
    pub tied: bool,
    /// Whether positions are scaled as Llama 3's.
    pub llama3: bool,
}

/// Nothing is a multiple of anything that a kernel likes.
pub const ODD: Tiny = Tiny {
    hidden: 24,
    inner: 40,
    layers: 2,
    heads: 3,
    kv_heads: 1,
    head_dim: 6,
    tied: false,
    llama3: true,
};
/// Odd numbers of columns, and the smallest head.
pub const NARROW: Tiny = Tiny {
    hidden: 15,
    inner: 33,
    layers: 3,
    heads: 2,
    kv_heads: 2,
    head_dim: 2,
    tied: true,
    llama3: false,
};
/// Sums of more than one chunk of 512, in `o` and in `down`.
pub const WIDE: Tiny = Tiny {
    hidden: 40,
    inner: 1100,
    layers: 1,
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    tied: true,
    llama3: true,
};

/// Ids of the tiny Llamas: special tokens (the start is 30) and padding rows among them.
pub const VOCABULARY: usize = 37;

impl Tiny {
    fn config(self) -> Value {
        let mut config = json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.hidden,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": 512,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "tie_word_embeddings": self.tied,
            "bos_token_id": 30,
        });
        if self.llama3 {
            config["rope_theta"] = json!(500000.0);
            config["rope_scaling"] = json!({
                "rope_type": "llama3",
                "factor": 4.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 128,
            });
        }
        config
    }

    /// Random weights in f32 that give lively distributions.
    pub fn model(self, seed: u64) -> Model {
        let mut model = Model {
            config: self.config(),
            tokenizer: few_letters(),
            tensors: Default::default(),
        };
        let mut random = Random(seed);
        let mut tensor = |spec: TensorSpec| {
            let is_norm = spec.shape.len() == 1;
            let scale = match spec.name.as_str() {
                "lm_head.weight" => 0.6,
                "model.embed_tokens.weight" => 0.5,
                // Growth of 1 from layer to layer.
                _ => 1.6 / (spec.shape[spec.shape.len() - 1] as f64).sqrt(),
            };
            let value = |_| match is_norm {
                true => (1.0 + 0.2 * random.normal()) as f32,
                false => (scale * random.normal()) as f32,
            };
            let values = (0..spec.shape.iter().product()).map(value).collect();
            (spec.name, (spec.shape, values))
        };
        let specs = model.blueprint().tensors().into_iter();
        model.tensors = specs.map(&mut tensor).collect();
        model
    }
}
