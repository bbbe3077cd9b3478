//! What a figure depends on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::corpus::Census;
use crate::protocol::Protocol;

/// Everything that a figure depends on. Two runs of the same identity give the same figure (bit
/// for bit with the same batches, and to rounding with others).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the program.
    pub lmz: String,
    /// The model that was scored.
    pub model: ModelIdentity,
    /// The text that it was scored on.
    pub corpus: CorpusIdentity,
    /// How it is cut into windows.
    pub protocol: ProtocolIdentity,
    /// The engine that scored it: device and number type.
    pub engine: EngineIdentity,
}

/// Which model it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// `checkpoint` (a Hugging Face directory) or `prepared` (an `.lmzm` model's int8 weights).
    pub kind: String,
    /// Hash of a directory's configuration and weights, or identity of the prepared model, in
    /// hexadecimal digits.
    pub hash: String,
    /// `tokenizer.json`, or `exact` for the codec's, which a prepared model carries.
    pub tokenizer: String,
    /// BLAKE3 of that tokenizer's JSON, in hexadecimal digits.
    pub tokenizer_hash: String,
}

/// Which corpus it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusIdentity {
    /// BLAKE3 of the documents ([`Census::hash`]), in hexadecimal digits.
    pub hash: String,
    /// The number of documents.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Unicode code points of their texts.
    pub characters: u64,
}

/// Which windows there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolIdentity {
    /// Which protocol: `document`, `mixed`, `paper` or `stream`.
    pub name: Protocol,
    /// Predictions of a window (tokens of a block, for a stream or mixed).
    pub window: u64,
    /// Tokens between windows (coded symbols of a full block, for a stream or mixed).
    pub stride: u64,
}

/// The engine that scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineIdentity {
    /// The name of its device.
    pub device: String,
    /// The type of the weights and activations.
    pub dtype: String,
}

impl From<&Census> for CorpusIdentity {
    fn from(census: &Census) -> Self {
        Self {
            hash: census.hash.clone(),
            documents: census.documents,
            bytes: census.bytes,
            characters: census.characters,
        }
    }
}

impl Identity {
    /// What differs from another identity, in words.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let value = |identity: &Self| serde_json::to_value(identity).unwrap_or_default();
        let mut found = Vec::new();
        compare("", &value(self), &value(now), &mut found);
        found
    }
}

fn compare(name: &str, was: &Value, now: &Value, found: &mut Vec<String>) {
    match (was, now) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, was) in a {
                let name = match name {
                    "" => key.clone(),
                    _ => format!("{name} {key}"),
                };
                compare(&name, was, b.get(key).unwrap_or(&Value::Null), found);
            }
        }
        _ if was != now => found.push(format!("{name} was {was} and is now {now}")),
        _ => {}
    }
}
