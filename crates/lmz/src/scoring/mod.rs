//! Models as [`lmz_metric`] scores them: weights, a tokenizer, and an identity.

mod error;
#[cfg(feature = "float")]
mod float;
mod stream;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use lmz_codec::{Kernel, Model};
use lmz_exact::{Prepared, prepare};
use lmz_metric::{ModelIdentity, PublishedTokenizer, Tokenize};
use lmz_model::{Blueprint, Checkpoint, ExactTokenizer, Network, Weights};

pub use error::ScoringError;
#[cfg(feature = "float")]
pub use float::FloatScorer;
pub use stream::stream;

use crate::store::{ModelStore, Origin};

/// Largest `tokenizer.json`, in bytes.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// A model that can be scored.
///
/// A Hugging Face directory is scored as it is: its weights, and its `tokenizer.json` with normaliser
/// and special tokens; a GGUF file likewise, with the `tokenizer.json` that its metadata give. A prepared model is scored by what its int8 weights stand for, with the
/// codec's tokenizer, which is the only one that it carries: no special tokens, no normaliser.
pub struct ScoredModel {
    /// What people call it.
    pub name: String,
    /// Which model it is.
    pub identity: ModelIdentity,
    /// The weights that the float engine runs.
    pub weights: Arc<dyn Weights + Send + Sync>,
    /// Turns documents into the model's tokens.
    pub tokenizer: Box<dyn Tokenize>,
    source: Source,
}

enum Source {
    /// A directory, or a GGUF file.
    Checkpoint(std::path::PathBuf),
    Prepared(Arc<Prepared>),
}

impl std::fmt::Debug for ScoredModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScoredModel")
            .field("name", &self.name)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl ScoredModel {
    /// The model that somebody asked for: a Hugging Face directory, a GGUF file, a model of the hub that was fetched, or what
    /// [`ModelStore::load`] finds; the embedded one if none is named.
    ///
    /// # Errors
    /// There is none, or more than one; it cannot be read, or is not supported.
    pub fn open(store: &ModelStore, asked: Option<&OsStr>) -> Result<Self, ScoringError> {
        let Some(asked) = asked else {
            return Self::prepared(Origin::Embedded.load()?);
        };
        match store.checkpoint(asked)? {
            Some(path) if path.is_dir() => Self::directory(&path),
            Some(path) => Self::gguf(&path),
            None => Self::prepared(store.load(asked)?),
        }
    }

    /// The Hugging Face directory that it was read from, if it is one.
    pub fn checkpoint_directory(&self) -> Option<&Path> {
        match &self.source {
            Source::Checkpoint(path) if path.is_dir() => Some(path),
            _ => None,
        }
    }

    fn directory(path: &Path) -> Result<Self, ScoringError> {
        let network = Network::open(path)?;
        let json = tokenizer_json(path)?;
        Self::checkpoint(path, network, &json)
    }

    fn gguf(path: &Path) -> Result<Self, ScoringError> {
        let checkpoint = Checkpoint::open(path)?;
        Self::checkpoint(path, checkpoint.network, &checkpoint.tokenizer_json)
    }

    fn checkpoint(path: &Path, network: Network, json: &[u8]) -> Result<Self, ScoringError> {
        Ok(Self {
            name: network.name.clone(),
            identity: ModelIdentity {
                kind: "checkpoint".into(),
                hash: blake3::Hash::from_bytes(network.weights_hash()?)
                    .to_hex()
                    .to_string(),
                tokenizer: "tokenizer.json".into(),
                tokenizer_hash: blake3::hash(json).to_hex().to_string(),
            },
            tokenizer: Box::new(PublishedTokenizer::new(json)?),
            weights: Arc::new(network),
            source: Source::Checkpoint(path.to_owned()),
        })
    }

    fn prepared(prepared: Prepared) -> Result<Self, ScoringError> {
        let json = prepared.tokenizer_json()?;
        let tokenizer = ExactTokenizer::new(&json, &prepared.vocabulary()?)?;
        let prepared = Arc::new(prepared);
        Ok(Self {
            name: prepared.name.chars().filter(|c| !c.is_control()).collect(),
            identity: ModelIdentity {
                kind: "prepared".into(),
                hash: blake3::Hash::from_bytes(prepared.identity())
                    .to_hex()
                    .to_string(),
                tokenizer: "exact".into(),
                tokenizer_hash: blake3::hash(&json).to_hex().to_string(),
            },
            weights: prepared.clone(),
            tokenizer: Box::new(tokenizer),
            source: Source::Prepared(prepared),
        })
    }

    /// What the model computes.
    pub fn blueprint(&self) -> &Blueprint {
        self.weights.blueprint()
    }

    /// The model as the codec runs it; a directory or a GGUF file is prepared for that.
    ///
    /// # Errors
    /// The integer engine cannot run it.
    pub fn codec(&self) -> Result<Model, ScoringError> {
        let prepared = match &self.source {
            Source::Prepared(prepared) => Prepared::clone(prepared),
            Source::Checkpoint(path) => {
                let checkpoint = Checkpoint::open(path)?;
                prepare(&checkpoint, &checkpoint.name)?
            }
        };
        Ok(Model::from_prepared(prepared, Kernel::detect())?)
    }
}

fn tokenizer_json(directory: &Path) -> Result<Vec<u8>, ScoringError> {
    use std::io::Read;

    let path = directory.join("tokenizer.json");
    lmz_model::check_regular(&path)?;
    let mut json = Vec::new();
    let read = std::fs::File::open(&path)
        .and_then(|file| file.take(MAX_TOKENIZER_BYTES + 1).read_to_end(&mut json));
    let reason = match read {
        Ok(_) if json.len() as u64 > MAX_TOKENIZER_BYTES => "too large".into(),
        Ok(_) => return Ok(json),
        Err(error) => error.to_string(),
    };
    Err(ScoringError::Tokenizer { path, reason })
}
