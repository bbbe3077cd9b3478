//! From a document's text to token ids.

use std::borrow::Cow;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use lmz_model::{ExactTokenizer, PATIENCE, Symbol};
use serde_json::Value;
use tokenizers::{Encoding, Tokenizer};

use crate::error::{MetricError, Result};

/// The tokens of one document, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special ones included.
    pub ids: Vec<u32>,
    /// For each token, the end of the text that it stands for, in bytes; 0 for a special token
    /// that the tokenizer added.
    pub ends: Vec<usize>,
    /// For each token, whether it is a special one.
    pub special: Vec<bool>,
}

/// Turns documents into tokens, one by one.
pub trait Tokenize {
    /// The tokens of a document.
    ///
    /// # Errors
    /// The tokenizer failed, or cannot spell the text.
    fn encode(&self, text: &str) -> Result<Encoded>;

    /// The tokens of a text that does not begin a document: without the special tokens that the tokenizer adds.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn encode_inside(&self, text: &str) -> Result<Vec<u32>> {
        let Encoded { ids, ends, special } = self.encode(text)?;
        let tokens = ids.into_iter().zip(ends.into_iter().zip(special));
        Ok(tokens
            .filter(|&(_, (end, special))| !(special && end == 0))
            .map(|(id, _)| id)
            .collect())
    }

    /// The text of some tokens, without special ones. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// The tokenizer failed, or cannot do this.
    fn decode(&self, ids: &[u32]) -> Result<String> {
        let _ = ids;
        Err(MetricError::Tokenizer(
            "it cannot turn tokens into text".into(),
        ))
    }

    /// What a reader of a figure should know of how the text becomes tokens.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A published tokenizer, as Hugging Face's `tokenizers` runs it: normaliser, special tokens,
/// post-processor and all. Truncation and padding are off, and so is dropout: a figure is not drawn by lot.
#[derive(Debug)]
pub struct PublishedTokenizer {
    inner: Arc<Tokenizer>,
    /// Ids of special tokens, sorted.
    special: Vec<u32>,
    notices: Vec<String>,
}

impl PublishedTokenizer {
    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`MetricError::Tokenizer`].
    pub fn new(tokenizer_json: &[u8]) -> Result<Self> {
        let (json, notices) = without_dropout(tokenizer_json);
        let mut inner = Tokenizer::from_bytes(json).map_err(failed)?;
        inner.with_truncation(None).map_err(failed)?;
        inner.with_padding(None);
        let added = inner.get_added_tokens_decoder();
        let special = added.into_iter().filter(|(_, token)| token.special);
        let mut special: Vec<u32> = special.map(|(id, _)| id).collect();
        special.sort_unstable();
        Ok(Self {
            inner: Arc::new(inner),
            special,
            notices,
        })
    }
}

/// Documents of fewer bytes are not watched: whatever a regular expression makes of them ends.
const WATCHED: usize = 1 << 10;
/// Bytes for each second that a long document may take beyond [`PATIENCE`]: a fiftieth of what slow tokenizers do.
const PACE: u64 = 20_000;
/// Bytes of memory that the library takes for each byte of a document, which it tokenizes whole: 100 to 200.
const MEMORY: usize = 200;
/// How often the watch is looked at. A program that was stopped for a while is not slow.
const TICK: Duration = Duration::from_millis(200);

/// What the library says.
fn failed(error: tokenizers::Error) -> MetricError {
    MetricError::Tokenizer(error.to_string())
}

impl PublishedTokenizer {
    /// What the library makes of a text, if it does so in time: its regular expressions are the model's, and nothing else
    /// bounds them.
    fn encoding(&self, text: &str, patience: Duration) -> Result<Encoding> {
        if text.len() < WATCHED {
            return self.inner.encode(text, true).map_err(failed);
        }
        let needed = text.len().saturating_mul(MEMORY);
        let room = Vec::<u8>::new().try_reserve_exact(needed);
        room.map_err(|_| {
            let len = text.len();
            let why = format!(
                "there is no memory for the {needed} bytes that a document of {len} bytes may take"
            );
            MetricError::Tokenizer(why)
        })?;
        let allowed = patience + Duration::from_secs(text.len() as u64 / PACE);
        let (give, take) = mpsc::channel();
        let (inner, copy) = (self.inner.clone(), text.to_owned());
        // It cannot be stopped. What it takes too long for is an error, with which a program ends.
        let started = thread::Builder::new().spawn(move || {
            // Nobody may wait any more.
            let _ = give.send(inner.encode(copy, true));
        });
        started.map_err(|error| MetricError::Tokenizer(error.to_string()))?;
        let mut waited = Duration::ZERO;
        loop {
            match take.recv_timeout(TICK) {
                Ok(encoding) => return encoding.map_err(failed),
                Err(mpsc::RecvTimeoutError::Timeout) if waited < allowed => waited += TICK,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(MetricError::Tokenizer(format!(
                        "it takes more than {} s for a document of {} bytes: a fault of its regular expressions",
                        allowed.as_secs(),
                        text.len()
                    )));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let why = "the library gave up on a document";
                    return Err(MetricError::Tokenizer(why.into()));
                }
            }
        }
    }
}

