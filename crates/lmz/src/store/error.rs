//! Why a model was not found, in words that help to find it.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use lmz_codec::{CodecError, ErrorKind};
use lmz_format::{Header, ModelId};
use lmz_hub::HubError;

use super::places::Place;

/// A model that was the default once and is kept in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Its identity: 32 hexadecimal digits.
    pub id: &'static str,
    /// Its file, from the root of the repository.
    pub file: &'static str,
}

/// All former default models.
pub const ARCHIVED: &[Archived] = &[Archived {
    id: "acdc397fc142884380ffca87dc82561b",
    file: "models/archive/bootstrap/bootstrap.lmzm",
}];

/// An error of a [`ModelStore`](crate::ModelStore).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No model has the name or identity that was asked for.
    #[error("no model {asked:?}: it is no file or directory, and the models known by name are {} \
        (looked in: the program itself{})",
        names.join(", "),
        places.iter().map(|p| format!("; {p}")).collect::<String>())]
    Unknown {
        /// What was asked for.
        asked: String,
        /// The names that are known.
        names: Vec<String>,
        /// The directories that were looked at.
        places: Vec<String>,
    },
    /// Several models have it.
    #[error("{asked:?} is more than one model; use the id, or the path: {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// The models.
        candidates: Vec<String>,
    },
    /// It would be a model of the hub, and cannot be used.
    #[error("{}{source}", match source {
        HubError::NotHere { name, .. } => format!("no model {name:?}: it is no file or directory, and "),
        _ => String::new(),
    })]
    Hub {
        /// Why not.
        source: HubError,
    },
    /// A file's model is nowhere.
    #[error("{0}")]
    NotFound(String),
    /// A model cannot be opened.
    #[error("model {origin}: {source}")]
    Open {
        /// Where it is.
        origin: String,
        /// What is wrong with it.
        source: Box<CodecError>,
    },
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl StoreError {
    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown { .. } | Self::Ambiguous { .. } => ErrorKind::InvalidArgument,
            Self::Hub { source } => match source {
                HubError::Incomplete { .. } => ErrorKind::InsufficientData,
                HubError::Damaged { .. } => ErrorKind::Corruption,
                HubError::Io { .. } => ErrorKind::Io,
                _ => ErrorKind::InvalidArgument,
            },
            Self::NotFound(_) => ErrorKind::Compatibility,
            Self::Open { source, .. } => source.kind(),
            Self::Io { .. } => ErrorKind::Io,
        }
    }
}

/// What a search for a file's model has met so far.
pub(super) struct Search<'a> {
    header: &'a Header,
    looked: Vec<String>,
    namesakes: Vec<String>,
    broken: Vec<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(header: &'a Header) -> Self {
        Self {
            header,
            looked: Vec::new(),
            namesakes: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// A model, but not the one.
    pub(super) fn saw(&mut self, what: &str, name: &str, id: ModelId) {
        // What lies in a directory is summed up by `looked`.
        if name == self.header.model_name && !name.is_empty() {
            self.namesakes.push(format!("{what} (id {id})"));
        }
    }

    /// A file that could have been the one.
    pub(super) fn failed(&mut self, error: String) {
        self.broken.push(error);
    }

    /// A directory, all files of which have been tried.
    pub(super) fn looked(&mut self, place: &Place) {
        self.looked.push(match place.files() {
            Ok(files) => match files.len() {
                0 => format!("{place}: no .lmzm file"),
                1 => format!("{place}: 1 .lmzm file"),
                n => format!("{place}: {n} .lmzm files"),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("{place}: no such directory")
            }
            Err(error) => format!("{place}: {error}"),
        });
    }

    pub(super) fn into_error(self) -> StoreError {
        let (name, id) = (&self.header.model_name, self.header.model_id.to_string());
        let mut text = match name.as_str() {
            "" => format!("it needs the model whose id begins with {id}, which was not found"),
            name => format!("it needs the model {name:?} (id {id}), which was not found"),
        };
        let mut line = |line: std::fmt::Arguments<'_>| {
            text.push('\n');
            // Writing to a string does not fail.
            let _ = text.write_fmt(line);
        };
        for what in &self.namesakes {
            line(format_args!(
                "  another model of the same name does not fit: {what}"
            ));
        }
        line(format_args!("  looked at: the model embedded in lmz"));
        for place in &self.looked {
            line(format_args!("  looked in: {place}"));
        }
        for error in &self.broken {
            line(format_args!("  could not use: {error}"));
        }
        match ARCHIVED
            .iter()
            .find(|archived| archived.id.starts_with(&id))
        {
            Some(archived) => line(format_args!(
                "  it is a former default: get {} from the lmz repository and give it with -m",
                archived.file
            )),
            None => line(format_args!(
                "  give it with -m, or put its .lmzm file into one of these directories"
            )),
        }
        StoreError::NotFound(text)
    }
}
