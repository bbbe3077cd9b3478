//! Symbols: the tokens that can be coded, numbered without gaps.

use lmz_model::Vocabulary;

use crate::error::{ExactError, Result};

/// Shift of the escape's weight where it may be needed: 2^-12 of the rest (docs/numerics.md, 6).
const ESCAPE_SHIFT: u32 = 12;
const NONE: u32 = u32::MAX;

/// The two-way table between token ids and symbols.
#[derive(Debug)]
pub struct Symbols {
    tokens: Vec<u32>,
    by_token: Vec<u32>,
    vocabulary: Vocabulary,
    escape_shift: u32,
}

impl Symbols {
    pub(crate) fn new(vocabulary: Vocabulary) -> Result<Self> {
        let mut tokens = Vec::new();
        let mut by_token = vec![NONE; vocabulary.len()];
        for (id, bytes) in vocabulary.iter() {
            if bytes.is_some() {
                by_token[id as usize] = tokens.len() as u32;
                tokens.push(id);
            }
        }
        if tokens.is_empty() {
            return Err(ExactError::Unsupported(
                "no token of the vocabulary stands for bytes".into(),
            ));
        }
        let escape_shift = if vocabulary.is_complete() {
            0
        } else {
            ESCAPE_SHIFT
        };
        Ok(Self {
            tokens,
            by_token,
            vocabulary,
            escape_shift,
        })
    }

    /// Number of symbols without the escape, V; also the escape's number.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Token ids by symbol.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The token of a symbol; `None` for the escape.
    pub fn token(&self, symbol: usize) -> Option<u32> {
        self.tokens.get(symbol).copied()
    }

    /// The symbol of a token, if it can be coded.
    pub fn symbol(&self, token: u32) -> Option<usize> {
        let symbol = *self.by_token.get(token as usize)?;
        (symbol != NONE).then_some(symbol as usize)
    }

    /// The bytes of a symbol; empty for the escape.
    pub fn bytes(&self, symbol: usize) -> &[u8] {
        self.token(symbol)
            .and_then(|token| self.vocabulary.get(token))
            .unwrap_or_default()
    }

    /// The table from token ids to bytes.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The escape's share, as [`lmz_coder::Distribution::new`] takes it: 0 where every byte is a token, else 12.
    pub fn escape_shift(&self) -> u32 {
        self.escape_shift
    }
}
