//! SentencePiece: tokens with scores, of which merges follow, and bytes as a last resort.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::tokens::{TOKENS, Tokens, Type, first_token};
use super::write::{Added, Bpe, Json, starting_with};
use crate::error::{ModelError, Result};
use crate::gguf::metadata::Meta;
use crate::tokenize::BLOCK;

const SCORES: &str = "tokenizer.ggml.scores";
/// The longest token whose halves are looked for, in characters. Real ones are shorter.
const MAX_CHARACTERS: usize = 256;

/// The `tokenizer.json`.
pub(super) fn json(meta: Meta<'_>) -> Result<Vec<u8>> {
    let tokens = Tokens::read(meta)?;
    let Some(scores) = meta.floats(SCORES)? else {
        return Err(ModelError::GgufUnsupported {
            file: meta.file.into(),
            reason: format!(
                "its tokenizer has no scores ({SCORES} is missing), of which the merges follow: \
                 convert the model again"
            ),
        });
    };
    if scores.len() != tokens.texts.len() {
        let reason = format!(
            "has {} entries for {} tokens",
            scores.len(),
            tokens.texts.len()
        );
        return Err(meta.invalid(SCORES, reason));
    }
    let mut vocab: BTreeMap<Cow<'_, str>, u32> = BTreeMap::new();
    let mut added_tokens = Vec::new();
    let mut ranked = Vec::new();
    let mut bytes = 0;
    for (id, text, kind) in tokens.used() {
        // The converter wrote user-defined tokens as they look, the merging model sees blocks.
        let text = match kind {
            Type::UserDefined if text.contains(' ') => {
                Cow::Owned(text.replace(' ', BLOCK.encode_utf8(&mut [0; 4])))
            }
            _ => Cow::Borrowed(text),
        };
        if let Some(other) = vocab.insert(text.clone(), id) {
            let reason = format!("has {text:?} twice, as {other} and {id}");
            return Err(meta.invalid(TOKENS, reason));
        }
        match kind {
            Type::Normal => ranked.push((text, Score::Of(scores[id as usize]))),
            Type::UserDefined => {
                added_tokens.push(Added::new(id, text.clone(), false));
                ranked.push((text, Score::First));
            }
            Type::Control | Type::Unknown => added_tokens.push(Added::new(id, text, true)),
            Type::Byte => bytes += 1,
            Type::Unused => {}
        }
    }
    if bytes == 0 {
        return Err(ModelError::GgufUnsupported {
            file: meta.file.into(),
            reason: "its tokenizer has no tokens for single bytes, so that it cannot spell every \
                     text"
                .into(),
        });
    }
    let prefix = meta
        .flag("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true);
    let unknown = unknown(meta, &tokens)?;
    let merges = merges(&vocab, ranked);
    let json = Json {
        version: "1.0",
        added_tokens,
        normalizer: Some(normalizer(prefix)),
        pre_tokenizer: None,
        post_processor: first_token(meta, &tokens, true)?.map(starting_with),
        decoder: decoder(prefix),
        model: Bpe {
            r#type: "BPE",
            dropout: None,
            unk_token: unknown.map(Cow::Borrowed),
            continuing_subword_prefix: None,
            end_of_word_suffix: None,
            fuse_unk: true,
            byte_fallback: true,
            ignore_merges: false,
            vocab,
            merges,
        },
    };
    Ok(json.bytes())
}

/// The unknown token's text: of the type, or of the id that the file names.
fn unknown<'a>(meta: Meta<'_>, tokens: &Tokens<'a>) -> Result<Option<&'a str>> {
    let id = meta.uint("tokenizer.ggml.unknown_token_id")?;
    let typed = tokens.types.iter().position(|&kind| kind == Type::Unknown);
    Ok(id.or(typed).and_then(|id| tokens.texts.get(id).copied()))
}

/// What decides which merge comes first.
#[derive(Clone, Copy, PartialEq)]
enum Score {
    /// Before all others: tokens that SentencePiece matches before it merges.
    First,
    Of(f32),
}

impl Score {
    /// The higher score comes first.
    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::First, Self::First) => Ordering::Equal,
            (Self::First, _) => Ordering::Less,
            (_, Self::First) => Ordering::Greater,
            (Self::Of(a), Self::Of(b)) => b.total_cmp(&a),
        }
    }
}

/// The pairs that merge into a token, as transformers derives them from a SentencePiece model:
/// by score; equal ones by the length of the left part, then of the right one, the longer first.
/// A run of spaces, say, then grows from its left end, as by SentencePiece's longest match.
fn merges<'a>(
    vocab: &BTreeMap<Cow<'a, str>, u32>,
    ranked: Vec<(Cow<'a, str>, Score)>,
) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    let ids: HashMap<&str, u32> = vocab.iter().map(|(text, &id)| (&**text, id)).collect();
    let mut pairs = Vec::new();
    for (text, score) in &ranked {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            continue;
        }
        let first = pairs.len();
        for (left, (at, _)) in text.char_indices().enumerate().skip(1) {
            let (l, r) = text.split_at(at);
            if let (Some(&l), Some(&r)) = (ids.get(l), ids.get(r)) {
                pairs.push(Pair {
                    score: *score,
                    left,
                    right: characters - left,
                    ids: (l, r),
                    text,
                    at,
                });
            }
        }
        pairs[first..].sort_by_key(|pair| pair.ids);
    }
    pairs.sort_by(|a, b| {
        let lengths = (b.left, b.right).cmp(&(a.left, a.right));
        a.score.order(b.score).then(lengths)
    });
    let halves = pairs.into_iter().map(|pair| match pair.text {
        Cow::Borrowed(text) => {
            let (l, r) = text.split_at(pair.at);
            (Cow::Borrowed(l), Cow::Borrowed(r))
        }
        Cow::Owned(text) => {
            let (l, r) = text.split_at(pair.at);
            (Cow::Owned(l.to_owned()), Cow::Owned(r.to_owned()))
        }
    });
    halves.collect()
}

struct Pair<'a, 'b> {
    score: Score,
    /// Lengths in characters.
    left: usize,
    right: usize,
    ids: (u32, u32),
    text: &'b Cow<'a, str>,
    /// Where the right part starts, in bytes.
    at: usize,
}

fn normalizer(prefix: bool) -> Value {
    let replace = json!({ "type": "Replace", "pattern": { "String": " " }, "content": BLOCK });
    if prefix {
        let prepend = json!({ "type": "Prepend", "prepend": BLOCK });
        json!({ "type": "Sequence", "normalizers": [prepend, replace] })
    } else {
        replace
    }
}

fn decoder(prefix: bool) -> Value {
    let mut steps = vec![
        json!({ "type": "Replace", "pattern": { "String": BLOCK }, "content": " " }),
        json!({ "type": "ByteFallback" }),
        json!({ "type": "Fuse" }),
    ];
    if prefix {
        steps.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    }
    json!({ "type": "Sequence", "decoders": steps })
}
