//! Errors of the codec: those of the layers below, and what only the whole can notice.

use lmz_exact::ExactError;
pub use lmz_format::ErrorKind;
use lmz_format::{FormatError, ModelId, Place};
use lmz_model::ModelError;

/// The result of everything in this crate.
pub type Result<T, E = CodecError> = std::result::Result<T, E>;

/// An error of compression or decompression.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The container.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The checkpoint.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model's tokenizer fails on a text.
    #[error("the model {model}: {why}")]
    Tokenizer {
        /// What the model is called.
        model: String,
        /// What its tokenizer says.
        why: ModelError,
    },
    /// The prepared model or the engine.
    #[error(transparent)]
    Exact(#[from] ExactError),
    /// A segment does not decode.
    #[error("damaged: segment {} of member {} (raw bytes {from}..{to}, file offset {}): {why}",
        .place.segment.unwrap_or(0), .place.member, .place.offset)]
    Segment {
        /// Its record in the file.
        place: Place,
        /// First raw byte that is lost, in the member.
        from: u64,
        /// End of the raw bytes that are lost.
        to: u64,
        /// What was found.
        why: String,
    },
    /// All segments decode, but together they are not the file that was compressed.
    #[error("damaged: member {member} decodes, but its hash is {found}, not {expected}")]
    Hash {
        /// Number of the member.
        member: u64,
        /// Hash of what was decoded.
        found: String,
        /// Hash in the footer.
        expected: String,
    },
    /// The file needs another model than the one at hand.
    #[error("this file needs the model {needed_name} ({needed}), not {found_name} ({found}){}",
        if needed_name == found_name { ": another model of the same name" } else { "" })]
    WrongModel {
        /// The model that the file names.
        needed: ModelId,
        /// Its name.
        needed_name: String,
        /// The model at hand.
        found: ModelId,
        /// Its name.
        found_name: String,
    },
    /// A source of models does not have the one that the file names.
    #[error("{0}")]
    ModelNotFound(String),
    /// The file was primed, and no prime is at hand.
    #[error("this file was compressed with --prime: it needs that text again (BLAKE3 hash {hash}{}, {len} bytes)",
        if hash.len() < 32 { "..." } else { "" })]
    PrimeMissing {
        /// The text's hash, or its first digits.
        hash: String,
        /// Its length in bytes.
        len: u64,
    },
    /// The file was primed with another text.
    #[error("{name} is not the text that this file was primed with: expected BLAKE3 hash {expected}{}, \
        {len} bytes; it has {found}, {found_len} bytes", if expected.len() < 32 { "..." } else { "" })]
    WrongPrime {
        /// What the text at hand is called.
        name: String,
        /// The hash of the right one, or its first digits.
        expected: String,
        /// The right one's length in bytes.
        len: u64,
        /// The hash of the text at hand, as many digits.
        found: String,
        /// Its length in bytes.
        found_len: u64,
    },
    /// Numerics or a recipe that this build does not have, or a context beyond its limit.
    #[error(
        "this file needs {what} {found}; this build has {supported}: use another version of lmz"
    )]
    Unsupported {
        /// Which number.
        what: &'static str,
        /// Its value in the file.
        found: u64,
        /// What this build has.
        supported: u64,
    },
    /// A segment did not decode to what was compressed; nothing of it was written.
    #[error(
        "verification failed: raw bytes {from}..{to} did not decode to themselves ({why}). \
        Nothing is lost: keep the original, and please report this together with the machine's processor"
    )]
    Verification {
        /// First raw byte.
        from: u64,
        /// End of the raw bytes.
        to: u64,
        /// What was found.
        why: String,
    },
    /// The segment decodes, but this build would have coded it otherwise: what each symbol cost its
    /// writer cannot be told.
    #[error(
        "segment {} of member {} (file offset {}) restores, but another encoder wrote it: this \
        build codes the same bytes otherwise, so that their cost cannot be traced",
        .place.segment.unwrap_or(0), .place.member, .place.offset
    )]
    OtherEncoder {
        /// Its record in the file.
        place: Place,
    },
    /// What there is no memory for.
    #[error("there is no memory for the {bytes} bytes that {what} take ({remedy})")]
    Memory {
        /// Bytes that were asked for.
        bytes: usize,
        /// What takes them.
        what: String,
        /// What takes less.
        remedy: &'static str,
    },
    /// The caller asked for something impossible.
    #[error("{0}")]
    InvalidArgument(String),
    /// The observer asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// The raw input could not be read.
    #[error("cannot read the input: {0}")]
    Read(#[source] std::io::Error),
    /// The raw output could not be written.
    #[error("cannot write the output: {0}")]
    Write(#[source] std::io::Error),
}

impl CodecError {
    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Format(error) => error.kind(),
            Self::Model(error) | Self::Tokenizer { why: error, .. } => error.kind(),
            Self::Exact(error) => error.kind(),
            Self::Segment { .. } | Self::Hash { .. } | Self::Verification { .. } => {
                ErrorKind::Corruption
            }
            Self::WrongModel { .. }
            | Self::ModelNotFound(_)
            | Self::Unsupported { .. }
            | Self::PrimeMissing { .. }
            | Self::WrongPrime { .. }
            | Self::OtherEncoder { .. } => ErrorKind::Compatibility,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Memory { .. } | Self::Read(_) | Self::Write(_) => ErrorKind::Io,
        }
    }

    /// The I/O error underneath, if there is one.
    pub fn io(&self) -> Option<&std::io::Error> {
        match self {
            Self::Read(error) | Self::Write(error) => Some(error),
            Self::Format(FormatError::Read { source, .. } | FormatError::Write { source }) => {
                Some(source)
            }
            _ => None,
        }
    }
}
