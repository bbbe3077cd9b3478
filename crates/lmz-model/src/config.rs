//! `config.json` of a `LlamaForCausalLM`, turned into a [`Blueprint`].
//!
//! A field is read, known not to touch the forward pass, refused because it changes the
//! mathematics, or reported as ignored. Silence is not among the choices.

use serde_json::{Map, Value};

use crate::blueprint::{Activation, Blueprint, Norm, Position};
use crate::error::{ModelError, Result};
use crate::rope;

pub(crate) const CONFIG: &str = "config.json";

/// A configuration as read by [`parse_config`].
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedConfig {
    /// The model; it has passed [`Blueprint::validate`].
    pub blueprint: Blueprint,
    /// Fields of the file that this version does not know, sorted. None of them is known to
    /// change what a model computes.
    pub ignored_fields: Vec<String>,
}

/// Fields that concern training, loading or generation, never the forward pass.
const WITHOUT_EFFECT: &[&str] = &[
    "_name_or_path",
    "attention_dropout",
    "bad_words_ids",
    "chunk_size_feed_forward",
    "dtype",
    "eos_token_id",
    "finetuning_task",
    "id2label",
    "initializer_range",
    "is_decoder",
    "is_encoder_decoder",
    "is_llama_config",
    "label2id",
    "output_attentions",
    "output_hidden_states",
    "pad_token_id",
    "problem_type",
    "return_dict",
    "return_dict_in_generate",
    "task_specific_params",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "use_cache",
];

/// Fields with which other models change the mathematics, and the number, if any, with which
/// they leave it alone. `null` and `false` always do.
const CHANGES_MATHEMATICS: &[(&str, Option<f64>)] = &[
    ("add_cross_attention", None),
    ("alibi", None),
    ("attention_bias", None),
    ("attention_multiplier", None),
    ("attn_logit_softcapping", None),
    ("clip_qkv", None),
    ("compression_config", None),
    ("cross_attention_hidden_size", None),
    ("embedding_multiplier", Some(1.0)),
    ("final_logit_softcapping", None),
    ("layer_types", None),
    ("logit_scale", Some(1.0)),
    ("logits_scaling", Some(1.0)),
    ("mlp_bias", None),
    ("no_rope_layers", None),
    ("num_experts", Some(0.0)),
    ("num_experts_per_tok", Some(0.0)),
    ("num_local_experts", Some(0.0)),
    ("partial_rotary_factor", Some(1.0)),
    ("pretraining_tp", Some(1.0)),
    ("pruned_heads", None),
    ("qk_layernorm", None),
    ("qk_norm", None),
    ("quantization_config", None),
    ("query_pre_attn_scalar", None),
    ("residual_multiplier", Some(1.0)),
    ("rope_interleaved", None),
    ("rotary_pct", Some(1.0)),
    ("scale_depth", None),
    ("scale_emb", Some(1.0)),
    ("sliding_window", None),
    ("use_alibi", None),
    ("use_parallel_residual", None),
    ("use_qk_norm", None),
    ("use_sliding_window", None),
];

/// Reads the text of a `config.json`.
///
/// Fields that are absent or `null` have the values that transformers gives them:
/// `num_key_value_heads` = heads, `head_dim` = hidden / heads, `max_position_embeddings` 2048,
/// `rms_norm_eps` 1e-6, `rope_theta` 10000, `hidden_act` silu, `tie_word_embeddings` false. The
/// start token is `bos_token_id` (the first, of a list), else `eos_token_id`, else 0.
///
/// # Errors
/// Not JSON, a missing or impossible field, sizes out of bounds, or a field that asks for
/// something unsupported; each names the field.
pub fn parse_config(json: &[u8]) -> Result<ParsedConfig> {
    let map: Map<String, Value> = serde_json::from_slice(json).map_err(|e| ModelError::Json {
        file: CONFIG.into(),
        reason: e.to_string(),
    })?;
    let mut fields = Fields::new(String::new(), map);
    architecture(&mut fields)?;
    refuse_changed_mathematics(&mut fields)?;

    let hidden_size = fields.required("hidden_size")?;
    let heads = fields.required("num_attention_heads")?;
    let kv_heads = fields.uint("num_key_value_heads")?.unwrap_or(heads);
    let head_dim = match fields.uint("head_dim")? {
        Some(width) => width,
        None => hidden_size.checked_div(heads).unwrap_or(0),
    };
    match fields.text("hidden_act")?.as_deref() {
        None | Some("silu") => {}
        Some(other) => return Err(unsupported("hidden_act", &Value::from(other))),
    }
    let start_token = match (
        first_token(&mut fields, "bos_token_id")?,
        first_token(&mut fields, "eos_token_id")?,
    ) {
        (Some(token), _) | (None, Some(token)) => token,
        (None, None) => 0,
    };
    let max_positions = fields.uint("max_position_embeddings")?.unwrap_or(2048);
    let mut ignored = Vec::new();
    let (theta, scaling) = rope::read(&mut fields, &mut ignored)?;
    let blueprint = Blueprint {
        hidden_size,
        intermediate_size: fields.required("intermediate_size")?,
        layers: fields.required("num_hidden_layers")?,
        heads,
        kv_heads,
        head_dim,
        vocab_size: fields.required("vocab_size")?,
        max_positions,
        norm: Norm::RmsNorm {
            eps: fields.float("rms_norm_eps")?.unwrap_or(1e-6),
        },
        position: Position::Rope { theta, scaling },
        activation: Activation::Silu,
        tied_head: fields.flag("tie_word_embeddings")?.unwrap_or(false),
        start_token,
        layout: Default::default(),
        block: Default::default(),
        attention: Default::default(),
        feed_forward: Default::default(),
        ends: Default::default(),
    };
    blueprint.validate()?;
    ignored.extend(
        fields
            .into_names()
            .filter(|name| !WITHOUT_EFFECT.contains(&name.as_str())),
    );
    ignored.sort();
    Ok(ParsedConfig {
        blueprint,
        ignored_fields: ignored,
    })
}

