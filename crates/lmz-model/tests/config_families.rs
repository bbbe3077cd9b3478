//! `config.json` of Llama's relatives, in the words of their published files (transformers 4 and
//! before; what transformers 5 writes is in the fixtures of `families.rs`).

#[path = "common/configs.rs"]
mod configs;

use configs::{llama_like, parse, rope, window, with, without};
use lmz_model::{
    Attention, ErrorKind, FeedForwardKind, HeadNorm, Layout, Norm, NormPlacement, parse_config,
};
use serde_json::{Value, json};

fn mistral() -> Value {
    json!({
        "architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
        "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
        "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
        "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "transformers_version": "4.34.0.dev0", "use_cache": true, "vocab_size": 32000,
    })
}

#[test]
fn mistral_and_mixtral() {
    let mut expected = llama_like(4096, 14336, 32, 32, 32000);
    expected.kv_heads = 8;
    expected.max_positions = 32768;
    expected.norm = Norm::RmsNorm { eps: 1e-5 };
    expected.start_token = 1;
    expected.attention.window = window(4096, vec![]);
    assert_eq!(parse(&mistral()), (expected.clone(), vec![]));
    // Absence is the class's default, null is none.
    assert_eq!(parse(&without(mistral(), "sliding_window")).0, expected);
    assert_eq!(
        parse(&without(mistral(), "num_key_value_heads")).0,
        expected
    );
    expected.attention.window = None;
    let none = with(mistral(), json!({ "sliding_window": null }));
    assert_eq!(parse(&none).0, expected);
    expected.kv_heads = 32;
    let none = with(none, json!({ "num_key_value_heads": null }));
    assert_eq!(parse(&none).0, expected);

    expected.kv_heads = 8;
    expected.layout = Layout::Mixtral;
    expected.position = rope(1e6);
    expected.feed_forward.kind = FeedForwardKind::Experts {
        count: 8,
        chosen: 2,
    };
    let mixtral = with(
        without(without(mistral(), "rope_theta"), "sliding_window"),
        json!({
            "architectures": ["MixtralForCausalLM"], "model_type": "mixtral",
            "num_experts_per_tok": 2, "num_local_experts": 8, "output_router_logits": false,
            "router_aux_loss_coef": 0.02, "attention_dropout": 0.0,
        }),
    );
    assert_eq!(parse(&mixtral), (expected, vec![]));
    for (count, chosen) in [(0, 1), (4, 0), (4, 5), (5000, 2)] {
        let changes = json!({ "num_local_experts": count, "num_experts_per_tok": chosen });
        let config = with(mixtral.clone(), changes).to_string();
        let error = parse_config(config.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    }
}

#[test]
fn qwen() {
    let config = json!({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896,
        "initializer_range": 0.02, "intermediate_size": 4864, "max_position_embeddings": 32768,
        "max_window_layers": 2, "model_type": "qwen2", "num_attention_heads": 14,
        "num_hidden_layers": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0, "sliding_window": 1024, "tie_word_embeddings": true,
        "use_mrope": false, "use_sliding_window": false, "vocab_size": 151936,
    });
    let mut expected = llama_like(896, 4864, 4, 14, 151936);
    expected.kv_heads = 2;
    expected.max_positions = 32768;
    expected.position = rope(1e6);
    expected.tied_head = true;
    expected.start_token = 151643;
    expected.attention.input_bias = true;
    assert_eq!(parse(&config), (expected.clone(), vec!["use_mrope".into()]));
    let used = with(config.clone(), json!({ "use_sliding_window": true }));
    expected.attention.window = window(1024, vec![false, false, true, true]);
    assert_eq!(parse(&used).0, expected);
    let listed = json!({ "use_sliding_window": true, "layer_types":
        ["sliding_attention", "full_attention", "sliding_attention", "full_attention"] });
    expected.attention.window = window(1024, vec![true, false, true, false]);
    assert_eq!(parse(&with(config.clone(), listed.clone())).0, expected);
    let all = json!({ "use_sliding_window": true, "max_window_layers": 0 });
    expected.attention.window = window(1024, vec![]);
    assert_eq!(parse(&with(config.clone(), all)).0, expected);

    for (changes, kind, blamed) in [
        (
            json!({ "layer_types": ["full_attention"] }),
            ErrorKind::Corruption,
            "layer_types",
        ),
        (
            json!({ "layer_types": "full" }),
            ErrorKind::Corruption,
            "layer_types",
        ),
        (
            json!({ "layer_types": ["full_attention", "linear_attention", "a", "b"] }),
            ErrorKind::Compatibility,
            "linear_attention",
        ),
        (
            json!({ "sliding_window": null }),
            ErrorKind::InsufficientData,
            "sliding_window",
        ),
        (
            json!({ "sliding_window": 0 }),
            ErrorKind::Corruption,
            "window.tokens",
        ),
        (
            json!({ "num_hidden_layers": 1u64 << 40, "layer_types": null }),
            ErrorKind::Corruption,
            "layers",
        ),
    ] {
        let config = with(config.clone(), listed.clone());
        let error = parse_config(with(config, changes).to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(blamed), "{error}");
    }

    let third = with(
        without(config, "bos_token_id"),
        json!({ "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
            "attention_bias": false }),
    );
    expected.attention = Attention {
        head_norm: HeadNorm::PerHead,
        ..Attention::default()
    };
    expected.head_dim = 128;
    assert_eq!(parse(&third).0, expected);
    let biased = json!({ "attention_bias": true, "head_dim": 64 });
    expected.head_dim = 64;
    expected.attention.input_bias = true;
    expected.attention.output_bias = true;
    assert_eq!(parse(&with(third, biased)).0, expected);
}

#[test]
fn olmo() {
    let config = json!({
        "architectures": ["OlmoForCausalLM"], "attention_bias": false, "clip_qkv": null,
        "eos_token_id": 50279, "hidden_act": "silu", "hidden_size": 2048,
        "intermediate_size": 8192, "max_position_embeddings": 2048, "model_type": "olmo",
        "num_attention_heads": 16, "num_hidden_layers": 16, "num_key_value_heads": 16,
        "pad_token_id": 1, "rope_theta": 10000.0, "tie_word_embeddings": true,
        "vocab_size": 50304,
    });
    let mut expected = llama_like(2048, 8192, 16, 16, 50304);
    expected.norm = Norm::BareLayerNorm { eps: 1e-5 };
    expected.tied_head = true;
    expected.start_token = 50279;
    assert_eq!(parse(&config), (expected.clone(), vec![]));
    let clipped = with(config.clone(), json!({ "clip_qkv": 8.0 })).to_string();
    let error = parse_config(clipped.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Compatibility);
    assert!(error.to_string().contains("clip_qkv"), "{error}");

    let second = json!({ "architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2" });
    expected.norm = Norm::RmsNorm { eps: 1e-5 };
    expected.block.norms = NormPlacement::After;
    expected.attention.head_norm = HeadNorm::Whole;
    assert_eq!(parse(&with(config, second)).0, expected);
}