/// A `tokenizer.json` that gives the same tokens each time, and what is to be said of it.
fn without_dropout(tokenizer_json: &[u8]) -> (Cow<'_, [u8]>, Vec<String>) {
    let mut notices = Vec::new();
    // What is no JSON is refused by the library, in its own words.
    let Ok(mut json) = serde_json::from_slice::<Value>(tokenizer_json) else {
        return (tokenizer_json.into(), notices);
    };
    if changes_letters(&json["normalizer"]) {
        notices.push(
            "the tokenizer's normaliser changes letters (it lower-cases them, or strips accents): what is scored is \
             not the text, and the figure is not one of lossless compression"
                .to_owned(),
        );
    }
    let dropout = json["model"]["dropout"].as_f64().unwrap_or(0.0);
    if dropout == 0.0 {
        return (tokenizer_json.into(), notices);
    }
    json["model"]["dropout"] = Value::Null;
    notices.push(format!(
        "the tokenizer's dropout of {dropout}, which is for training, is switched off: a figure is not drawn by lot"
    ));
    (json.to_string().into_bytes().into(), notices)
}

/// Whether a normaliser, or one in a sequence of them, makes one letter of two.
fn changes_letters(normalizer: &Value) -> bool {
    match normalizer["type"].as_str() {
        Some("Lowercase" | "StripAccents" | "Nmt") => true,
        Some("BertNormalizer") => {
            // Accents are stripped where letters are lower-cased, unless it says otherwise.
            let is = |key: &str| normalizer[key].as_bool().unwrap_or(false);
            is("lowercase") || is("strip_accents")
        }
        Some("Sequence") => {
            let all = normalizer["normalizers"].as_array();
            all.is_some_and(|all| all.iter().any(changes_letters))
        }
        _ => false,
    }
}

impl Tokenize for PublishedTokenizer {
    fn notices(&self) -> Vec<String> {
        self.notices.clone()
    }

    fn encode_inside(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode(text, false);
        let encoding = encoding.map_err(|error| MetricError::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        let text = self.inner.decode(ids, true);
        text.map_err(|error| MetricError::Tokenizer(error.to_string()))
    }

    fn encode(&self, text: &str) -> Result<Encoded> {
        let encoding = self.encoding(text, PATIENCE)?;
        let ids = encoding.get_ids().to_vec();
        let added = encoding.get_special_tokens_mask();
        let special = ids.iter().zip(added);
        Ok(Encoded {
            ends: encoding.get_offsets().iter().map(|&(_, end)| end).collect(),
            special: special
                .map(|(id, &added)| added != 0 || self.special.binary_search(id).is_ok())
                .collect(),
            ids,
        })
    }
}

/// The codec's own tokenizer: no normaliser, no special tokens; every token's bytes are the
/// text's. Prepared models carry no other.
impl Tokenize for ExactTokenizer {
    fn decode(&self, ids: &[u32]) -> Result<String> {
        let symbols: Vec<Symbol> = ids.iter().map(|&id| Symbol::Token(id)).collect();
        Ok(String::from_utf8_lossy(&self.decode(&symbols)).into_owned())
    }

    fn encode(&self, text: &str) -> Result<Encoded> {
        let symbols = self.try_encode(text.as_bytes());
        let symbols = symbols.map_err(|error| MetricError::Tokenizer(error.to_string()))?;
        let mut encoded = Encoded::default();
        let mut end = 0;
        for symbol in &symbols {
            let Symbol::Token(id) = *symbol else {
                return Err(MetricError::Tokenizer(
                    "this vocabulary cannot spell every byte of the text; score the checkpoint's \
                    directory, or use --protocol stream"
                        .into(),
                ));
            };
            end += self.decode(std::slice::from_ref(symbol)).len();
            encoded.ids.push(id);
            encoded.ends.push(end);
            encoded.special.push(false);
        }
        Ok(encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": NORMALIZER, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "dropout": DROPOUT, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
        "vocab": {"a": 0, "b": 1, "ab": 2, "abab": 3}, "merges": [["a", "b"], ["ab", "ab"]]}}"#;

    fn tokenizer(dropout: &str, normalizer: &str) -> PublishedTokenizer {
        let json = MODEL
            .replace("DROPOUT", dropout)
            .replace("NORMALIZER", normalizer);
        PublishedTokenizer::new(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_metric_never_draws() {
        let plain = tokenizer("null", "null");
        let text = "abababab".repeat(50);
        let ids = plain.encode(&text).unwrap().ids;
        assert!(plain.notices().is_empty());
        for dropout in ["0.1", "0.9", "1.0"] {
            let drawn = tokenizer(dropout, "null");
            for _ in 0..3 {
                assert_eq!(drawn.encode(&text).unwrap().ids, ids);
            }
            assert!(drawn.notices()[0].contains("switched off"), "{dropout}");
        }
    }

    /// Looks at all of the text again for each of its words.
    #[test]
    fn a_tokenizer_that_takes_too_long_is_given_up() {
        let split = r#""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?!(?:(?!b)a)*x)a"},
            "behavior": "Isolated", "invert": false}"#;
        let json = MODEL.replace(r#""pre_tokenizer": null"#, split);
        let json = json
            .replace("DROPOUT", "null")
            .replace("NORMALIZER", "null");
        let slow = PublishedTokenizer::new(json.as_bytes()).unwrap();
        assert_eq!(slow.encode(&"a".repeat(1100)).unwrap().ids.len(), 1100);
        let error = slow
            .encoding(&"a".repeat(19_000), Duration::ZERO)
            .unwrap_err();
        assert!(error.to_string().contains("19000 bytes"), "{error}");
    }

    #[test]
    fn a_normaliser_that_changes_letters_is_named() {
        for (normalizer, changes) in [
            (r#"{"type": "Lowercase"}"#, true),
            (r#"{"type": "NFC"}"#, false),
            (
                r#"{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}"#,
                true,
            ),
            (
                r#"{"type": "Sequence", "normalizers": [{"type": "NFD"}]}"#,
                false,
            ),
            (
                r#"{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}"#,
                true,
            ),
        ] {
            assert_eq!(
                !tokenizer("null", normalizer).notices().is_empty(),
                changes,
                "{normalizer}"
            );
        }
    }
}
