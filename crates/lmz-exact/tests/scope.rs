//! Models that the integer engine does not compute are refused by the name of the feature, as
//! checkpoints and as prepared models.

use std::collections::HashMap;
use std::sync::LazyLock;

use lmz_exact::{Engine, ExactError, Kernel, Prepared, prepare};
use lmz_model::{Blueprint, ErrorKind, parse_config};
use lmz_testkit::engine::prepared;
use lmz_testkit::models::{Model, ODD};
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
    static PREPARED: LazyLock<Prepared> = LazyLock::new(|| prepared(ODD, 1));
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
    let gemma = |more: Value| {
        let mut config = json!({
            "architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2",
            "sliding_window": 64, "query_pre_attn_scalar": 8,
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    };
    let cases = [
        (
            json!({
                "architectures": ["MixtralForCausalLM"], "model_type": "mixtral",
                "num_local_experts": 3,
            }),
            "sparse experts",
        ),
        (
            gemma(json!({ "attn_logit_softcapping": 0.5 })),
            "a soft cap on attention scores outside",
        ),
        (
            gemma(json!({ "final_logit_softcapping": 20_000.0 })),
            "a soft cap on logits outside",
        ),
    ];
    for (changes, feature) in cases {
        let (model, blueprint) = model(&changes);
        let checkpoint = model.open();
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

/// Combinations that no family has.
#[test]
fn combinations_without_a_definition_are_refused_in_prepared_models() {
    type Change = fn(&mut Blueprint);
    let cases: [(Change, &str); 2] = [
        (
            |b| {
                b.norm = lmz_model::Norm::BareLayerNorm { eps: 1e-5 };
                b.block.norms = lmz_model::NormPlacement::Around;
            },
            "layer norms after",
        ),
        (
            |b| {
                b.heads = 512;
                b.head_dim = 128;
                b.attention.head_norm = lmz_model::HeadNorm::Whole;
            },
            "over more than 2^15",
        ),
    ];
    for (change, feature) in cases {
        let mut blueprint = parse(&ODD.model(1).config);
        change(&mut blueprint);
        let error = claiming(&blueprint).unwrap_err();
        assert!(matches!(error, ExactError::Unsupported(_)), "{error}");
        assert!(error.to_string().contains(feature), "{error}");
    }
}

/// A prepared Llama that claims to have more has not the tensors for it.
#[test]
fn features_without_their_tensors_are_damage() {
    type Change = fn(&mut Blueprint);
    let cases: [(Change, &str); 8] = [
        (|b| b.attention.input_bias = true, "qkv.b"),
        (|b| b.attention.output_bias = true, "o.b"),
        (|b| b.attention.softcap = Some(50.0), "scores.cap"),
        (|b| b.attention.rotary_dim = Some(4), "rope.freq"),
        (
            |b| b.attention.head_norm = lmz_model::HeadNorm::PerHead,
            "q_norm",
        ),
        (|b| b.ends.head_bias = true, "head.b"),
        (|b| b.ends.softcap = Some(30.0), "head.cap"),
        (
            |b| b.block.norms = lmz_model::NormPlacement::Around,
            "attn_post_norm",
        ),
    ];
    for (change, tensor) in cases {
        let mut blueprint = parse(&ODD.model(1).config);
        change(&mut blueprint);
        // Names of tensors that the checkpoint's layout lacks do not matter here.
        let Ok(prepared) = claiming(&blueprint) else {
            panic!("{tensor}: {}", claiming(&blueprint).unwrap_err());
        };
        let error = Engine::new(&prepared, Kernel::detect()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        assert!(error.to_string().contains(tensor), "{tensor}: {error}");
    }
}

/// Sizes beyond docs/numerics.md, section 2, are refused for their own sake, before a tensor is looked at.
#[test]
fn sizes_whose_sums_would_overflow_are_refused_by_name() {
    type Change = fn(&mut Blueprint, usize);
    // The largest that is allowed, and by how much it grows.
    let cases: [(Change, usize, usize, &str); 5] = [
        (|b, n| b.hidden_size = n, 1 << 15, 1, "hidden_size"),
        (
            |b, n| b.intermediate_size = n,
            1 << 18,
            1,
            "intermediate_size",
        ),
        (
            |b, n| (b.heads, b.kv_heads, b.head_dim) = (n, 1, 128),
            1 << 10,
            1,
            "heads",
        ),
        (
            |b, n| (b.heads, b.kv_heads, b.head_dim) = (n, 1, 512),
            1 << 8,
            1,
            "heads * head_dim",
        ),
        (|b, n| b.head_dim = n, 512, 2, "head_dim"),
    ];
    for (change, most, step, what) in cases {
        let load = |n: usize| {
            let mut blueprint = parse(&ODD.model(1).config);
            change(&mut blueprint, n);
            claiming(&blueprint).and_then(|prepared| Engine::new(&prepared, Kernel::detect()))
        };
        let error = load(most + step).unwrap_err();
        assert!(
            error.to_string().contains(&format!("{what} is ")),
            "{what}: {error}"
        );
        assert!(!error.to_string().contains("shape"), "{what}: {error}");
        // At the bound it is the tensors that do not fit.
        let error = load(most).unwrap_err();
        assert!(error.to_string().contains("shape"), "{what}: {error}");
    }
    // No head has an odd number of elements to rotate.
    let mut blueprint = parse(&ODD.model(1).config);
    blueprint.head_dim = 7;
    let error = claiming(&blueprint).unwrap_err();
    assert!(error.to_string().contains("must be even"), "{error}");
}
