//! The tokenizer that a model is trained with.

use lmz_model::{ExactTokenizer, Symbol, Vocabulary};
use serde_json::Value;

use crate::bpe::START;
use crate::error::{Result, TrainError};

/// Names that the token at the start of a context goes by.
const STARTS: [&str; 4] = [START, "<s>", "<|begin_of_text|>", "<|endoftext|>"];

/// A `tokenizer.json`, ready to use.
pub(crate) struct Tokenizer {
    pub json: Vec<u8>,
    pub vocab_size: usize,
    /// The id and the name of the token that contexts start with.
    pub start: (u32, String),
    exact: ExactTokenizer,
    /// For each id the number of bytes that it stands for.
    lengths: Vec<usize>,
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`.
    pub fn new(json: Vec<u8>) -> Result<Self> {
        let wrong = |reason: &str| TrainError::Tokenizer(reason.to_string());
        let value: Value = serde_json::from_slice(&json)
            .map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        let added: Vec<(u64, &str)> = value["added_tokens"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|token| Some((token["id"].as_u64()?, token["content"].as_str()?)))
            .collect();
        let ordinary = value["model"]["vocab"].as_object();
        let ids = ordinary
            .into_iter()
            .flat_map(|vocab| vocab.values().filter_map(Value::as_u64));
        let last = ids.chain(added.iter().map(|(id, _)| *id)).max();
        let last = last.ok_or_else(|| wrong("it has no vocabulary"))?;
        // Tokens are kept in 16 bits.
        if last > u64::from(u16::MAX) {
            return Err(wrong("it has more than 65,536 entries"));
        }
        let start = STARTS
            .iter()
            .find_map(|name| added.iter().find(|(_, content)| content == name))
            .ok_or_else(|| wrong("it has no <|bos|>, <s>, <|begin_of_text|> or <|endoftext|>"))?;
        let start = (start.0 as u32, start.1.to_string());
        let vocab_size = last as usize + 1;
        let vocabulary = Vocabulary::from_tokenizer_json(&json, vocab_size)?;
        let exact = ExactTokenizer::new(&json, &vocabulary)?;
        let lengths = vocabulary
            .iter()
            .map(|(_, bytes)| bytes.map_or(0, <[u8]>::len));
        let lengths = lengths.collect();
        Ok(Self {
            json,
            vocab_size,
            start,
            exact,
            lengths,
        })
    }

    /// The tokens of a text. Bytes that no token spells are left out.
    pub fn encode(&self, text: &[u8]) -> Vec<u16> {
        let symbols = self.exact.encode(text).into_iter();
        let ids = symbols.filter_map(|symbol| match symbol {
            Symbol::Token(id) => u16::try_from(id).ok(),
            _ => None,
        });
        ids.collect()
    }

    /// The number of bytes that tokens stand for.
    pub fn bytes(&self, tokens: &[u16]) -> u64 {
        let lengths = tokens.iter().map(|&id| self.lengths.get(usize::from(id)));
        lengths.flatten().map(|&length| length as u64).sum()
    }
}
