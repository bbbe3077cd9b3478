//! Every field of every family's configuration with every kind of wrong value: an error or a
//! blueprint that holds, never a panic.

use std::path::Path;

use lmz_model::{Blueprint, parse_config};
use serde_json::{Value, json};

#[test]
fn any_field_may_hold_anything() {
    let families = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/families");
    let odd = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(3),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!(0.4999),
        json!(""),
        json!("gelu"),
        json!([]),
        json!([null, {}]),
        json!(["sliding_attention"]),
        json!({}),
        json!({ "rope_type": "linear", "factor": 1e5, "partial_rotary_factor": 1e9 }),
        json!({ "full_attention": {}, "sliding_attention": null }),
    ];
    let (mut good, mut bad) = (0, 0);
    let mut check = |config: &Value| match parse_config(config.to_string().as_bytes()) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            bad += 1;
        }
        Ok(parsed) => {
            let json = parsed.blueprint.canonical_json();
            let again = Blueprint::from_canonical_json(json.as_bytes()).unwrap();
            assert_eq!(again, parsed.blueprint);
            assert!(!parsed.blueprint.tensors().is_empty());
            good += 1;
        }
    };
    for entry in std::fs::read_dir(families).unwrap() {
        let text = std::fs::read(entry.unwrap().path().join("config.json")).unwrap();
        let plain: Value = serde_json::from_slice(&text).unwrap();
        check(&plain);
        for name in plain.as_object().unwrap().keys() {
            let mut absent = plain.clone();
            absent.as_object_mut().unwrap().remove(name);
            check(&absent);
            for value in &odd {
                let mut config = plain.clone();
                config[name] = value.clone();
                check(&config);
                let mut nested = json!({ "architectures": ["Gemma3ForConditionalGeneration"] });
                config["model_type"] = json!("gemma3_text");
                nested["text_config"] = config;
                check(&nested);
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} {bad}");
}
