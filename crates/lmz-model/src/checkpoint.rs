//! A model as a whole, and the hash of its content.

use std::ops::Deref;
use std::path::Path;

use crate::error::{ModelError, Result};
use crate::files::{read_bounded, required};
use crate::gguf::{self, Gguf};
use crate::network::{ContentHash, Network};
use crate::vocab::Vocabulary;

const TOKENIZER: &str = "tokenizer.json";
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;
const HASH_DOMAIN: &str = "lmz checkpoint v1";

/// A model, from a Hugging Face directory or a GGUF file: a [`Network`], to which it
/// dereferences, and its vocabulary.
#[derive(Debug)]
pub struct Checkpoint {
    /// What the model computes.
    pub network: Network,
    /// The exact bytes of every token.
    pub vocabulary: Vocabulary,
    /// `tokenizer.json` as it is in the directory, or as it follows from a GGUF file's metadata.
    pub tokenizer_json: Vec<u8>,
}

impl Deref for Checkpoint {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.network
    }
}

impl Checkpoint {
    /// Reads a directory's `config.json`, `tokenizer.json` and the headers of its weights, or a
    /// GGUF file's metadata.
    ///
    /// # Errors
    /// As [`Network::open`]; also a tokenizer that is missing, too large or malformed, or that
    /// cannot be made exact.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let network = Network::open(path)?;
        if network.gguf().is_some() {
            return Self::with_gguf_tokenizer(network);
        }
        let tokenizer = required(path, TOKENIZER)?;
        let tokenizer_json = read_bounded(&tokenizer, MAX_TOKENIZER_BYTES)?;
        Self::new(network, tokenizer_json)
    }

    /// Reads the bytes of a GGUF file that holds a whole model; `name` is how errors call it.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_gguf(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let gguf = Gguf::from_bytes(name, bytes)?;
        Self::with_gguf_tokenizer(Network::from_gguf(gguf)?)
    }

    fn with_gguf_tokenizer(network: Network) -> Result<Self> {
        let (tokenizer_json, file) = match network.gguf() {
            Some(gguf) => (gguf::tokenizer_json(gguf)?, gguf.file().to_owned()),
            None => Default::default(),
        };
        // There is no tokenizer.json that anybody could look into.
        Self::new(network, tokenizer_json).map_err(|error| match error {
            ModelError::Tokenizer(reason) => ModelError::Gguf {
                reason: format!("its tokenizer contradicts itself or the model: {reason}"),
                file,
            },
            ModelError::TokenizerKind(reason) => ModelError::GgufUnsupported {
                reason: format!("its tokenizer is of an unsupported kind: {reason}"),
                file,
            },
            other => other,
        })
    }

    fn new(network: Network, tokenizer_json: Vec<u8>) -> Result<Self> {
        let vocab_size = network.blueprint.vocab_size;
        let vocabulary = Vocabulary::from_tokenizer_json(&tokenizer_json, vocab_size)?;
        Ok(Self {
            network,
            vocabulary,
            tokenizer_json,
        })
    }

    /// The BLAKE3 hash of what the model is, independent of file names, sharding and the fields
    /// that do not matter. A model's hash as a GGUF file is another than that of the directory
    /// that it was converted from.
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
    ///    Of a GGUF file: the number of tensors that hold parts of the model; for each, in the order
    ///    of the first part that it holds, the same with its name there, ggml's name of its type
    ///    (`Q4_K`), the dimensions with the row's length last, and its blocks
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
