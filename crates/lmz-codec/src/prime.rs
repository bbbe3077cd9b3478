//! A text that the model is shown before each segment (docs/format.md, Priming).

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use lmz_exact::Symbols;
use lmz_format::{ContextPolicy, Header, PrimeId, RawHash};
use lmz_model::Symbol;

use crate::error::{CodecError, Result};
use crate::model::Model;

/// The most bytes that a prime may have.
const MAX_LEN: u64 = 16 << 20;

/// A text to condition the model on: a beginning that costs nothing, because both sides have it.
///
/// The model reads the text's last tokens before the first byte of every segment, as many as half a
/// block holds. The file names the text by hash and length; it decodes with the same text alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Prime(Arc<Text>);

#[derive(PartialEq, Eq)]
struct Text {
    name: String,
    bytes: Vec<u8>,
    hash: [u8; 16],
}

impl fmt::Debug for Prime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prime({}, {} bytes)", self.0.name, self.0.bytes.len())
    }
}

impl Prime {
    /// A prime of these bytes; `name` is what messages call it.
    ///
    /// # Errors
    /// `InvalidArgument` for no bytes and for more than 16 MiB.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let (name, bytes) = (name.into(), bytes.into());
        if bytes.is_empty() || bytes.len() as u64 > MAX_LEN {
            return Err(CodecError::InvalidArgument(format!(
                "the prime {name} has {} bytes; 1 to {MAX_LEN} are possible",
                bytes.len()
            )));
        }
        let hash = RawHash::of(&bytes).0;
        Ok(Self(Arc::new(Text { name, bytes, hash })))
    }

    /// As [`Prime::new`], from a reader.
    ///
    /// # Errors
    /// As [`Prime::new`]; input that cannot be read.
    pub fn read(name: impl Into<String>, input: impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        let read = input.take(MAX_LEN + 1).read_to_end(&mut bytes);
        read.map_err(CodecError::Read)?;
        Self::new(name, bytes)
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The first 16 bytes of its BLAKE3 hash.
    pub fn hash(&self) -> [u8; 16] {
        self.0.hash
    }

    /// What `model` is shown of it under `policy`, and how a header names that.
    pub(crate) fn begin(&self, model: &Model, policy: ContextPolicy) -> Result<(PrimeId, Shown)> {
        let symbols = self.spelled(model);
        let most = (policy.context / 2) as usize;
        let tokens = symbols.len().min(most);
        if tokens == 0 {
            return Err(CodecError::InvalidArgument(
                "a context of one token has no room for a prime".into(),
            ));
        }
        let id = PrimeId {
            hash: self.0.hash,
            len: self.0.bytes.len() as u64,
            tokens: tokens as u32,
        };
        Ok((id, last(symbols, tokens)))
    }

    /// Every byte of it, as the vocabulary spells it.
    fn spelled(&self, model: &Model) -> Vec<Symbol> {
        spell(model.engine().symbols(), &self.0.bytes)
    }
}

/// The symbols that the model is shown before a segment; none without a prime.
pub(crate) type Shown = Arc<[Symbol]>;

/// What the model must be shown to decode the segments of `header`.
pub(crate) fn shown(header: &Header, model: &Model, prime: Option<&Prime>) -> Result<Shown> {
    let Some(id) = header.prime else {
        return Ok(Shown::default());
    };
    let Some(prime) = prime else {
        return Err(CodecError::PrimeMissing {
            hash: id.hash_text(),
            len: id.len,
        });
    };
    let found = prime.0.bytes.len() as u64;
    if !id.names(prime.0.hash, found) {
        let other = PrimeId {
            hash: prime.0.hash,
            len: found,
            ..id
        };
        return Err(CodecError::WrongPrime {
            name: prime.0.name.clone(),
            expected: id.hash_text(),
            len: id.len,
            found: other.hash_text()[..id.hash_text().len()].to_owned(),
            found_len: found,
        });
    }
    let symbols = prime.spelled(model);
    let tokens = id.tokens as usize;
    if tokens > symbols.len() {
        return Err(CodecError::InvalidArgument(format!(
            "the file was primed with {tokens} tokens of a text that has {}",
            symbols.len()
        )));
    }
    Ok(last(symbols, tokens))
}

fn last(symbols: Vec<Symbol>, tokens: usize) -> Shown {
    symbols[symbols.len() - tokens..].into()
}

/// Greedy, without a tokeniser: the longest token each time, of equally long ones the last.
fn spell(symbols: &Symbols, text: &[u8]) -> Vec<Symbol> {
    let mut tokens: HashMap<&[u8], u32> = HashMap::new();
    let mut longest = 0;
    for &token in symbols.tokens() {
        let bytes = symbols.vocabulary().get(token).unwrap_or_default();
        longest = longest.max(bytes.len());
        tokens.insert(bytes, token);
    }
    let mut spelled = Vec::new();
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let lengths = (1..=longest.min(rest.len())).rev();
        let found = lengths
            .filter_map(|len| Some((len, *tokens.get(&rest[..len])?)))
            .next();
        let (len, symbol) = match found {
            Some((len, token)) => (len, Symbol::Token(token)),
            None => (1, Symbol::Escape(byte)),
        };
        spelled.push(symbol);
        rest = &rest[len..];
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_primes_are_refused() {
        assert!(Prime::new("nothing", []).is_err());
        assert!(Prime::new("too much", vec![0; MAX_LEN as usize + 1]).is_err());
        assert!(Prime::read("much too much", std::io::repeat(1)).is_err());
        assert_eq!(Prime::read("p", &b"text"[..]).unwrap().name(), "p");
    }
}
