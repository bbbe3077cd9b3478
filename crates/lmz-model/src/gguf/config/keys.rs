//! The keys of an architecture, noted as they are read, so that none is passed over in silence.

use std::collections::BTreeSet;

use crate::error::{ModelError, Result};
use crate::gguf::model::Gguf;

/// Keys that change what a model computes in ways that its family's reader here does not know,
/// and the number, if any, with which they leave it alone. 0 and false always do.
const CHANGES_MATHEMATICS: &[(&str, Option<f64>)] = &[
    ("attention.clamp_kqv", None),
    ("attention.key_length_mla", None),
    ("attention.max_alibi_bias", None),
    ("attention.output_scale", Some(1.0)),
    ("attention.scale", None),
    ("attention.shared_kv_layers", None),
    ("attention.sliding_window", None),
    ("attention.sliding_window_pattern", None),
    ("attention.temperature_length", None),
    ("attn_logit_softcapping", None),
    ("embedding_scale", Some(1.0)),
    ("expert_count", None),
    ("expert_gating_func", Some(1.0)),
    ("expert_group_count", Some(1.0)),
    ("expert_shared_count", None),
    ("expert_used_count", None),
    ("expert_weights_scale", Some(1.0)),
    ("final_logit_softcapping", None),
    ("leading_dense_block_count", None),
    ("logit_scale", Some(1.0)),
    ("residual_scale", Some(1.0)),
    ("rope.dimension_sections", None),
    ("rope.scaling.attn_factor", Some(1.0)),
    ("swin_norm", None),
];

/// Keys that change nothing, or that repeat what the tensors say.
const WITHOUT_EFFECT: &[&str] = &[
    "expert_weights_norm",
    "feed_forward_length",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "tensor_data_layout",
    "vocab_size",
];

/// The metadata under the architecture's name.
pub(super) struct Keys<'a> {
    pub(super) gguf: &'a Gguf,
    architecture: &'static str,
    read: BTreeSet<String>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(gguf: &'a Gguf, architecture: &'static str) -> Self {
        Self {
            gguf,
            architecture,
            read: BTreeSet::new(),
        }
    }

    fn key(&mut self, name: &str) -> String {
        let key = format!("{}.{name}", self.architecture);
        self.read.insert(key.clone());
        key
    }

    pub(super) fn uint(&mut self, name: &str) -> Result<Option<usize>> {
        let key = self.key(name);
        self.gguf.meta().uint(&key)
    }

    pub(super) fn required(&mut self, name: &str) -> Result<usize> {
        let missing = |key: &str| self.gguf.meta().missing(key);
        let key = format!("{}.{name}", self.architecture);
        let value = self.gguf.meta().uint(&key)?.ok_or_else(|| missing(&key))?;
        self.read.insert(key);
        Ok(value)
    }

    pub(super) fn float(&mut self, name: &str) -> Result<Option<f64>> {
        let key = self.key(name);
        self.gguf.meta().float(&key)
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        let key = self.key(name);
        self.gguf.meta().flag(&key)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<&'a str>> {
        let key = self.key(name);
        self.gguf.meta().text(&key)
    }

    /// For each of `layers` layers a flag: from an array of them, or from a period, of which all
    /// but the last have the flag.
    pub(super) fn pattern(&mut self, name: &str, layers: usize) -> Result<Option<Vec<bool>>> {
        let key = self.key(name);
        let meta = self.gguf.meta();
        if !meta.has(&key) {
            return Ok(None);
        }
        if let Ok(Some(period)) = meta.uint(&key)
            && period > 1
        {
            // Not yet validated, so bounded here.
            let layers = 0..layers.min(1 << 16);
            return Ok(Some(layers.map(|i| (i + 1) % period != 0).collect()));
        }
        let list = meta.ints(&key)?.unwrap_or_default();
        if list.len() != layers {
            let reason = format!("has {} entries for {layers} layers", list.len());
            return Err(meta.invalid(&key, reason));
        }
        Ok(Some(list.into_iter().map(|flag| flag != 0).collect()))
    }

    pub(super) fn invalid(&self, name: &str, reason: impl Into<String>) -> ModelError {
        let key = format!("{}.{name}", self.architecture);
        self.gguf.meta().invalid(&key, reason)
    }

    pub(super) fn unsupported(&self, name: &str, value: impl ToString) -> ModelError {
        let key = format!("{}.{name}", self.architecture);
        self.gguf.meta().unsupported(&key, value)
    }

    /// The keys of the architecture that nobody knows, sorted; an error if one was left that
    /// changes the mathematics.
    pub(super) fn finish(self) -> Result<Vec<String>> {
        let meta = self.gguf.meta();
        let prefix = format!("{}.", self.architecture);
        let mut ignored = Vec::new();
        for key in meta.metadata.keys() {
            let Some(name) = key.strip_prefix(&prefix) else {
                continue;
            };
            if self.read.contains(key) || WITHOUT_EFFECT.contains(&name) {
                continue;
            }
            if name == "attention.causal" {
                if meta.flag(key)? == Some(false) {
                    return Err(meta.unsupported(key, false));
                }
                continue;
            }
            let Some((_, neutral)) = CHANGES_MATHEMATICS.iter().find(|known| known.0 == name)
            else {
                ignored.push(key.to_owned());
                continue;
            };
            let value = match meta.float(key) {
                Ok(value) => value,
                Err(_) => meta.flag(key).ok().flatten().map(|flag| flag.into()),
            };
            if value.is_none_or(|value| value != 0.0 && Some(value) != *neutral) {
                let value = value.map_or("a list".into(), |value: f64| value.to_string());
                return Err(meta.unsupported(key, value));
            }
        }
        Ok(ignored)
    }
}
