//! What the tests of `config.json` share.
#![allow(dead_code, reason = "each test file uses its part")]

use lmz_model::{
    Activation, Attention, Block, Blueprint, Ends, FeedForward, FeedForwardKind, Layout, Norm,
    Position, RopeScaling, Window, parse_config,
};
use serde_json::Value;

/// A configuration's blueprint, which survives its canonical form, and its ignored fields.
pub fn parse(config: &Value) -> (Blueprint, Vec<String>) {
    let parsed = parse_config(config.to_string().as_bytes()).unwrap();
    let json = parsed.blueprint.canonical_json();
    let again = Blueprint::from_canonical_json(json.as_bytes()).unwrap();
    assert_eq!(again, parsed.blueprint, "{json}");
    (parsed.blueprint, parsed.ignored_fields)
}

pub fn with(mut config: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

pub fn without(mut config: Value, name: &str) -> Value {
    config.as_object_mut().unwrap().remove(name);
    config
}

/// A model of Llama's sizes and defaults, to be changed.
pub fn llama_like(
    hidden: usize,
    inner: usize,
    layers: usize,
    heads: usize,
    vocab: usize,
) -> Blueprint {
    Blueprint {
        hidden_size: hidden,
        intermediate_size: inner,
        layers,
        heads,
        kv_heads: heads,
        head_dim: hidden / heads,
        vocab_size: vocab,
        max_positions: 2048,
        norm: Norm::RmsNorm { eps: 1e-6 },
        position: rope(1e4),
        activation: Activation::Silu,
        tied_head: false,
        start_token: 0,
        layout: Layout::Llama,
        block: Block::default(),
        attention: Attention::default(),
        feed_forward: FeedForward::default(),
        ends: Ends::default(),
    }
}

pub fn rope(theta: f64) -> Position {
    Position::Rope {
        theta,
        scaling: RopeScaling::None,
    }
}

/// No gate, LayerNorm, biases everywhere.
pub fn plain(mut blueprint: Blueprint, layout: Layout, activation: Activation) -> Blueprint {
    blueprint.layout = layout;
    blueprint.activation = activation;
    blueprint.norm = Norm::LayerNorm { eps: 1e-5 };
    blueprint.attention.input_bias = true;
    blueprint.attention.output_bias = true;
    blueprint.feed_forward = FeedForward {
        kind: FeedForwardKind::Plain,
        bias: true,
    };
    blueprint
}

pub fn window(tokens: usize, layers: Vec<bool>) -> Option<Window> {
    Some(Window {
        tokens,
        layers,
        theta: None,
    })
}
