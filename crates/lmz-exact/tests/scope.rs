//! Models that the integer engine does not compute are refused by the name of the feature, as
//! checkpoints and as prepared models.

mod common;

use std::collections::HashMap;
use std::sync::LazyLock;

use common::{Model, ODD};
use lmz_exact::{ExactError, Prepared, prepare};
use lmz_model::{Blueprint, ErrorKind, parse_config};
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// A tiny model of another configuration; `null` removes a field.
fn model(changes: &Value) -> (Model, Blueprint) {
    let mut model = ODD.model(1);
    let config = model.config.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(config.remove(name)),
            value => drop(config.insert(name.clone(), value.clone())),
        }
    }
    let text = model.config.to_string();
    let blueprint = parse_config(text.as_bytes()).unwrap().blueprint;
    let filled = |shape: &[usize]| vec![0.5; shape.iter().product()];
    model.tensors = blueprint
        .tensors()
        .into_iter()
        .map(|spec| (spec.name, (spec.shape.clone(), filled(&spec.shape))))
        .collect();
    (model, blueprint)
}

/// A prepared model that claims to be another.
fn claiming(blueprint: &Blueprint) -> Result<Prepared, ExactError> {
    static PREPARED: LazyLock<Prepared> = LazyLock::new(|| ODD.prepared(1, "scope-prepared"));
    let bytes = PREPARED.as_bytes();
    let (_, index) = SafeTensors::read_metadata(bytes).unwrap();
    let text = &index.metadata().as_ref().unwrap()["lmzm"];
    let mut metadata: Value = serde_json::from_str(text).unwrap();
    metadata["blueprint"] = blueprint.canonical_json().into();
    let metadata = HashMap::from([("lmzm".to_owned(), metadata.to_string())]);
    let tensors = SafeTensors::deserialize(bytes).unwrap().tensors();
    Prepared::from_bytes(safetensors::serialize(tensors, Some(metadata)).unwrap())
}

#[test]
fn what_the_engine_does_not_do_is_refused_by_name() {
    let family = |architecture: &str, kind: &str, more: Value| {
        let mut config = json!({ "architectures": [architecture], "model_type": kind });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    };
    let plain = json!({ "rope_scaling": null, "head_dim": null, "rms_norm_eps": null,
        "num_attention_heads": 3, "num_key_value_heads": null });
    let cases = [
        (json!({ "hidden_act": "gelu" }), "SiLU"),
        (json!({ "attention_bias": true }), "biases of query"),
        (json!({ "mlp_bias": true }), "biases of the feed-forward"),
        (
            family(
                "MistralForCausalLM",
                "mistral",
                json!({ "sliding_window": 64 }),
            ),
            "sliding-window",
        ),
        (
            family("Qwen2ForCausalLM", "qwen2", json!({})),
            "biases of query",
        ),
        (
            family("Qwen3ForCausalLM", "qwen3", json!({})),
            "norms of queries",
        ),
        (
            family("Olmo2ForCausalLM", "olmo2", json!({})),
            "norms after",
        ),
        (
            family(
                "OlmoForCausalLM",
                "olmo",
                json!({ "head_dim": null, "rms_norm_eps": null,
                "num_attention_heads": 4, "num_key_value_heads": 4 }),
            ),
            "not a plain RMS norm",
        ),
        (
            family(
                "MixtralForCausalLM",
                "mixtral",
                json!({ "num_local_experts": 3 }),
            ),
            "sparse experts",
        ),
        (
            family("GPTNeoXForCausalLM", "gpt_neox", plain.clone()),
            "not a plain RMS norm",
        ),
        (
            family("PhiForCausalLM", "phi", plain),
            "not a plain RMS norm",
        ),
        (
            family(
                "GPT2LMHeadModel",
                "gpt2",
                json!({ "n_embd": 24, "n_head": 4, "n_layer": 1 }),
            ),
            "not a plain RMS norm",
        ),
        (
            family("GemmaForCausalLM", "gemma", json!({ "hidden_act": "gelu" })),
            "not a plain RMS norm",
        ),
    ];
    for (changes, feature) in cases {
        let (model, blueprint) = model(&changes);
        let checkpoint = model.open("scope");
        let refused = [
            prepare(&checkpoint, "m").map(drop),
            claiming(&blueprint).map(drop),
        ];
        for result in refused {
            let error = result.unwrap_err();
            assert!(matches!(error, ExactError::Unsupported(_)), "{error}");
            assert_eq!(error.kind(), ErrorKind::Compatibility);
            assert!(error.to_string().contains(feature), "{changes}: {error}");
        }
    }
    // A Mistral without its window is a Llama.
    let mut config = ODD.model(1).config;
    config["architectures"] = json!(["MistralForCausalLM"]);
    config["model_type"] = json!("mistral");
    config["sliding_window"] = json!(null);
    assert_eq!(parse(&config), parse(&ODD.model(1).config));
    claiming(&parse(&config)).unwrap();
}

fn parse(config: &Value) -> Blueprint {
    parse_config(config.to_string().as_bytes())
        .unwrap()
        .blueprint
}

/// Every single field beyond a Llama's, whatever family would set it.
#[test]
fn single_features_are_refused_in_prepared_models() {
    type Change = fn(&mut Blueprint);
    let cases: [(Change, &str); 8] = [
        (|b| b.attention.rotary_dim = Some(4), "partial rotation"),
        (
            |b| b.attention.scale = Some(0.25),
            "scale of attention scores",
        ),
        (
            |b| b.attention.softcap = Some(50.0),
            "soft cap on attention",
        ),
        (|b| b.attention.output_bias = true, "attention's output"),
        (|b| b.ends.embedding_scale = Some(2.0), "scaled embeddings"),
        (|b| b.ends.head_bias = true, "output head"),
        (|b| b.ends.softcap = Some(30.0), "soft cap on logits"),
        (
            |b| b.block.residual = lmz_model::Residual::Parallel,
            "parallel residual",
        ),
    ];
    for (change, feature) in cases {
        let mut blueprint = parse(&ODD.model(1).config);
        claiming(&blueprint).unwrap();
        change(&mut blueprint);
        let error = claiming(&blueprint).unwrap_err();
        assert!(matches!(error, ExactError::Unsupported(_)), "{error}");
        assert!(error.to_string().contains(feature), "{error}");
    }
}
