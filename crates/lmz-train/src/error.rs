//! What can go wrong while a model is trained.

use std::io;
use std::path::{Path, PathBuf};

use lmz_corpus::CorpusError;
use lmz_float::FloatError;
use lmz_model::ModelError;

pub use lmz_model::ErrorKind;

/// Shorthand for this crate's results.
pub type Result<T> = std::result::Result<T, TrainError>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file at fault.
        path: PathBuf,
        /// What the operating system, or the decompressor, said.
        source: io::Error,
    },
    /// A file could not be written; what it was to replace is still there.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file at fault.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A corpus that cannot be read, or a path that is none.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Text of too little length, in all.
    #[error("{what}: {found} tokens, at least {needed} are needed")]
    Tiny {
        /// Which text it is: the corpus or the held-out one.
        what: String,
        /// How many tokens it has.
        found: u64,
        /// How many it should have.
        needed: u64,
    },
    /// A setting of a preset or a call.
    #[error("{name}: {reason}")]
    Setting {
        /// The name of the setting.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tokenizer that cannot be made or used.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The output directory is in use, not empty, or not one to resume.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The output directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A resumed run whose settings are not those it was started with.
    #[error(
        "{setting} was {before} when the run began and is {now} now: a run resumes with the settings it began with"
    )]
    Differs {
        /// The setting in which the two runs differ.
        setting: String,
        /// Its value in the run that is resumed.
        before: String,
        /// Its value now.
        now: String,
    },
    /// A saved state that is damaged.
    #[error("the saved state {}: {reason}", path.display())]
    State {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The loss or a gradient is no finite number any more.
    #[error(
        "training diverged at step {step}: the {what} is {value}; lower muon_rate and adam_rate in the preset{}",
        match saved { Some(step) => format!(" (the state of step {step} is kept)"), None => String::new() }
    )]
    Diverged {
        /// The step that it happened in.
        step: u64,
        /// Loss or gradient.
        what: &'static str,
        /// The number, which is not finite.
        value: f64,
        /// The step of the last saved state.
        saved: Option<u64>,
    },
    /// The model or its weights.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A failure of the engine in floating point.
    #[error(transparent)]
    Float(#[from] FloatError),
}

impl TrainError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { .. } | Self::Write { .. } | Self::Corpus(CorpusError::Io { .. }) => {
                ErrorKind::Io
            }
            Self::State { .. } => ErrorKind::Corruption,
            Self::Model(error) => error.kind(),
            Self::Float(error) => error.kind(),
            _ => ErrorKind::InvalidArgument,
        }
    }

    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn write(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn setting(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Setting {
            name: name.into(),
            reason: reason.into(),
        }
    }
}
