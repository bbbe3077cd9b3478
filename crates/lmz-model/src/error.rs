//! What can go wrong when a model directory is read.

use std::io;
use std::path::PathBuf;

pub use lmz_format::ErrorKind;

/// Shorthand for this crate's results.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

/// An error of this crate. Every variant names the file, field or tensor at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file could not be opened, read or mapped.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The regular expressions of a model's tokenizer take too long.
    #[error(
        "its tokenizer's regular expressions take too long on this text, more than {} s: a fault of the model's, and of some \
        texts only", .0.as_secs()
    )]
    TooSlow(std::time::Duration),
    /// A directory lacks a file that a model needs.
    #[error("{} holds no {file}", directory.display())]
    MissingFile {
        /// The model's directory.
        directory: PathBuf,
        /// The name or names that were looked for.
        file: &'static str,
    },
    /// A text file is larger than any real model's.
    #[error("{}: {bytes} bytes, more than the {limit} that such a file may have", path.display())]
    TooLarge {
        /// The file at fault.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
        /// The largest accepted size in bytes.
        limit: u64,
    },
    /// A file is not the JSON that it should be.
    #[error("{file}: {reason}")]
    Json {
        /// The file's name.
        file: String,
        /// The parser's message, with line and column.
        reason: String,
    },
    /// A field that the model needs is absent.
    #[error("{file}: the field {field} is missing")]
    MissingField {
        /// The file's name.
        file: String,
        /// The field, with dots between levels.
        field: String,
    },
    /// A field has the wrong type or an impossible value.
    #[error("{file}: the field {field} {reason}")]
    InvalidField {
        /// The file's name.
        file: String,
        /// The field, with dots between levels.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A field asks for mathematics that no engine here implements.
    #[error("{file}: {field} = {value} is not supported")]
    Unsupported {
        /// The file's name.
        file: String,
        /// The field, with dots between levels.
        field: String,
        /// Its value, as JSON.
        value: String,
    },
    /// A blueprint's sizes are out of bounds or contradict each other.
    #[error("blueprint: {field} {reason}")]
    Blueprint {
        /// The blueprint's field.
        field: &'static str,
        /// The bound that it breaks.
        reason: String,
    },
    /// A safetensors file is truncated or malformed.
    #[error("{file}: not a complete safetensors file: {reason}")]
    Safetensors {
        /// The file's name.
        file: String,
        /// The parser's message.
        reason: String,
    },
    /// A GGUF file is truncated or malformed.
    #[error("{file}: not a complete GGUF file: {reason}")]
    Gguf {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A GGUF file of a kind that this version does not read.
    #[error("{file}: {reason}")]
    GgufUnsupported {
        /// The file's name.
        file: String,
        /// What it is, and what to do.
        reason: String,
    },
    /// One of the files of a model in several GGUF files is not there.
    #[error(
        "{}: part {number} of {count} is missing: put all parts of the model into one folder",
        path.display()
    )]
    MissingPart {
        /// Where it should be.
        path: PathBuf,
        /// Which part it is, from 1.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// The index of a sharded checkpoint names a file outside its directory.
    #[error(
        "{file}: the tensor {tensor} is said to lie in {shard:?}, which is not a plain file name"
    )]
    ShardName {
        /// The index file's name.
        file: String,
        /// The name of the tensor at fault, as in the file.
        tensor: String,
        /// The offending entry.
        shard: String,
    },
    /// A tensor that the blueprint asks for does not exist.
    #[error("{file}: the tensor {tensor} is missing")]
    MissingTensor {
        /// The name of the tensor at fault, as in the file.
        tensor: String,
        /// The file that should hold it.
        file: String,
    },
    /// A tensor's shape is not the one that the blueprint gives.
    #[error("{file}: the tensor {tensor} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The name of the tensor at fault, as in the file.
        tensor: String,
        /// The file that holds it.
        file: String,
        /// The blueprint's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// A tensor's numbers are of a type other than F32, F16 and BF16.
    #[error("{file}: the tensor {tensor} has type {dtype}, supported are F32, F16 and BF16")]
    TensorType {
        /// The name of the tensor at fault, as in the file.
        tensor: String,
        /// The file that holds it.
        file: String,
        /// The type found.
        dtype: String,
    },
    /// A tensor holds an infinity or a NaN.
    #[error("{file}: the tensor {tensor} is not finite at element {element}")]
    NonFinite {
        /// The name of the tensor at fault, as in the file.
        tensor: String,
        /// The file that holds it.
        file: String,
        /// The first such element, in row-major order.
        element: usize,
    },
    /// Rows were asked for that a tensor does not have.
    #[error("the tensor {tensor} has {rows} rows, asked for {start}..{end}")]
    Rows {
        /// The name of the tensor at fault, as in the file.
        tensor: String,
        /// Its number of rows.
        rows: usize,
        /// First row asked for.
        start: usize,
        /// One past the last row asked for.
        end: usize,
    },
    /// A part was asked for that the model does not have.
    #[error("the model has no part {part}")]
    NoPart {
        /// What of the model is missing, as the mathematics names it.
        part: String,
    },
    /// A tokenizer of a kind that cannot be made exact.
    #[error("tokenizer.json: unsupported tokenizer kind: {0}")]
    TokenizerKind(String),
    /// A tokenizer that contradicts itself or the model.
    #[error("tokenizer.json: {0}")]
    Tokenizer(String),
}

impl ModelError {
    /// The broad class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Io,
            Self::Unsupported { .. }
            | Self::TensorType { .. }
            | Self::GgufUnsupported { .. }
            | Self::TokenizerKind(_) => ErrorKind::Compatibility,
            Self::MissingFile { .. }
            | Self::MissingField { .. }
            | Self::MissingPart { .. }
            | Self::MissingTensor { .. } => ErrorKind::InsufficientData,
            Self::Rows { .. } | Self::NoPart { .. } => ErrorKind::InvalidArgument,
            Self::TooLarge { .. }
            | Self::Json { .. }
            | Self::InvalidField { .. }
            | Self::Blueprint { .. }
            | Self::Safetensors { .. }
            | Self::Gguf { .. }
            | Self::ShardName { .. }
            | Self::Shape { .. }
            | Self::NonFinite { .. }
            | Self::Tokenizer(_)
            | Self::TooSlow(_) => ErrorKind::Corruption,
        }
    }
}
