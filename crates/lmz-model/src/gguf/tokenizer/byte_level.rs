//! Byte-level BPE: tokens in GPT-2's characters, merges in a list.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;

use super::pre;
use super::tokens::{TOKENS, Tokens, Type, first_token};
use super::write::{Added, Bpe, Json, starting_with};
use crate::error::{ModelError, Result};
use crate::gguf::metadata::Meta;

const MERGES: &str = "tokenizer.ggml.merges";
const PRE: &str = "tokenizer.ggml.pre";

/// The `tokenizer.json`.
pub(super) fn json(meta: Meta<'_>) -> Result<Vec<u8>> {
    let unsupported = |reason: String| ModelError::GgufUnsupported {
        file: meta.file.into(),
        reason,
    };
    let Some(name) = meta.text(PRE)? else {
        return Err(unsupported(format!(
            "it does not say how text is split before merging ({PRE} is missing): it was made \
             before May 2024; take a newer file or convert the model again"
        )));
    };
    let Some(splitting) = pre::named(name) else {
        return Err(unsupported(format!(
            "the pre-tokenizer {name:?} ({PRE}) is not known; known are {}",
            pre::names()
        )));
    };
    let tokens = Tokens::read(meta)?;
    let mut vocab = BTreeMap::new();
    let mut added_tokens = Vec::new();
    for (id, text, kind) in tokens.used() {
        // In the original one most added tokens are not among the merging model's, which makes
        // no difference: text cannot produce them.
        if let Some(other) = vocab.insert(Cow::Borrowed(text), id) {
            let reason = format!("has {text:?} twice, as {other} and {id}");
            return Err(meta.invalid(TOKENS, reason));
        }
        if matches!(kind, Type::Control | Type::UserDefined | Type::Unknown) {
            let special = kind != Type::UserDefined;
            added_tokens.push(Added::new(id, Cow::Borrowed(text), special));
        }
    }
    let Some(lines) = meta.texts(MERGES)? else {
        return Err(unsupported(format!(
            "its tokenizer has no merges ({MERGES} is missing): convert the model again"
        )));
    };
    let mut merges = Vec::with_capacity(lines.len());
    for line in lines {
        // A token may be a space in old files, but never starts with the one that separates.
        let space = line.char_indices().skip(1).find(|&(_, c)| c == ' ');
        let Some((at, _)) = space else {
            return Err(meta.invalid(MERGES, format!("has {line:?}, which is no pair")));
        };
        merges.push((Cow::Borrowed(&line[..at]), Cow::Borrowed(&line[at + 1..])));
    }
    let json = Json {
        version: "1.0",
        added_tokens,
        normalizer: None,
        pre_tokenizer: Some(splitting.pre_tokenizer()),
        post_processor: first_token(meta, &tokens, splitting.adds_first_token)?.map(starting_with),
        decoder: json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
            "use_regex": true }),
        model: Bpe {
            r#type: "BPE",
            dropout: None,
            unk_token: None,
            continuing_subword_prefix: None,
            end_of_word_suffix: None,
            fuse_unk: false,
            byte_fallback: false,
            ignore_merges: splitting.ignores_merges,
            vocab,
            merges,
        },
    };
    Ok(json.bytes())
}
