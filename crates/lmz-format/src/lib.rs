//! The `.lmz` container: how coded segments, their lengths, checks and index lie in a file.
//!
//! The normative text is `docs/format.md`. This crate knows no model and decodes no segment:
//! it hands out and takes in *coded* bytes. A file is one or more concatenated members; a
//! member is a header, segment records, an end byte and a footer that holds the index and a
//! second copy of the header. A member of a few hundred bytes may have a small form instead: one
//! short header and the coded bytes.
//!
//! * [`Writer`] writes a member to anything that implements [`std::io::Write`].
//! * [`StreamReader`] reads members in order from a pipe.
//! * [`IndexedReader`] opens a file from its end and reads any segment.
//! * [`write_small`] writes a small member.
//! * [`Salvage`] finds what is left in a damaged file.
//!
//! Bytes read are taken to be hostile: every length is checked before memory is allocated for
//! it, and reading terminates on any input.
//!
//! ```
//! use lmz_format::*;
//! # fn main() -> Result<()> {
//! let header = Header {
//!     numerics_version: 0,
//!     recipe: 1,
//!     mixing: 0,
//!     model_id: ModelId::new([7; 16]),
//!     checkpoint: [9; 16],
//!     model_name: "bootstrap".into(),
//!     context: ContextPolicy::new(512, 64)?,
//!     plan: SegmentPlan::Default,
//!     prime: None,
//!     form: Form::Full,
//! };
//! let mut writer = Writer::new(Vec::new(), &header)?;
//! writer.segment(b"hello", Payload::Stored)?;
//! let (file, summary) = writer.finish()?;
//! assert_eq!(summary.raw_len, 5);
//!
//! let mut reader = StreamReader::new(&file[..]);
//! assert!(matches!(reader.next_event()?, Event::MemberStart(h) if h == header));
//! let Event::Segment(info, coded) = reader.next_event()? else { unreachable!() };
//! assert_eq!((info.kind, coded.as_slice()), (SegmentKind::Stored, &b"hello"[..]));
//! info.check_raw(&coded)?;
//! # Ok(())
//! # }
//! ```
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
mod footer;
mod hash;
mod header;
mod indexed;
mod input;
mod ledger;
mod limits;
mod plan;
mod prime;
mod record;
mod salvage;
mod scan;
mod small;
mod stream;
mod varint;
mod version;
mod writer;

pub use error::{ErrorKind, FormatError, Place, Result};
pub use hash::{RawHash, RawHasher};
pub use header::{ContextPolicy, Form, Header, ModelId};
pub use indexed::{IndexedReader, Location, Member};
pub use ledger::ContainerBytes;
pub use limits::{
    END_MAGIC, FORMAT_VERSION, MAGIC, MAX_BODY_LEN, MAX_IDEAL_PER_RAW_BYTE, MAX_MODEL_NAME_LEN,
    MAX_SEGMENT_LEN, MAX_SMALL_LEN,
};
pub use plan::SegmentPlan;
pub use prime::PrimeId;
pub use record::{Payload, SegmentInfo, SegmentKind};
pub use salvage::{Lost, Part, Remains, Salvage, Slot};
pub use small::write_small;
pub use stream::{Event, StreamReader};
pub use version::FormatVersion;
pub use writer::{Summary, Writer};
