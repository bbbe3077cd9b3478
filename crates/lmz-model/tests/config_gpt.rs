//! `config.json` of the families after GPT-2, in the words of their published files.

#[path = "common/configs.rs"]
mod configs;

use configs::{llama_like, parse, plain, rope, window, with, without};
use lmz_model::{Activation, Attention, ErrorKind, Layout, Position, Residual, parse_config};
use serde_json::json;

#[test]
fn gpt2_and_bigcode() {
    // As published in 2019.
    let gpt2 = json!({
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1, "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "gpt2",
        "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
        "resid_pdrop": 0.1, "summary_activation": null, "summary_first_dropout": 0.1,
        "summary_proj_to_labels": true, "summary_type": "cls_index", "summary_use_proj": true,
        "task_specific_params": { "text-generation": { "do_sample": true, "max_length": 50 } },
        "vocab_size": 50257,
    });
    let base = llama_like(768, 3072, 12, 12, 50257);
    let mut expected = plain(base, Layout::Gpt2, Activation::GeluTanh);
    expected.max_positions = 1024;
    expected.position = Position::Learned;
    expected.tied_head = true;
    expected.start_token = 50256;
    assert_eq!(parse(&gpt2), (expected.clone(), vec![]));
    assert_eq!(parse(&without(gpt2.clone(), "bos_token_id")).0, expected);
    expected.attention.scale = Some(1.0);
    let unscaled = with(gpt2.clone(), json!({ "scale_attn_weights": false }));
    assert_eq!(parse(&unscaled).0, expected);
    expected.attention.scale = None;
    for (name, value) in [
        ("scale_attn_by_inverse_layer_idx", json!(true)),
        ("add_cross_attention", json!(true)),
        ("activation_function", json!("quick_gelu")),
    ] {
        let config = with(gpt2.clone(), json!({ name: value })).to_string();
        let error = parse_config(config.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compatibility, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }

    let bigcode = with(
        gpt2,
        json!({
            "architectures": ["GPTBigCodeForCausalLM"], "model_type": "gpt_bigcode",
            "activation_function": "gelu", "attention_softmax_in_fp32": true, "multi_query": true,
            "scale_attention_softmax_in_fp32": true, "n_inner": 2000, "inference_runner": 0,
        }),
    );
    expected.layout = Layout::GptBigCode;
    expected.activation = Activation::Gelu;
    expected.intermediate_size = 2000;
    expected.kv_heads = 1;
    let ignored = vec!["inference_runner".to_owned()];
    assert_eq!(parse(&bigcode), (expected.clone(), ignored));
    expected.kv_heads = 12;
    let heads = with(bigcode, json!({ "multi_query": false }));
    assert_eq!(parse(&heads).0, expected);
    let wrong = with(heads, json!({ "num_key_value_heads": 3 })).to_string();
    assert_eq!(
        parse_config(wrong.as_bytes()).unwrap_err().kind(),
        ErrorKind::Corruption
    );
}

#[test]
fn gpt_neox_and_phi() {
    // Pythia 160M.
    let pythia = json!({
        "architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0,
        "hidden_act": "gelu", "hidden_size": 768, "initializer_range": 0.02,
        "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048,
        "model_type": "gpt_neox", "num_attention_heads": 12, "num_hidden_layers": 12,
        "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": false,
        "torch_dtype": "float16", "use_cache": true, "use_parallel_residual": true,
        "vocab_size": 50304,
    });
    let base = llama_like(768, 3072, 12, 12, 50304);
    let mut expected = plain(base, Layout::GptNeox, Activation::Gelu);
    expected.attention.rotary_dim = Some(16);
    expected.block.residual = Residual::Parallel;
    assert_eq!(parse(&pythia), (expected.clone(), vec![]));
    assert_eq!(parse(&without(pythia.clone(), "rotary_pct")).0, expected);
    let whole = json!({ "rotary_pct": 1.0, "rotary_emb_base": 500, "use_parallel_residual": false,
        "attention_bias": false });
    expected.attention = Attention::default();
    expected.block.residual = Residual::Sequential;
    expected.position = rope(500.0);
    assert_eq!(parse(&with(pythia.clone(), whole)).0, expected);
    for (name, value) in [
        ("rotary_pct", json!(0.3)),
        ("rotary_pct", json!(1.5)),
        ("rotary_pct", json!(-1)),
        ("rotary_pct", json!(0.0)),
        ("rope_theta", json!(7)),
    ] {
        let config = with(pythia.clone(), json!({ name: value })).to_string();
        let error = parse_config(config.as_bytes()).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Corruption,
            "{name} = {value}: {error}"
        );
    }

    // Phi 2: 0.4 of 80 elements rotate.
    let phi = json!({
        "architectures": ["PhiForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 50256,
        "embd_pdrop": 0.0, "eos_token_id": 50256, "hidden_act": "gelu_new", "hidden_size": 2560,
        "intermediate_size": 10240, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048,
        "model_type": "phi", "num_attention_heads": 32, "num_hidden_layers": 32,
        "num_key_value_heads": 32, "partial_rotary_factor": 0.4, "qk_layernorm": false,
        "resid_pdrop": 0.1, "rope_scaling": null, "rope_theta": 10000.0,
        "tie_word_embeddings": false, "vocab_size": 51200,
    });
    let base = llama_like(2560, 10240, 32, 32, 51200);
    let mut expected = plain(base, Layout::Phi, Activation::GeluTanh);
    expected.attention.rotary_dim = Some(32);
    expected.block.residual = Residual::ParallelSharedNorm;
    expected.ends.head_bias = true;
    expected.start_token = 50256;
    assert_eq!(parse(&phi), (expected, vec![]));
    let normed = with(phi, json!({ "qk_layernorm": true })).to_string();
    let error = parse_config(normed.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("qk_layernorm"), "{error}");
}

#[test]
fn starcoder2() {
    let config = json!({
        "activation_function": "gelu", "architectures": ["Starcoder2ForCausalLM"],
        "attention_dropout": 0.1, "attention_softmax_in_fp32": true, "bos_token_id": 0,
        "embedding_dropout": 0.1, "eos_token_id": 0, "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 3072, "initializer_range": 0.018042, "intermediate_size": 12288,
        "layer_norm_epsilon": 1e-05, "max_position_embeddings": 16384, "mlp_type": "default",
        "model_type": "starcoder2", "norm_epsilon": 1e-05, "norm_type": "layer_norm",
        "num_attention_heads": 24, "num_hidden_layers": 30, "num_key_value_heads": 2,
        "residual_dropout": 0.1, "rope_theta": 999999.4420358813,
        "scale_attention_softmax_in_fp32": true, "scale_attn_weights": true,
        "sliding_window": 4096, "use_bias": true, "vocab_size": 49152,
    });
    let base = llama_like(3072, 12288, 30, 24, 49152);
    let mut expected = plain(base, Layout::Starcoder2, Activation::GeluTanh);
    expected.kv_heads = 2;
    expected.max_positions = 16384;
    expected.position = rope(999999.4420358813);
    expected.tied_head = true;
    expected.attention.window = window(4096, vec![]);
    assert_eq!(parse(&config), (expected, vec![]));
    let other = with(config, json!({ "norm_type": "rms_norm" })).to_string();
    let error = parse_config(other.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Compatibility);
}

#[test]
fn falcon() {
    let seven = json!({
        "alibi": false, "apply_residual_connection_post_layernorm": false,
        "architectures": ["FalconForCausalLM"], "attention_dropout": 0.0,
        "auto_map": { "AutoConfig": "configuration_falcon.FalconConfig" }, "bias": false,
        "bos_token_id": 11, "eos_token_id": 11, "hidden_dropout": 0.0, "hidden_size": 4544,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "falcon",
        "multi_query": true, "new_decoder_architecture": false, "num_attention_heads": 71,
        "num_hidden_layers": 32, "num_kv_heads": 71, "parallel_attn": true,
        "torch_dtype": "bfloat16", "vocab_size": 65024,
    });
    let base = llama_like(4544, 4 * 4544, 32, 71, 65024);
    let mut expected = plain(base, Layout::Falcon, Activation::Gelu);
    expected.attention = Attention::default();
    expected.feed_forward.bias = false;
    expected.block.residual = Residual::ParallelSharedNorm;
    expected.kv_heads = 1;
    expected.tied_head = true;
    expected.start_token = 11;
    assert_eq!(parse(&seven), (expected.clone(), vec![]));

    let forty = with(
        seven.clone(),
        json!({ "hidden_size": 8192, "new_decoder_architecture": true,
            "num_attention_heads": 128, "num_hidden_layers": 60, "num_kv_heads": 8 }),
    );
    (expected.hidden_size, expected.intermediate_size) = (8192, 4 * 8192);
    (expected.heads, expected.kv_heads, expected.layers) = (128, 8, 60);
    expected.head_dim = 64;
    expected.block.residual = Residual::Parallel;
    assert_eq!(parse(&forty).0, expected);
    let one_norm = with(forty.clone(), json!({ "num_ln_in_parallel_attn": 1 }));
    expected.block.residual = Residual::ParallelSharedNorm;
    assert_eq!(parse(&one_norm).0, expected);

    for (config, changes, blamed) in [
        (&seven, json!({ "alibi": true }), "alibi"),
        (
            &seven,
            json!({ "apply_residual_connection_post_layernorm": true }),
            "apply_residual",
        ),
        (&seven, json!({ "num_ln_in_parallel_attn": 2 }), "num_ln"),
        (&forty, json!({ "num_ln_in_parallel_attn": 3 }), "num_ln"),
        (&forty, json!({ "parallel_attn": false }), "parallel_attn"),
    ] {
        let config = with(config.clone(), changes).to_string();
        let error = parse_config(config.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compatibility, "{error}");
        assert!(error.to_string().contains(blamed), "{error}");
    }
}
