//! `config.json` of the three Gemmas, in the forms of transformers 4 and 5, alone and as the text
//! half of a model that also sees.

#[path = "common/configs.rs"]
mod configs;

use configs::{parse, with};
use lmz_model::{
    Activation, Attention, Blueprint, Ends, ErrorKind, HeadNorm, Norm, NormPlacement, Position,
    RopeScaling, Window, parse_config,
};
use serde_json::{Value, json};

fn gemma2() -> Value {
    json!({
        "architectures": ["Gemma2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "attn_logit_softcapping": 50.0, "bos_token_id": 2, "cache_implementation": "hybrid",
        "eos_token_id": 1, "final_logit_softcapping": 30.0, "head_dim": 256,
        "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": 2304, "intermediate_size": 9216, "max_position_embeddings": 8192,
        "model_type": "gemma2", "num_attention_heads": 8, "num_hidden_layers": 3,
        "num_key_value_heads": 4, "pad_token_id": 0, "query_pre_attn_scalar": 256,
        "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "sliding_window": 4096, "use_cache": true,
        "vocab_size": 256000,
    })
}

fn expected() -> Blueprint {
    Blueprint {
        hidden_size: 2304,
        intermediate_size: 9216,
        layers: 3,
        heads: 8,
        kv_heads: 4,
        head_dim: 256,
        vocab_size: 256000,
        max_positions: 8192,
        norm: Norm::RmsNormPlusOne { eps: 1e-6 },
        position: Position::Rope {
            theta: 1e4,
            scaling: RopeScaling::None,
        },
        activation: Activation::GeluTanh,
        tied_head: true,
        start_token: 2,
        layout: Default::default(),
        block: Default::default(),
        attention: Attention {
            softcap: Some(50.0),
            window: Some(Window {
                tokens: 4096,
                layers: vec![true, false, true],
                theta: None,
            }),
            ..Attention::default()
        },
        feed_forward: Default::default(),
        ends: Ends {
            embedding_scale: Some(48.0),
            softcap: Some(30.0),
            head_bias: false,
        },
    }
}

#[test]
fn second() {
    let mut expected = expected();
    expected.block.norms = NormPlacement::Around;
    assert_eq!(parse(&gemma2()), (expected.clone(), vec![]));
    // Absence is the class's default ...
    let mut absent = gemma2();
    for name in [
        "attn_logit_softcapping",
        "bos_token_id",
        "final_logit_softcapping",
        "head_dim",
        "hidden_activation",
        "max_position_embeddings",
        "num_key_value_heads",
        "query_pre_attn_scalar",
        "rms_norm_eps",
        "rope_theta",
        "sliding_window",
    ] {
        absent.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(parse(&absent).0, expected);
    // ... and null is none.
    expected.attention.softcap = None;
    expected.ends.softcap = None;
    expected.attention.scale = Some(1.0 / 12.0);
    let changes = json!({ "attn_logit_softcapping": null, "final_logit_softcapping": null,
        "query_pre_attn_scalar": 144 });
    assert_eq!(parse(&with(gemma2(), changes)).0, expected);
    let config = with(gemma2(), json!({ "use_bidirectional_attention": true })).to_string();
    let error = parse_config(config.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Compatibility);
}

#[test]
fn first() {
    // The first release meant the tanh form by "gelu".
    let mut expected = expected();
    expected.attention = Attention::default();
    expected.ends.softcap = None;
    expected.kv_heads = 1;
    let mut config = with(
        gemma2(),
        json!({ "architectures": ["GemmaForCausalLM"], "model_type": "gemma",
            "hidden_act": "gelu", "hidden_activation": null, "num_key_value_heads": 1 }),
    );
    for name in [
        "attn_logit_softcapping",
        "final_logit_softcapping",
        "query_pre_attn_scalar",
        "sliding_window",
    ] {
        config.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(parse(&config), (expected.clone(), vec![]));
    expected.activation = Activation::Relu;
    let relu = with(config.clone(), json!({ "hidden_act": "relu" }));
    assert_eq!(parse(&relu).0, expected);
    expected.activation = Activation::Gelu;
    let exact = with(relu, json!({ "hidden_activation": "gelu" }));
    assert_eq!(parse(&exact).0, expected);
}

/// As published with 1B, but for the number of layers.
fn gemma3() -> Value {
    json!({
        "architectures": ["Gemma3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "attn_logit_softcapping": null, "bos_token_id": 2, "cache_implementation": "hybrid",
        "eos_token_id": [1, 106], "final_logit_softcapping": null, "head_dim": 256,
        "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152, "initializer_range": 0.02,
        "intermediate_size": 6912, "max_position_embeddings": 32768, "model_type": "gemma3_text",
        "num_attention_heads": 4, "num_hidden_layers": 7, "num_key_value_heads": 1,
        "pad_token_id": 0, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06,
        "rope_local_base_freq": 10000, "rope_scaling": null, "rope_theta": 1000000,
        "sliding_window": 512, "sliding_window_pattern": 6, "vocab_size": 262144,
    })
}

fn expected3() -> Blueprint {
    let mut expected = Blueprint {
        hidden_size: 1152,
        intermediate_size: 6912,
        layers: 7,
        heads: 4,
        kv_heads: 1,
        vocab_size: 262144,
        max_positions: 32768,
        position: Position::Rope {
            theta: 1e6,
            scaling: RopeScaling::None,
        },
        ..expected()
    };
    expected.block.norms = NormPlacement::Around;
    expected.attention = Attention {
        head_norm: HeadNorm::PerHead,
        window: Some(Window {
            tokens: 512,
            layers: vec![true, true, true, true, true, false, true],
            theta: Some(1e4),
        }),
        ..Attention::default()
    };
    expected.ends.softcap = None;
    expected.ends.embedding_scale = Some(1152f64.sqrt());
    expected
}

#[test]
fn third_in_both_forms() {
    let mut expected = expected3();
    assert_eq!(parse(&gemma3()), (expected.clone(), vec![]));
    let mut newer = gemma3();
    for name in [
        "rope_local_base_freq",
        "rope_scaling",
        "rope_theta",
        "sliding_window_pattern",
    ] {
        newer.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(parse(&newer).0, expected);
    newer["_sliding_window_pattern"] = json!(6);
    newer["rope_parameters"] = json!({
        "full_attention": { "rope_type": "linear", "factor": 8.0, "rope_theta": 5e5 },
        "sliding_attention": { "rope_type": "default", "rope_theta": 2e4, "more": 1 },
    });
    expected.position = Position::Rope {
        theta: 5e5,
        scaling: RopeScaling::Linear { factor: 8.0 },
    };
    expected.attention.window.as_mut().unwrap().theta = Some(2e4);
    let ignored = vec!["rope_parameters.sliding_attention.more".to_owned()];
    assert_eq!(parse(&newer), (expected, ignored));

    for (changes, kind, blamed) in [
        (
            json!({ "rope_parameters": { "sliding_attention": { "rope_type": "linear",
                "factor": 2.0 } } }),
            ErrorKind::Compatibility,
            "sliding_attention",
        ),
        (
            json!({ "rope_parameters": { "full_attention": { "rope_type": "yarn" } } }),
            ErrorKind::Compatibility,
            "yarn",
        ),
        (
            json!({ "rope_parameters": { "full_attention": 3 } }),
            ErrorKind::Corruption,
            "rope_parameters",
        ),
        (
            json!({ "_sliding_window_pattern": 0 }),
            ErrorKind::Corruption,
            "sliding_window_pattern",
        ),
        (
            json!({ "attn_logit_softcapping": 50.0 }),
            ErrorKind::Compatibility,
            "attn_logit_softcapping",
        ),
    ] {
        let config = with(newer.clone(), changes).to_string();
        let error = parse_config(config.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(blamed), "{error}");
    }
}

#[test]
fn the_text_half_of_a_model_that_sees() {
    let config = json!({
        "architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255999,
        "eos_token_id": [1, 106], "initializer_range": 0.02, "model_type": "gemma3",
        "text_config": {
            "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
            "num_hidden_layers": 6, "rope_scaling": { "factor": 8.0, "rope_type": "linear" },
            "sliding_window": 1024, "other": 1,
        },
        "vision_config": { "hidden_size": 1152 },
    });
    let mut expected = expected3();
    (expected.hidden_size, expected.intermediate_size) = (2560, 10240);
    (expected.layers, expected.heads, expected.kv_heads) = (6, 8, 4);
    (expected.vocab_size, expected.max_positions) = (262208, 131072);
    expected.position = Position::Rope {
        theta: 1e6,
        scaling: RopeScaling::Linear { factor: 8.0 },
    };
    expected.attention.window = Some(Window {
        tokens: 1024,
        layers: vec![true, true, true, true, true, false],
        theta: Some(1e4),
    });
    expected.ends.embedding_scale = Some(2560f64.sqrt());
    let ignored = ["boi_token_index", "text_config.other", "vision_config"];
    let ignored = ignored.map(str::to_owned).to_vec();
    assert_eq!(parse(&config), (expected, ignored));
    let mut other = config.clone();
    other["text_config"]["model_type"] = json!("llama");
    let error = parse_config(other.to_string().as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("text_config.model_type"),
        "{error}"
    );
    let mut other = config.clone();
    other["text_config"]["attention_multiplier"] = json!(3);
    let error = parse_config(other.to_string().as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("text_config.attention_multiplier"),
        "{error}"
    );
    let mut other = config;
    other["text_config"] = json!(null);
    let error = parse_config(other.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InsufficientData);
}
