//! The tensors that a blueprint needs: names as Hugging Face writes them, shapes, fixed order.

use super::Blueprint;

/// One tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// The name in the safetensors files.
    pub name: String,
    /// Rows first: a linear map is `[outputs, inputs]`, a norm `[width]`.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    fn new(name: impl Into<String>, shape: &[usize]) -> Self {
        Self {
            name: name.into(),
            shape: shape.to_vec(),
        }
    }
}

const EMBEDDING: &str = "model.embed_tokens.weight";

impl Blueprint {
    /// The embedding table, `[vocab_size, hidden_size]`.
    pub fn embedding_tensor(&self) -> TensorSpec {
        TensorSpec::new(EMBEDDING, &[self.vocab_size, self.hidden_size])
    }

    /// The output head, `[vocab_size, hidden_size]`: the embedding table where it is tied.
    pub fn head_tensor(&self) -> TensorSpec {
        let name = if self.tied_head {
            EMBEDDING
        } else {
            "lm_head.weight"
        };
        TensorSpec::new(name, &[self.vocab_size, self.hidden_size])
    }

    /// The norm before the head, `[hidden_size]`.
    pub fn final_norm_tensor(&self) -> TensorSpec {
        TensorSpec::new("model.norm.weight", &[self.hidden_size])
    }

    /// The tensors of one layer, in this order: the attention's norm, query, key, value and
    /// output; the feed-forward layer's norm, gate, up and down.
    pub fn layer_tensors(&self, layer: usize) -> [TensorSpec; 9] {
        let width = self.hidden_size;
        let queries = self.heads * self.head_dim;
        let keys = self.kv_heads * self.head_dim;
        let inner = self.intermediate_size;
        let spec = |part: &str, shape: &[usize]| {
            TensorSpec::new(format!("model.layers.{layer}.{part}.weight"), shape)
        };
        [
            spec("input_layernorm", &[width]),
            spec("self_attn.q_proj", &[queries, width]),
            spec("self_attn.k_proj", &[keys, width]),
            spec("self_attn.v_proj", &[keys, width]),
            spec("self_attn.o_proj", &[width, queries]),
            spec("post_attention_layernorm", &[width]),
            spec("mlp.gate_proj", &[inner, width]),
            spec("mlp.up_proj", &[inner, width]),
            spec("mlp.down_proj", &[width, inner]),
        ]
    }

    /// Every tensor, in the order of the content hash: embedding, layers from the first, final
    /// norm, and the head where it is not tied.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut all = vec![self.embedding_tensor()];
        for layer in 0..self.layers {
            all.extend(self.layer_tensors(layer));
        }
        all.push(self.final_norm_tensor());
        if !self.tied_head {
            all.push(self.head_tensor());
        }
        all
    }
}
