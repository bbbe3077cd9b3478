//! Models whose scores are large: key biases near 200, as Qwen2.5 has them, and massive activations.

use serde_json::json;

use super::{Model, Tiny};
use crate::Random;

/// A head's slowest rotary pairs, the slowest first: what is added to their two rows of keys, and of queries.
const BIASES: [[[f32; 2]; 2]; 2] = [
    [[205.0, -158.0], [6.0, -4.5]],
    [[-121.0, 67.0], [-3.0, 2.5]],
];

/// A massive activation, in multiples of the embedding's typical entry.
const MASSIVE: f32 = 1500.0;

/// Makes a Qwen2 of a Llama: small biases everywhere, and in `layers` biases that make large scores, those of the queries
/// `strength` times as large. Tokens of `massive` get a massive activation each.
///
/// # Panics
///
/// If the model is no Llama.
pub fn enlarge_scores(
    model: &mut Model,
    layers: &[usize],
    massive: &[u32],
    strength: f32,
    seed: u64,
) {
    let b = model.blueprint();
    model.config["architectures"] = json!(["Qwen2ForCausalLM"]);
    model.config["model_type"] = json!("qwen2");
    for field in ["head_dim", "attention_bias", "mlp_bias"] {
        model
            .config
            .as_object_mut()
            .expect("an object")
            .remove(field);
    }
    assert_eq!(b.heads * b.head_dim, b.hidden_size, "as Qwen2 has it");
    let mut random = Random(seed);
    let (dim, half) = (b.head_dim, b.head_dim / 2);
    for layer in 0..b.layers {
        let large = layers.contains(&layer);
        for (which, part, heads) in [
            (Some(1), "q_proj", b.heads),
            (Some(0), "k_proj", b.kv_heads),
            (None, "v_proj", b.kv_heads),
        ] {
            let small = (0..heads * dim).map(|_| (0.3 * random.normal()) as f32);
            let mut bias: Vec<f32> = small.collect();
            for head in bias.chunks_exact_mut(dim).filter(|_| large) {
                for (i, pair) in BIASES.iter().enumerate() {
                    let strength = [1.0, strength];
                    let biases = which.map(|which| pair[which].map(|b| b * strength[which]));
                    let [first, second] = biases.unwrap_or([0.0; 2]);
                    head[half - 1 - i] += first;
                    head[dim - 1 - i] += second;
                }
            }
            let name = format!("model.layers.{layer}.self_attn.{part}.bias");
            model.tensors.insert(name, (vec![bias.len()], bias));
        }
    }
    let table = model.tensor("model.embed_tokens.weight");
    let squares = table.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
    let typical = (squares / table.len() as f64).sqrt() as f32;
    for (i, &token) in massive.iter().enumerate() {
        let channel = (7 + 5 * i) % b.hidden_size;
        table[token as usize * b.hidden_size + channel] += MASSIVE * typical;
    }
}

/// A tiny model of random weights with large scores in two of its three layers, and massive activations of the start
/// token and of another one. Vectors are made from it: it stays as it is.
pub fn large_scores() -> Model {
    let shape = Tiny {
        hidden: 48,
        inner: 40,
        layers: 3,
        heads: 4,
        kv_heads: 2,
        head_dim: 12,
        tied: false,
        llama3: false,
    };
    let mut model = shape.model(3);
    enlarge_scores(&mut model, &[0, 2], &[30, 3], 1.0, 4);
    model
}