fn architecture(fields: &mut Fields) -> Result<()> {
    match fields.take("architectures") {
        None => return Err(fields.missing("architectures")),
        Some(Value::Array(names)) if names == ["LlamaForCausalLM"] => {}
        Some(other) => return Err(unsupported("architectures", &other)),
    }
    match fields.take("model_type") {
        None => Ok(()),
        Some(Value::String(kind)) if kind == "llama" => Ok(()),
        Some(other) => Err(unsupported("model_type", &other)),
    }
}

fn refuse_changed_mathematics(fields: &mut Fields) -> Result<()> {
    for &(name, neutral) in CHANGES_MATHEMATICS {
        match fields.take(name) {
            None | Some(Value::Bool(false)) => {}
            Some(value) if neutral.is_some() && value.as_f64() == neutral => {}
            // An old release wrote the empty table for "none".
            Some(Value::Object(map)) if map.is_empty() => {}
            Some(value) => return Err(unsupported(name, &value)),
        }
    }
    Ok(())
}

/// A token id, or the first of a list of them.
fn first_token(fields: &mut Fields, name: &str) -> Result<Option<u32>> {
    let value = match fields.take(name) {
        Some(Value::Array(list)) => list.into_iter().next(),
        other => other,
    };
    match value {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(id) => Ok(Some(id)),
            None => Err(fields.invalid(name, "is not a token id")),
        },
    }
}

/// The error for a value that no engine here implements.
pub(crate) fn unsupported(field: &str, value: &Value) -> ModelError {
    let mut value = value.to_string();
    if value.len() > 200 {
        value = value.chars().take(200).chain("...".chars()).collect();
    }
    ModelError::Unsupported {
        file: CONFIG.into(),
        field: field.into(),
        value,
    }
}

/// The fields of one JSON object that have not been read yet. A `null` counts as absent.
pub(crate) struct Fields {
    prefix: String,
    map: Map<String, Value>,
}

impl Fields {
    /// `prefix` (empty, or ending in a dot) is put before names in errors.
    pub(crate) fn new(prefix: String, map: Map<String, Value>) -> Self {
        Self { prefix, map }
    }

    /// The full name of a field.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Removes a field.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// The full names of what is left.
    pub(crate) fn into_names(self) -> impl Iterator<Item = String> {
        let prefix = self.prefix;
        self.map
            .into_iter()
            .map(move |(name, _)| format!("{prefix}{name}"))
    }

    pub(crate) fn missing(&self, name: &str) -> ModelError {
        ModelError::MissingField {
            file: CONFIG.into(),
            field: self.path(name),
        }
    }

    pub(crate) fn invalid(&self, name: &str, reason: &str) -> ModelError {
        ModelError::InvalidField {
            file: CONFIG.into(),
            field: self.path(name),
            reason: reason.into(),
        }
    }

    fn typed<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(read) => Ok(Some(read)),
                None => Err(self.invalid(name, &format!("is not {kind}"))),
            },
        }
    }

    pub(crate) fn uint(&mut self, name: &str) -> Result<Option<usize>> {
        self.typed(name, "a non-negative integer", |value| {
            value.as_u64().and_then(|n| usize::try_from(n).ok())
        })
    }

    pub(crate) fn float(&mut self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", Value::as_f64)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.typed(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<usize> {
        match self.uint(name)? {
            Some(value) => Ok(value),
            None => Err(self.missing(name)),
        }
    }
}
