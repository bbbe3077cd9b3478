//! A model directory as a whole, and the hash of its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::blueprint::Blueprint;
use crate::config::{CONFIG, parse_config};
use crate::error::{ModelError, Result};
use crate::tensors::Tensors;
use crate::vocab::Vocabulary;

const TOKENIZER: &str = "tokenizer.json";
const MAX_CONFIG_BYTES: u64 = 4 << 20;
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;
const HASH_DOMAIN: &str = "lmz checkpoint v1";

/// A Hugging Face model directory.
#[derive(Debug)]
pub struct Checkpoint {
    /// The directory's name, for people to read; it is no part of the content hash.
    pub name: String,
    /// What the model computes.
    pub blueprint: Blueprint,
    /// Its weights; every tensor of the blueprint is present with the right shape.
    pub tensors: Tensors,
    /// The exact bytes of every token.
    pub vocabulary: Vocabulary,
    /// `tokenizer.json` as it is in the directory.
    pub tokenizer_json: Vec<u8>,
    /// Fields of `config.json` that this version does not know, sorted.
    pub ignored_fields: Vec<String>,
    /// Tensors that the blueprint does not use, sorted. A bias among them would mean that the
    /// configuration does not tell the whole truth.
    pub ignored_tensors: Vec<String>,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and the headers of the weights.
    ///
    /// # Errors
    /// A file is missing, too large or malformed; the model is of an unsupported kind; a tensor
    /// is missing, misshapen or of an unsupported type. That every weight is finite is checked
    /// when it is read.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let required = |file: &'static str| {
            let path = directory.join(file);
            if path.exists() {
                return Ok(path);
            }
            // A directory that is not there is an error of its own.
            std::fs::read_dir(directory).map_err(|source| ModelError::Io {
                path: directory.to_owned(),
                source,
            })?;
            Err(ModelError::MissingFile {
                directory: directory.to_owned(),
                file,
            })
        };
        let config = parse_config(&read_bounded(&required(CONFIG)?, MAX_CONFIG_BYTES)?)?;
        let blueprint = config.blueprint;
        let tokenizer_json = read_bounded(&required(TOKENIZER)?, MAX_TOKENIZER_BYTES)?;
        let vocabulary = Vocabulary::from_tokenizer_json(&tokenizer_json, blueprint.vocab_size)?;
        let tensors = Tensors::open(directory)?;
        let specs = blueprint.tensors();
        for spec in &specs {
            tensors.get(&spec.name, &spec.shape)?;
        }
        let ignored_tensors = tensors
            .names()
            .into_iter()
            .filter(|name| specs.iter().all(|spec| spec.name != *name))
            .map(str::to_owned)
            .collect();
        // "." and "dir/.." have a name only once resolved.
        let resolved = directory.canonicalize();
        let name = resolved.as_deref().unwrap_or(directory).file_name();
        Ok(Self {
            name: name.unwrap_or_default().to_string_lossy().into_owned(),
            blueprint,
            tensors,
            vocabulary,
            tokenizer_json,
            ignored_fields: config.ignored_fields,
            ignored_tensors,
        })
    }

    /// The BLAKE3 hash of what the model is, independent of file names, sharding and the fields
    /// that do not matter.
    ///
    /// The hashed bytes are, with every number a little-endian u64 unless said otherwise and
    /// `string(s)` meaning the length of `s` in bytes followed by `s`:
    ///
    /// 1. `string("lmz checkpoint v1")`
    /// 2. `string(`[`Blueprint::canonical_json`]`)`
    /// 3. the number of tensors; for each tensor of [`Blueprint::tensors`], in that order:
    ///    `string(name)`, `string(type)` (`F32`, `F16` or `BF16`), the number of dimensions, each
    ///    dimension, `string(raw bytes)` as in the file (little-endian, row-major)
    /// 4. the number of token ids; for each id: one byte, 1 if it stands for bytes and 0 if
    ///    not, then `string(bytes)`, empty if not
    ///
    /// # Errors
    /// As [`Tensors::get`].
    pub fn content_hash(&self) -> Result<[u8; 32]> {
        let mut hash = blake3::Hasher::new();
        let string = |hash: &mut blake3::Hasher, bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        let number = |hash: &mut blake3::Hasher, n: usize| {
            hash.update(&(n as u64).to_le_bytes());
        };
        string(&mut hash, HASH_DOMAIN.as_bytes());
        string(&mut hash, self.blueprint.canonical_json().as_bytes());
        let specs = self.blueprint.tensors();
        number(&mut hash, specs.len());
        for spec in specs {
            let tensor = self.tensors.get(&spec.name, &spec.shape)?;
            string(&mut hash, spec.name.as_bytes());
            string(&mut hash, tensor.dtype.name().as_bytes());
            number(&mut hash, spec.shape.len());
            for dimension in spec.shape {
                number(&mut hash, dimension);
            }
            string(&mut hash, tensor.bytes);
        }
        number(&mut hash, self.vocabulary.len());
        for (_, bytes) in self.vocabulary.iter() {
            hash.update(&[u8::from(bytes.is_some())]);
            string(&mut hash, bytes.unwrap_or_default());
        }
        Ok(hash.finalize().into())
    }
}

/// A whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |source| ModelError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let too_large = |bytes| ModelError::TooLarge {
        path: path.to_owned(),
        bytes,
        limit,
    };
    if bytes > limit {
        return Err(too_large(bytes));
    }
    // A file may grow, and a pipe has no size: the limit holds for what is read.
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content).map_err(io)?;
    if content.len() as u64 > limit {
        return Err(too_large(content.len() as u64));
    }
    Ok(content)
}
