//! What can go wrong, where it did, and what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::limits::FORMAT_VERSION;

/// The result of everything in this crate.
pub type Result<T, E = FormatError> = std::result::Result<T, E>;

/// The kinds of errors of all crates of lmz, for callers that act on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked to stop.
    Cancelled,
    /// The data is sound but needs another build, another model or another prime.
    Compatibility,
    /// The data contradicts itself or its format.
    Corruption,
    /// The data ends before its format says that it does, or a part of it is missing.
    InsufficientData,
    /// The caller asked for something impossible.
    InvalidArgument,
    /// The operating system, a device, the reader or the writer underneath failed.
    Io,
    /// The data is something else than an `.lmz` file.
    NotLmz,
}

/// Where in a file something was found. Members and segments are numbered from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Number of the member in the file.
    pub member: u64,
    /// Number of the segment in the member, where the place is inside one.
    pub segment: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}", self.offset)?;
        if let Some(segment) = self.segment {
            write!(f, ", segment {segment}")?;
        }
        write!(f, " of member {}", self.member)
    }
}

/// An error of the container.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The input holds no byte at all.
    #[error("the input is empty: not an .lmz file")]
    Empty,
    /// The input does not begin with the magic.
    #[error("not an .lmz file (it begins with {found:02x?}, not with 89 4c 4d 5a)")]
    NotLmz {
        /// The first bytes, at most four.
        found: Vec<u8>,
    },
    /// Something that is no member follows the last member.
    #[error("trailing garbage at {place}: everything before it is complete")]
    TrailingGarbage {
        /// Where the garbage begins; its member is the one that should have begun there.
        place: Place,
    },
    /// The member has another format version.
    #[error(
        "written by {} lmz (format version {version}); this build reads 1 to {FORMAT_VERSION} ({place})",
        if *version > FORMAT_VERSION { "a newer" } else { "an older" }
    )]
    Version {
        /// The version found.
        version: u8,
        /// The member's place.
        place: Place,
    },
    /// The header holds a field that must be understood and is not.
    #[error(
        "the header needs extension {tag}, which this build does not know ({place}): \
         use a newer lmz"
    )]
    UnknownExtension {
        /// The tag, an odd number.
        tag: u64,
        /// The member's place.
        place: Place,
    },
    /// A segment is coded in an unknown way.
    #[error("segment kind {kind} is not known to this build ({place}): use a newer lmz")]
    UnknownSegmentKind {
        /// The kind found.
        kind: u8,
        /// The record's place.
        place: Place,
    },
    /// The input ends too early.
    #[error("truncated: the input ends inside {part} ({place})")]
    Truncated {
        /// The part of the format that is cut.
        part: &'static str,
        /// The end of the input.
        place: Place,
    },
    /// The data contradicts itself or the format.
    #[error("damaged: {what} ({place})")]
    Corrupt {
        /// What is wrong there.
        what: Cow<'static, str>,
        /// Where in the file.
        place: Place,
    },
    /// The caller asked for something that the format cannot express.
    #[error("{0}")]
    InvalidArgument(Cow<'static, str>),
    /// The reader underneath failed.
    #[error("cannot read at {place}: {source}")]
    Read {
        /// The error underneath.
        source: io::Error,
        /// Where in the file.
        place: Place,
    },
    /// The writer underneath failed.
    #[error("cannot write: {source}")]
    Write {
        /// The error underneath.
        #[from]
        source: io::Error,
    },
}

impl FormatError {
    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Version { .. } | Self::UnknownExtension { .. } => ErrorKind::Compatibility,
            Self::UnknownSegmentKind { .. } => ErrorKind::Compatibility,
            Self::NotLmz { .. } => ErrorKind::NotLmz,
            Self::TrailingGarbage { .. } | Self::Corrupt { .. } => ErrorKind::Corruption,
            Self::Empty | Self::Truncated { .. } => ErrorKind::InsufficientData,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Read { .. } | Self::Write { .. } => ErrorKind::Io,
        }
    }

    /// Where in the file the error is, if it is about a place.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::TrailingGarbage { place }
            | Self::Version { place, .. }
            | Self::UnknownExtension { place, .. }
            | Self::UnknownSegmentKind { place, .. }
            | Self::Truncated { place, .. }
            | Self::Corrupt { place, .. }
            | Self::Read { place, .. } => Some(*place),
            Self::Empty | Self::NotLmz { .. } => Some(Place::default()),
            Self::InvalidArgument(_) | Self::Write { .. } => None,
        }
    }

    pub(crate) fn corrupt(what: impl Into<Cow<'static, str>>, place: Place) -> Self {
        Self::Corrupt {
            what: what.into(),
            place,
        }
    }

    pub(crate) fn invalid(what: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidArgument(what.into())
    }
}

/// What a parser of a byte slice found, before anybody has said where the slice lies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The slice ends too early; more bytes may help.
    Short,
    Corrupt(Cow<'static, str>),
    Version(u8),
    Extension(u64),
    Kind(u8),
}

impl Fault {
    pub(crate) fn corrupt(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Corrupt(what.into())
    }

    /// The error that this fault is, inside `part` at `place`.
    pub(crate) fn at(self, part: &'static str, place: Place) -> FormatError {
        match self {
            Self::Short => FormatError::Truncated { part, place },
            Self::Corrupt(what) => FormatError::Corrupt { what, place },
            Self::Version(version) => FormatError::Version { version, place },
            Self::Extension(tag) => FormatError::UnknownExtension { tag, place },
            Self::Kind(kind) => FormatError::UnknownSegmentKind { kind, place },
        }
    }
}
