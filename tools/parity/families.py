"""The families of the parity fixtures: for each, the classes of transformers and the fields of its configuration.

Every field that changes the mathematics of a family has a value here that a reader cannot guess: sizes that divide
each other in no other way, windows shorter than the sequences, scalings that matter within 40 tokens, epsilons that show.
"""

SEQUENCE, WINDOW = 40, 9
COMMON = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, vocab_size=101, max_position_embeddings=64,
              bos_token_id=1, eos_token_id=2, pad_token_id=None)
LLAMA = dict(COMMON, intermediate_size=44, num_key_value_heads=2, rms_norm_eps=1e-3)
GPT2 = dict(n_embd=32, n_layer=2, n_head=4, n_positions=48, vocab_size=97, bos_token_id=96, eos_token_id=96,
            layer_norm_epsilon=1e-3)


def of(prefix, **fields):
    return prefix, fields


FAMILIES = {
    "llama": of("Llama", **dict(LLAMA, tie_word_embeddings=True)),
    # The head's width is not hidden / heads; biases where a few Llamas have them.
    "llama3": of("Llama", **dict(LLAMA, head_dim=12, attention_bias=True, mlp_bias=True, rope_parameters=dict(
        rope_type="llama3", rope_theta=5000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=32))),
    "llama_linear": of("Llama", **dict(LLAMA, num_key_value_heads=1,
                                       rope_parameters=dict(rope_type="linear", rope_theta=1000.0, factor=2.5))),
    "mistral": of("Mistral", **dict(LLAMA, sliding_window=WINDOW)),
    "qwen2": of("Qwen2", **dict(LLAMA, num_hidden_layers=3, use_sliding_window=True, sliding_window=WINDOW,
                                max_window_layers=1, tie_word_embeddings=True)),
    "qwen3": of("Qwen3", **dict(LLAMA, head_dim=16, tie_word_embeddings=True,
                                rope_parameters=dict(rope_type="default", rope_theta=1e6))),
    "gpt2": of("GPT2LMHead", **GPT2),
    "gpt_neox": of("GPTNeoX", **dict(COMMON, intermediate_size=100, layer_norm_eps=1e-3, vocab_size=112,
                                     rope_parameters=dict(rope_type="default", rope_theta=3000.0,
                                                          partial_rotary_factor=0.25))),
    "gpt_neox_sequential": of("GPTNeoX", **dict(COMMON, intermediate_size=100, use_parallel_residual=False,
                                                hidden_act="gelu_fast", rope_parameters=dict(
                                                    rope_type="default", rope_theta=10000.0,
                                                    partial_rotary_factor=0.5))),
    "gpt_bigcode": of("GPTBigCode", **dict(GPT2, multi_query=True, n_inner=96)),
    "gpt_bigcode_heads": of("GPTBigCode", **dict(GPT2, multi_query=False)),
    "starcoder2": of("Starcoder2", **dict(COMMON, intermediate_size=96, num_key_value_heads=2, norm_epsilon=1e-3,
                                          sliding_window=WINDOW, use_bias=True)),
    "falcon": of("Falcon", **dict(COMMON, multi_query=True, parallel_attn=True, new_decoder_architecture=False,
                                  bias=False, layer_norm_epsilon=1e-3)),
    "falcon40b": of("Falcon", **dict(COMMON, num_kv_heads=2, parallel_attn=True, new_decoder_architecture=True,
                                     bias=False, ffn_hidden_size=112)),
    # One norm for both halves, as the 11B has it.
    "falcon11b": of("Falcon", **dict(COMMON, num_kv_heads=2, parallel_attn=True, new_decoder_architecture=True,
                                     num_ln_in_parallel_attn=1, bias=True, ffn_hidden_size=96,
                                     tie_word_embeddings=False)),
    "falcon_sequential": of("Falcon", **dict(COMMON, multi_query=False, parallel_attn=False,
                                             new_decoder_architecture=False, bias=True, ffn_hidden_size=96)),
    "phi": of("Phi", **dict(COMMON, intermediate_size=96, layer_norm_eps=1e-3, rope_parameters=dict(
        rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5))),
    "gemma": of("Gemma", **dict(LLAMA, num_key_value_heads=1, head_dim=16, hidden_act="gelu_pytorch_tanh")),
    "gemma2": of("Gemma2", **dict(LLAMA, num_hidden_layers=3, intermediate_size=36, head_dim=12, sliding_window=WINDOW,
                                  query_pre_attn_scalar=20, attn_logit_softcapping=4.0, final_logit_softcapping=6.0)),
    # Three windowed layers, one global: the pattern of the family, shortened.
    "gemma3_text": of("Gemma3", **dict(
        LLAMA, num_hidden_layers=4, intermediate_size=28, head_dim=8, num_key_value_heads=1, sliding_window=WINDOW,
        query_pre_attn_scalar=12,
        layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters=dict(
            full_attention=dict(rope_type="linear", rope_theta=1e5, factor=8.0),
            sliding_attention=dict(rope_type="default", rope_theta=1e3)))),
    "olmo": of("Olmo", **dict(COMMON, intermediate_size=44, num_key_value_heads=2, vocab_size=104)),
    "olmo2": of("Olmo2", **LLAMA),
    "mixtral": of("Mixtral", **dict(LLAMA, intermediate_size=24, num_local_experts=4, num_experts_per_tok=2,
                                    sliding_window=None)),
}

CONFIG_CLASS = {"GPT2LMHead": "GPT2Config", "Gemma3": "Gemma3TextConfig"}
MODEL_CLASS = {"GPT2LMHead": "GPT2LMHeadModel"}


def classes(prefix):
    """Names of the configuration's and the model's class."""
    return CONFIG_CLASS.get(prefix, prefix + "Config"), MODEL_CLASS.get(prefix, prefix + "ForCausalLM")
