//! A text that the model is shown before each segment (docs/format.md, Priming).

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use lmz_exact::{MAX_CONTEXT, Symbols};
#[cfg(feature = "encode")]
use lmz_format::ContextPolicy;
use lmz_format::{Header, PrimeId, RawHash};
use lmz_model::Symbol;

use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::shown::Shown;

/// The most bytes that a prime may have.
const MAX_LEN: u64 = 16 << 20;

/// A text to condition the model on: a beginning that costs nothing, because both sides have it.
///
/// The model reads the text's last tokens before the first byte of every segment, as many as half a
/// block holds. The file names the text by hash and length; it decodes with the same text alone.
///
/// Clones share what was computed for the model that had it last, so that one prime for many messages
/// costs little more for each than no prime.
#[derive(Clone)]
pub struct Prime(Arc<Text>);

struct Text {
    name: String,
    bytes: Vec<u8>,
    hash: [u8; 16],
    last: Mutex<Option<Spelled>>,
}

/// The text as one model's vocabulary spells it.
struct Spelled {
    model: [u8; 32],
    symbols: usize,
    /// The last of them, as many as any context holds.
    tail: Vec<Symbol>,
    shown: Shown,
}

impl PartialEq for Prime {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.bytes == other.0.bytes
    }
}

impl Eq for Prime {}

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
        Ok(Self(Arc::new(Text {
            name,
            bytes,
            hash,
            last: Mutex::default(),
        })))
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
    #[cfg(feature = "encode")]
    pub(crate) fn begin(&self, model: &Model, policy: ContextPolicy) -> Result<(PrimeId, Shown)> {
        let shown = self.shown(model, |symbols| {
            let most = (policy.context / 2) as usize;
            match symbols.min(most) {
                0 => Err(CodecError::InvalidArgument(
                    "a context of one token has no room for a prime".into(),
                )),
                tokens => Ok(tokens),
            }
        })?;
        let id = PrimeId {
            hash: self.0.hash,
            len: self.0.bytes.len() as u64,
            tokens: shown.len() as u32,
        };
        Ok((id, shown))
    }

    /// Its last symbols, of which `tokens` says how many, given how many it has: no more than these, and
    /// than [`MAX_CONTEXT`].
    fn shown(&self, model: &Model, tokens: impl FnOnce(usize) -> Result<usize>) -> Result<Shown> {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = model.prepared().identity();
        let known = last.take().filter(|spelled| spelled.model == identity);
        let spelled = last.insert(known.unwrap_or_else(|| {
            let mut tail = spell(model.engine().symbols(), &self.0.bytes);
            let symbols = tail.len();
            tail.drain(..symbols.saturating_sub(MAX_CONTEXT));
            Spelled {
                model: identity,
                symbols,
                tail,
                shown: Shown::default(),
            }
        }));
        let tokens = tokens(spelled.symbols)?;
        if spelled.shown.len() != tokens {
            let from = spelled.tail.len() - tokens;
            let start_token = model.engine().start_token();
            spelled.shown = Shown::new(&spelled.tail[from..], start_token);
        }
        Ok(spelled.shown.clone())
    }
}

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
    prime.shown(model, |symbols| match id.tokens as usize {
        tokens if tokens <= symbols.min(MAX_CONTEXT) => Ok(tokens),
        tokens => Err(CodecError::InvalidArgument(format!(
            "the file was primed with {tokens} tokens of a text that has {symbols}"
        ))),
    })
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
