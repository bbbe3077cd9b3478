//! `config.json`: every way of writing it, and every refusal.

use lmz_model::{
    Activation, Blueprint, ErrorKind, Norm, ParsedConfig, Position, Result, RopeScaling,
    parse_config,
};
use serde_json::{Value, json};

fn minimal() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "vocab_size": 1000,
    })
}

fn parse(changes: Value) -> Result<ParsedConfig> {
    let mut config = minimal();
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    parse_config(config.to_string().as_bytes())
}

fn blueprint(changes: Value) -> Blueprint {
    parse(changes).unwrap().blueprint
}

fn error(changes: Value) -> (ErrorKind, String) {
    let error = parse(changes).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn defaults() {
    let expected = Blueprint {
        hidden_size: 64,
        intermediate_size: 128,
        layers: 3,
        heads: 4,
        kv_heads: 4,
        head_dim: 16,
        vocab_size: 1000,
        max_positions: 2048,
        norm: Norm::RmsNorm { eps: 1e-6 },
        position: Position::Rope {
            theta: 10000.0,
            scaling: RopeScaling::None,
        },
        activation: Activation::Silu,
        tied_head: false,
        start_token: 0,
        layout: Default::default(),
        block: Default::default(),
        attention: Default::default(),
        feed_forward: Default::default(),
        ends: Default::default(),
    };
    assert_eq!(blueprint(json!({})), expected);
    let nulls = json!({
        "model_type": null, "num_key_value_heads": null, "head_dim": null, "rope_theta": null,
        "rms_norm_eps": null, "tie_word_embeddings": null, "hidden_act": null,
        "rope_scaling": null, "rope_parameters": null, "max_position_embeddings": null,
        "bos_token_id": null, "eos_token_id": null, "attention_bias": null, "sliding_window": null,
    });
    assert_eq!(blueprint(nulls), expected);
}

#[test]
fn every_field() {
    let all = parse(json!({
        "model_type": "llama", "num_key_value_heads": 2, "head_dim": 32, "rope_theta": 500000,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "hidden_act": "silu",
        "max_position_embeddings": 512, "bos_token_id": 7, "eos_token_id": [8, 9],
        "attention_bias": false, "mlp_bias": false, "pretraining_tp": 1, "sliding_window": null,
        "partial_rotary_factor": 1.0, "logit_scale": 1, "rope_interleaved": false,
        "quantization_config": null, "torch_dtype": "bfloat16", "dtype": "float16",
        "transformers_version": "5.0", "initializer_range": 0.02, "use_cache": true,
        "pad_token_id": null, "attention_dropout": 0.0,
    }));
    let all = all.unwrap();
    assert!(all.ignored_fields.is_empty(), "{:?}", all.ignored_fields);
    let expected = Blueprint {
        kv_heads: 2,
        head_dim: 32,
        max_positions: 512,
        norm: Norm::RmsNorm { eps: 1e-5 },
        position: Position::Rope {
            theta: 500000.0,
            scaling: RopeScaling::None,
        },
        tied_head: true,
        start_token: 7,
        ..blueprint(json!({}))
    };
    assert_eq!(all.blueprint, expected);
}

#[test]
fn start_tokens() {
    for (fields, expected) in [
        (json!({ "bos_token_id": 5, "eos_token_id": 6 }), 5),
        (json!({ "bos_token_id": [3, 5] }), 3),
        (json!({ "bos_token_id": null, "eos_token_id": 6 }), 6),
        (json!({ "bos_token_id": [], "eos_token_id": [4, 2] }), 4),
        (json!({}), 0),
    ] {
        assert_eq!(blueprint(fields).start_token, expected);
    }
}

#[test]
fn rope_in_all_forms() {
    let position = |changes| match blueprint(changes).position {
        Position::Rope { theta, scaling } => (theta, scaling),
        other => panic!("{other:?}"),
    };
    let linear = RopeScaling::Linear { factor: 4.0 };
    let llama3 = RopeScaling::Llama3 {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: 8192,
    };
    let llama3_fields = |kind: &str| {
        json!({ kind: "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192 })
    };
    let mut v5 = llama3_fields("rope_type");
    v5["rope_theta"] = json!(500000.0);
    for (changes, expected) in [
        (
            json!({ "rope_scaling": { "type": "linear", "factor": 4 } }),
            (1e4, linear),
        ),
        (
            json!({ "rope_scaling": { "rope_type": "linear", "factor": 4.0 } }),
            (1e4, linear),
        ),
        (
            json!({ "rope_scaling": { "rope_type": "linear", "type": "linear", "factor": 4.0 } }),
            (1e4, linear),
        ),
        (
            json!({ "rope_theta": 5e5, "rope_scaling": llama3_fields("type") }),
            (5e5, llama3),
        ),
        (
            json!({ "rope_theta": 5e5, "rope_scaling": llama3_fields("rope_type") }),
            (5e5, llama3),
        ),
        (json!({ "rope_parameters": v5 }), (5e5, llama3)),
        (
            json!({ "rope_theta": 5e5, "rope_parameters": v5, "rope_scaling": v5 }),
            (5e5, llama3),
        ),
        (
            json!({ "rope_parameters": { "rope_type": "default", "rope_theta": 77.0 } }),
            (77.0, RopeScaling::None),
        ),
        (
            json!({ "rope_parameters": { "rope_theta": 77.0 } }),
            (77.0, RopeScaling::None),
        ),
        (
            json!({ "rope_scaling": { "rope_type": "default" } }),
            (1e4, RopeScaling::None),
        ),
    ] {
        assert_eq!(position(changes.clone()), expected, "{changes}");
    }
    let extra = json!({ "rope_scaling": { "type": "linear", "factor": 4, "beta_fast": 32 } });
    assert_eq!(
        parse(extra).unwrap().ignored_fields,
        ["rope_scaling.beta_fast"]
    );
    for (changes, kind, name) in [
        (
            json!({ "type": "yarn", "factor": 4 }),
            ErrorKind::Compatibility,
            "yarn",
        ),
        (
            json!({ "rope_type": "dynamic", "factor": 4 }),
            ErrorKind::Compatibility,
            "dynamic",
        ),
        (
            json!({ "rope_type": "longrope" }),
            ErrorKind::Compatibility,
            "rope_scaling.rope_type",
        ),
        (
            json!({ "factor": 4 }),
            ErrorKind::InsufficientData,
            "rope_scaling.rope_type",
        ),
        (
            json!({ "type": "linear" }),
            ErrorKind::InsufficientData,
            "rope_scaling.factor",
        ),
        (
            json!({ "type": "linear", "rope_type": "llama3" }),
            ErrorKind::Corruption,
            "rope_scaling.rope_type",
        ),
        (
            json!({ "type": "default", "partial_rotary_factor": 0.5 }),
            ErrorKind::Compatibility,
            "rope_scaling.partial_rotary_factor",
        ),
        (
            json!({ "type": "linear", "factor": "4" }),
            ErrorKind::Corruption,
            "factor",
        ),
        (
            json!({ "type": "linear", "factor": 0.5 }),
            ErrorKind::Corruption,
            "factor",
        ),
        (
            json!({ "type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4,
                "original_max_position_embeddings": 1 }),
            ErrorKind::Corruption,
            "low_freq_factor",
        ),
        (json!([1]), ErrorKind::Corruption, "rope_scaling"),
    ] {
        let (found, message) = error(json!({ "rope_scaling": changes }));
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(name), "{message}");
    }
    let (_, message) =
        error(json!({ "rope_theta": 5.0, "rope_parameters": { "rope_theta": 77.0 } }));
    assert!(message.contains("rope_parameters.rope_theta"), "{message}");
    let (_, message) = error(json!({
        "rope_scaling": { "type": "linear", "factor": 4 },
        "rope_parameters": { "rope_type": "linear", "factor": 2 },
    }));
    assert!(message.contains("contradicts"), "{message}");
}

#[test]
fn unsupported_fields_are_refused_by_name() {
    for (name, value) in [
        ("architectures", json!(["MambaForCausalLM"])),
        ("architectures", json!("LlamaForCausalLM")),
        ("architectures", json!(["LlamaForCausalLM", "Other"])),
        ("architectures", json!([])),
        ("model_type", json!("mistral")),
        ("hidden_act", json!("quick_gelu")),
        ("pretraining_tp", json!(2)),
        ("quantization_config", json!({ "bits": 4 })),
        ("sliding_window", json!(4096)),
        ("logit_scale", json!(0.0625)),
        ("attn_logit_softcapping", json!(50.0)),
        ("final_logit_softcapping", json!(30.0)),
        ("attention_multiplier", json!(0.0078125)),
        ("residual_multiplier", json!(0.22)),
        ("embedding_multiplier", json!(12.0)),
        ("logits_scaling", json!(8.0)),
        ("partial_rotary_factor", json!(0.5)),
        ("num_local_experts", json!(8)),
        ("rope_interleaved", json!(true)),
    ] {
        let (kind, message) = error(json!({ name: value }));
        assert_eq!(kind, ErrorKind::Compatibility, "{message}");
        assert!(
            message.contains(name) && message.contains(&value.to_string()),
            "{message}"
        );
        assert!(message.contains("config.json"), "{message}");
    }
}

#[test]
fn unknown_fields_are_reported() {
    let parsed = parse(json!({ "zeta": 1, "alpha": { "x": 2 }, "none": null, "use_cache": true }));
    assert_eq!(parsed.unwrap().ignored_fields, ["alpha", "none", "zeta"]);
}

#[test]
fn missing_and_impossible_fields() {
    for name in [
        "architectures",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "vocab_size",
    ] {
        let (kind, message) = error(json!({ name: null }));
        assert_eq!(kind, ErrorKind::InsufficientData);
        assert!(message.contains(name), "{message}");
    }
    for (name, value, blamed) in [
        ("hidden_size", json!(-1), "hidden_size"),
        ("hidden_size", json!("64"), "hidden_size"),
        ("hidden_size", json!(64.5), "hidden_size"),
        ("hidden_size", json!(0), "hidden_size"),
        ("hidden_size", json!(1 << 17), "hidden_size"),
        ("hidden_size", json!(u64::MAX), "hidden_size"),
        ("hidden_size", json!(68), "head_dim"),
        ("intermediate_size", json!(1 << 19), "intermediate_size"),
        ("num_hidden_layers", json!(1025), "layers"),
        ("num_attention_heads", json!(0), "heads"),
        ("num_attention_heads", json!(1025), "heads"),
        ("num_key_value_heads", json!(3), "kv_heads"),
        ("num_key_value_heads", json!(8), "kv_heads"),
        ("num_key_value_heads", json!(0), "kv_heads"),
        ("head_dim", json!(514), "head_dim"),
        ("head_dim", json!(7), "head_dim"),
        ("vocab_size", json!((1 << 20) + 1), "vocab_size"),
        ("vocab_size", json!(0), "vocab_size"),
        ("max_position_embeddings", json!(0), "max_positions"),
        ("rms_norm_eps", json!(0.0), "eps"),
        ("rms_norm_eps", json!(-1e-5), "eps"),
        ("rms_norm_eps", json!([]), "rms_norm_eps"),
        ("rope_theta", json!(0), "theta"),
        ("rope_theta", json!(1e300), "theta"),
        ("bos_token_id", json!(1000), "start_token"),
        ("bos_token_id", json!(-1), "bos_token_id"),
        ("bos_token_id", json!([null]), "bos_token_id"),
        ("tie_word_embeddings", json!(1), "tie_word_embeddings"),
        ("hidden_act", json!(1), "hidden_act"),
    ] {
        let (kind, message) = error(json!({ name: value }));
        assert_eq!(kind, ErrorKind::Corruption, "{name} = {value}: {message}");
        assert!(message.contains(blamed), "{name} = {value}: {message}");
    }
    let wide = json!({ "num_attention_heads": 1024, "head_dim": 512 });
    assert!(error(wide).1.contains("heads * head_dim"));
}

#[test]
fn blueprints_survive_json_and_refuse_surprises() {
    // A value whose shortest decimal form needs an exact reader.
    for eps in [1e-5, 9.999_999_747_378_752e-6, 0.1 + 0.2, f64::MIN_POSITIVE] {
        let mut written = blueprint(json!({
            "rope_scaling": { "type": "llama3", "factor": 8, "low_freq_factor": 1.1,
                "high_freq_factor": 4.3, "original_max_position_embeddings": 81 },
        }));
        written.norm = Norm::RmsNorm { eps };
        let json = written.canonical_json();
        assert_eq!(serde_json::from_str::<Blueprint>(&json).unwrap(), written);
        assert_eq!(
            serde_json::from_str::<Blueprint>(&json)
                .unwrap()
                .canonical_json(),
            json
        );
    }
    let plain = blueprint(json!({}));
    let json = plain.canonical_json();
    let read = |json: &str| Blueprint::from_canonical_json(json.as_bytes());
    assert_eq!(read(&json).unwrap(), plain);
    for (old, new) in [
        (r#""layers":3"#, r#""layers":3,"surprise":1"#),
        (r#""kind":"rms_norm""#, r#""kind":"rms_norm","surprise":1"#),
        (r#""kind":"rms_norm""#, r#""kind":"layer_norms""#),
        (r#""activation""#, r#""layout":"llama","activation""#),
        (r#""start_token":0"#, r#""start_token":0,"layout":"gpt2""#),
        (r#""start_token":0"#, r#""start_token":0,"block":{}"#),
        (
            r#""start_token":0"#,
            r#""start_token":0,"attention":{"window":{"tokens":0}}"#,
        ),
        (r#""kind":"rope""#, r#""kind":"rope","surprise":1"#),
        (r#""kind":"none""#, r#""kind":"none","factor":2.0"#),
        (r#""layers":3"#, r#""layers": 3"#),
        (r#""layers":3"#, r#""layers":2000"#),
        (r#""layers":3,"#, ""),
        ("}", ""),
    ] {
        assert!(json.contains(old));
        let error = read(&json.replace(old, new)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{new}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let text = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/families/llama/config.json"
    ))
    .unwrap();
    let marked = [b"\xef\xbb\xbf".as_slice(), &text].concat();
    assert_eq!(parse_config(&marked).unwrap(), parse_config(&text).unwrap());
}
