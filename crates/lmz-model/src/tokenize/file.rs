//! `tokenizer.json`: what of it decides a tokenisation, and its reduced form.

use std::collections::{BTreeMap, HashSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::family::Family;
use super::splitter::SplitterSpec;
use crate::error::{ModelError, Result};
use crate::vocab::Vocabulary;

/// A tokenizer as described by its file.
pub(crate) struct TokenizerFile {
    pub(crate) family: Family,
    /// Token text -> id.
    pub(crate) vocab: BTreeMap<String, u32>,
    /// Pairs of token texts, the strongest first.
    pub(crate) merges: Vec<(String, String)>,
    pub(crate) added_tokens: Vec<AddedToken>,
    pub(crate) unk_token: Option<String>,
    pub(crate) fuse_unk: bool,
    pub(crate) ignore_merges: bool,
    pub(crate) splitter: Option<SplitterSpec>,
}

/// A token that the tokenizer matches before anything else.
#[derive(Debug, Deserialize)]
pub(crate) struct AddedToken {
    pub(crate) id: u32,
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) special: bool,
}

#[derive(Deserialize)]
struct Kind {
    model: KindOfModel,
}

#[derive(Deserialize)]
struct KindOfModel {
    r#type: Option<String>,
    merges: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    added_tokens: Option<Vec<AddedToken>>,
    pre_tokenizer: Option<Value>,
    decoder: Option<Value>,
    model: Bpe,
}

#[derive(Deserialize)]
struct Bpe {
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    fuse_unk: Option<bool>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
    vocab: BTreeMap<String, u32>,
    merges: Merges,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Merges {
    Pairs(Vec<(String, String)>),
    Lines(Vec<String>),
}

impl TokenizerFile {
    /// Reads the file; normalizer, post-processor, truncation and padding have no say.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        let malformed = |e: serde_json::Error| ModelError::Json {
            file: "tokenizer.json".into(),
            reason: e.to_string(),
        };
        // The vocabulary of another kind has another form, so the kind comes first.
        let kind: Kind = serde_json::from_slice(json).map_err(malformed)?;
        match kind.model.r#type.as_deref() {
            Some("BPE") => {}
            Some(other) => return Err(ModelError::TokenizerKind(other.into())),
            None if kind.model.merges.is_some() => {}
            None => {
                return Err(ModelError::TokenizerKind("a model without a type".into()));
            }
        }
        let whole: Whole = serde_json::from_slice(json).map_err(malformed)?;
        let model = whole.model;
        for (name, affix) in [
            (
                "continuing_subword_prefix",
                &model.continuing_subword_prefix,
            ),
            ("end_of_word_suffix", &model.end_of_word_suffix),
        ] {
            if affix.as_ref().is_some_and(|affix| !affix.is_empty()) {
                return Err(ModelError::TokenizerKind(format!("BPE with {name}")));
            }
        }
        let mut splitter = match whole.pre_tokenizer {
            None | Some(Value::Null) => None,
            Some(value) => Some(SplitterSpec::parse(value)?),
        };
        let byte_level = splitter.as_ref().is_some_and(SplitterSpec::is_byte_level)
            || whole.decoder.as_ref().is_some_and(decodes_bytes);
        let family = if byte_level {
            splitter = Some(SplitterSpec::with_byte_level(splitter));
            Family::ByteLevel
        } else if model.byte_fallback == Some(true) {
            Family::SentencePiece
        } else {
            return Err(ModelError::TokenizerKind(
                "BPE that is neither byte-level nor SentencePiece with byte_fallback".into(),
            ));
        };
        Ok(Self {
            family,
            merges: merge_pairs(model.merges)?,
            vocab: model.vocab,
            added_tokens: whole.added_tokens.unwrap_or_default(),
            unk_token: model.unk_token,
            fuse_unk: model.fuse_unk.unwrap_or(false),
            ignore_merges: model.ignore_merges.unwrap_or(false),
            splitter,
        })
    }

    /// Removes what cannot be part of an exact tokenisation: tokens that do not stand for the
    /// bytes that `vocabulary` gives them (special tokens, mostly), and merges through them.
    pub(crate) fn keep_spellable(&mut self, vocabulary: &Vocabulary) {
        let family = self.family;
        // The unknown token stays: with it the model marks what it cannot spell.
        let unk = self
            .unk_token
            .take()
            .filter(|unk| self.vocab.contains_key(unk));
        self.vocab.retain(|text, id| {
            unk.as_ref() == Some(text)
                || vocabulary
                    .get(*id)
                    .is_some_and(|bytes| family.token_bytes(text).as_deref() == Some(bytes))
        });
        self.unk_token = unk;
        // Half a million merges look up three tokens each.
        let kept: HashSet<&str> = self.vocab.keys().map(String::as_str).collect();
        let mut merged = String::new();
        self.merges.retain(|(left, right)| {
            merged.clear();
            merged.push_str(left);
            merged.push_str(right);
            [left, right, &merged]
                .iter()
                .all(|text| kept.contains(text.as_str()))
        });
        self.added_tokens.clear();
    }

    /// A `tokenizer.json` with nothing but what decides a tokenisation.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Reduced<'a> {
            version: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            pre_tokenizer: Option<&'a SplitterSpec>,
            model: ReducedBpe<'a>,
        }
        #[derive(Serialize)]
        struct ReducedBpe<'a> {
            r#type: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            unk_token: Option<&'a str>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            fuse_unk: bool,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            byte_fallback: bool,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            ignore_merges: bool,
            vocab: &'a BTreeMap<String, u32>,
            merges: &'a [(String, String)],
        }
        let reduced = Reduced {
            version: "1.0",
            pre_tokenizer: self.splitter.as_ref(),
            model: ReducedBpe {
                r#type: "BPE",
                unk_token: self.unk_token.as_deref(),
                fuse_unk: self.fuse_unk,
                byte_fallback: self.family == Family::SentencePiece,
                ignore_merges: self.ignore_merges,
                vocab: &self.vocab,
                merges: &self.merges,
            },
        };
        // Strings, numbers and string-keyed maps cannot fail to be written.
        serde_json::to_vec(&reduced).unwrap_or_default()
    }
}

/// Whether a decoder is or contains `ByteLevel`.
fn decodes_bytes(decoder: &Value) -> bool {
    let parts = decoder.get("decoders").and_then(Value::as_array);
    decoder.get("type").and_then(Value::as_str) == Some("ByteLevel")
        || parts.is_some_and(|parts| parts.iter().any(decodes_bytes))
}

fn merge_pairs(merges: Merges) -> Result<Vec<(String, String)>> {
    let pairs = match merges {
        Merges::Pairs(pairs) => pairs,
        Merges::Lines(lines) => {
            let lines = lines.iter().filter(|line| !line.starts_with("#version"));
            lines
                .map(|line| match line.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => Ok((left.into(), right.into())),
                    _ => Err(ModelError::Tokenizer(format!("{line:?} is not a merge"))),
                })
                .collect::<Result<_>>()?
        }
    };
    // The last of two equal merges would count with its rank; no trainer writes such a list.
    let mut seen = HashSet::with_capacity(pairs.len());
    for pair in &pairs {
        if !seen.insert(pair) {
            return Err(ModelError::Tokenizer(format!(
                "the merge {pair:?} appears twice"
            )));
        }
    }
    Ok(pairs)
}
