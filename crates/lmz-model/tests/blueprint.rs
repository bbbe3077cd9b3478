//! Bounds and combinations of a blueprint, from a source that is not trusted.

use std::path::Path;

use lmz_model::{
    Blueprint, ErrorKind, FeedForwardKind, HeadNorm, Layout, ModelError, Network, Norm,
    NormPlacement, Position, Residual, Window,
};

fn of(name: &str) -> Blueprint {
    let families = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/families");
    Network::open(families.join(name)).unwrap().blueprint
}

#[test]
fn impossible_blueprints_are_refused_by_field() {
    type Change = fn(&mut Blueprint);
    let window = |tokens, layers, theta| {
        Some(Window {
            tokens,
            layers,
            theta,
        })
    };
    let cases: &[(&str, &str, Change)] = &[
        ("llama", "attention.rotary_dim", |b| {
            b.attention.rotary_dim = Some(0)
        }),
        ("llama", "attention.rotary_dim", |b| {
            b.attention.rotary_dim = Some(3)
        }),
        ("llama", "attention.rotary_dim", |b| {
            b.attention.rotary_dim = Some(10)
        }),
        ("gpt2", "attention.rotary_dim", |b| {
            b.attention.rotary_dim = Some(4)
        }),
        ("gpt2", "max_positions", |b| b.max_positions = 1 << 21),
        ("llama", "attention.scale", |b| {
            b.attention.scale = Some(0.0)
        }),
        ("llama", "attention.scale", |b| {
            b.attention.scale = Some(f64::NAN)
        }),
        ("llama", "attention.softcap", |b| {
            b.attention.softcap = Some(-1.0)
        }),
        ("llama", "ends.softcap", |b| {
            b.ends.softcap = Some(f64::INFINITY)
        }),
        ("llama", "ends.embedding_scale", |b| {
            b.ends.embedding_scale = Some(1e7)
        }),
        ("mixtral", "feed_forward.kind.count", |b| {
            b.feed_forward.kind = FeedForwardKind::Experts {
                count: 1 << 40,
                chosen: 1,
            };
        }),
        ("mixtral", "feed_forward.kind.chosen", |b| {
            b.feed_forward.kind = FeedForwardKind::Experts {
                count: 4,
                chosen: 5,
            };
        }),
        ("mixtral", "layers * experts", |b| {
            b.layers = 1000;
            b.feed_forward.kind = FeedForwardKind::Experts {
                count: 100,
                chosen: 5,
            };
        }),
        ("mixtral", "feed_forward.bias", |b| {
            b.feed_forward.bias = true
        }),
        ("gpt_neox", "attention.head_norm", |b| {
            b.attention.head_norm = HeadNorm::PerHead
        }),
        ("olmo2", "block.residual", |b| {
            b.block.residual = Residual::Parallel
        }),
        ("phi", "block.residual", |b| {
            b.block.norms = NormPlacement::Around
        }),
        ("llama", "layout", |b| b.layout = Layout::Gpt2),
        ("llama", "layout", |b| b.position = Position::Learned),
        ("llama", "layout", |b| {
            b.feed_forward.kind = FeedForwardKind::Experts {
                count: 2,
                chosen: 1,
            }
        }),
        ("gpt2", "layout", |b| {
            b.feed_forward.kind = FeedForwardKind::Gated
        }),
        ("falcon", "layout", |b| b.ends.head_bias = true),
        ("gpt_neox", "norm.eps", |b| {
            b.norm = Norm::LayerNorm { eps: 0.0 }
        }),
    ];
    for &(name, field, change) in cases {
        let mut blueprint = of(name);
        blueprint.validate().unwrap();
        change(&mut blueprint);
        refused(&blueprint, field);
    }
    for (field, changed) in [
        ("attention.window.tokens", window(0, vec![], None)),
        ("attention.window.tokens", window(1 << 30, vec![], None)),
        ("attention.window.layers", window(8, vec![true], None)),
        ("attention.window.layers", window(8, vec![true; 3], None)),
        ("attention.window.theta", window(8, vec![], Some(0.5))),
    ] {
        let mut blueprint = of("mistral");
        blueprint.attention.window = changed;
        refused(&blueprint, field);
    }
    let mut blueprint = of("gpt2");
    blueprint.attention.window = window(8, vec![], Some(1e4));
    refused(&blueprint, "attention.window.theta");
}

fn refused(blueprint: &Blueprint, wanted: &str) {
    let error = blueprint.validate().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    match error {
        ModelError::Blueprint { field, .. } => assert_eq!(field, wanted, "{blueprint:?}"),
        other => panic!("{other}"),
    }
    // NaN and infinity have no JSON; all else comes back as the same error.
    let json = blueprint.canonical_json();
    Blueprint::from_canonical_json(json.as_bytes()).unwrap_err();
}

/// The form that is hashed: nothing of the newer fields in a plain Llama, and never a default.
#[test]
fn defaults_are_left_out() {
    let json = of("llama").canonical_json();
    assert!(
        json.ends_with(r#""activation":"silu","tied_head":true,"start_token":1}"#),
        "{json}"
    );
    let json = of("gemma3_text").canonical_json();
    let end = concat!(
        r#""block":{"norms":"around"},"attention":{"head_norm":"per_head","#,
        r#""scale":0.28867513459481287,"#,
        r#""window":{"tokens":9,"layers":[true,true,false,true],"theta":1000.0}},"#,
        r#""ends":{"embedding_scale":5.656854249492381}}"#,
    );
    assert!(json.ends_with(end), "{json}");
}
