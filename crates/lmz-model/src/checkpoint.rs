//! A model directory as a whole, and the hash of its content.

use std::ops::Deref;
use std::path::Path;

use crate::error::Result;
use crate::files::{read_bounded, required};
use crate::network::{ContentHash, Network};
use crate::vocab::Vocabulary;

const TOKENIZER: &str = "tokenizer.json";
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;
const HASH_DOMAIN: &str = "lmz checkpoint v1";

/// A Hugging Face model directory: a [`Network`], to which it dereferences, and its vocabulary.
#[derive(Debug)]
pub struct Checkpoint {
    /// What the model computes.
    pub network: Network,
    /// The exact bytes of every token.
    pub vocabulary: Vocabulary,
    /// `tokenizer.json` as it is in the directory.
    pub tokenizer_json: Vec<u8>,
}

impl Deref for Checkpoint {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.network
    }
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and the headers of the weights.
    ///
    /// # Errors
    /// As [`Network::open`]; also a tokenizer that is missing, too large or malformed, or that
    /// cannot be made exact.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let network = Network::open(directory)?;
        let path = required(directory, TOKENIZER)?;
        let tokenizer_json = read_bounded(&path, MAX_TOKENIZER_BYTES)?;
        let vocab_size = network.blueprint.vocab_size;
        let vocabulary = Vocabulary::from_tokenizer_json(&tokenizer_json, vocab_size)?;
        Ok(Self {
            network,
            vocabulary,
            tokenizer_json,
        })
    }

    /// The BLAKE3 hash of what the model is, independent of file names, sharding and the fields
    /// that do not matter.
    ///
    /// The hashed bytes are, with every number a little-endian u64 unless said otherwise and
    /// `string(s)` meaning the length of `s` in bytes followed by `s`:
    ///
    /// 1. `string("lmz checkpoint v1")`
    /// 2. `string(`[`Blueprint::canonical_json`](crate::Blueprint::canonical_json)`)`
    /// 3. the number of tensors; for each tensor of
    ///    [`Blueprint::tensors`](crate::Blueprint::tensors), in that order: `string(name)`,
    ///    `string(type)` (`F32`, `F16` or `BF16`), the number of dimensions, each dimension,
    ///    `string(raw bytes)` as in the file (little-endian, row-major)
    /// 4. the number of token ids; for each id: one byte, 1 if it stands for bytes and 0 if
    ///    not, then `string(bytes)`, empty if not
    ///
    /// # Errors
    /// As [`Tensors::get`](crate::Tensors::get).
    pub fn content_hash(&self) -> Result<[u8; 32]> {
        let mut hash = ContentHash::new(HASH_DOMAIN);
        hash.network(&self.network)?;
        hash.number(self.vocabulary.len());
        for (_, bytes) in self.vocabulary.iter() {
            hash.flag(bytes.is_some());
            hash.string(bytes.unwrap_or_default());
        }
        Ok(hash.finish())
    }
}
