//! From a document's text to token ids.

use lmz_model::{ExactTokenizer, Symbol};
use tokenizers::Tokenizer;

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
}

/// A published tokenizer, as Hugging Face's `tokenizers` runs it: normaliser, special tokens,
/// post-processor and all. Truncation and padding are off.
#[derive(Debug)]
pub struct PublishedTokenizer {
    inner: Tokenizer,
    /// Ids of special tokens, sorted.
    special: Vec<u32>,
}

impl PublishedTokenizer {
    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`MetricError::Tokenizer`].
    pub fn new(tokenizer_json: &[u8]) -> Result<Self> {
        let failed = |error: tokenizers::Error| MetricError::Tokenizer(error.to_string());
        let mut inner = Tokenizer::from_bytes(tokenizer_json).map_err(failed)?;
        inner.with_truncation(None).map_err(failed)?;
        inner.with_padding(None);
        let added = inner.get_added_tokens_decoder();
        let special = added.into_iter().filter(|(_, token)| token.special);
        let mut special: Vec<u32> = special.map(|(id, _)| id).collect();
        special.sort_unstable();
        Ok(Self { inner, special })
    }
}

impl Tokenize for PublishedTokenizer {
    fn encode(&self, text: &str) -> Result<Encoded> {
        let failed = |error: tokenizers::Error| MetricError::Tokenizer(error.to_string());
        let encoding = self.inner.encode(text, true).map_err(failed)?;
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
    fn encode(&self, text: &str) -> Result<Encoded> {
        let symbols = self.encode(text.as_bytes());
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
