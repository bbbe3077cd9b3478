//! The parts of a `tokenizer.json`, as Hugging Face writes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

/// A whole `tokenizer.json`.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    pub(super) version: &'static str,
    pub(super) added_tokens: Vec<Added<'a>>,
    pub(super) normalizer: Option<Value>,
    pub(super) pre_tokenizer: Option<Value>,
    pub(super) post_processor: Option<Value>,
    pub(super) decoder: Value,
    pub(super) model: Bpe<'a>,
}

/// A token that is matched before anything else.
#[derive(Serialize)]
pub(super) struct Added<'a> {
    pub(super) id: u32,
    pub(super) content: Cow<'a, str>,
    pub(super) single_word: bool,
    pub(super) lstrip: bool,
    pub(super) rstrip: bool,
    pub(super) normalized: bool,
    pub(super) special: bool,
}

impl<'a> Added<'a> {
    pub(super) fn new(id: u32, content: Cow<'a, str>, special: bool) -> Self {
        Self {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special,
        }
    }
}

/// The merging model.
#[derive(Serialize)]
pub(super) struct Bpe<'a> {
    pub(super) r#type: &'static str,
    pub(super) dropout: Option<f32>,
    pub(super) unk_token: Option<Cow<'a, str>>,
    pub(super) continuing_subword_prefix: Option<&'static str>,
    pub(super) end_of_word_suffix: Option<&'static str>,
    pub(super) fuse_unk: bool,
    pub(super) byte_fallback: bool,
    pub(super) ignore_merges: bool,
    pub(super) vocab: BTreeMap<Cow<'a, str>, u32>,
    pub(super) merges: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Json<'_> {
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Strings, numbers and string-keyed maps cannot fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A post-processor that puts a token before each text, and before each of a pair.
pub(super) fn starting_with((id, text): (u32, &str)) -> Value {
    let token = |kind: u32| json!({ "SpecialToken": { "id": text, "type_id": kind } });
    let sequence = |name: &str, kind: u32| json!({ "Sequence": { "id": name, "type_id": kind } });
    json!({
        "type": "TemplateProcessing",
        "single": [token(0), sequence("A", 0)],
        "pair": [token(0), sequence("A", 0), token(1), sequence("B", 1)],
        "special_tokens": { text: { "id": text, "ids": [id], "tokens": [text] } },
    })
}
