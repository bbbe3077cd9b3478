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
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
mod footer;
mod hash;
mod header;
mod indexed;
mod input;
mod ledger;
mod plan;
mod prime;
mod record;
mod resync;
mod salvage;
mod scan;
mod small;
mod stream;
mod varint;
mod writer;

pub use error::{ErrorKind, FormatError, Place, Result};
pub use hash::{RawHash, RawHasher};
pub use header::{ContextPolicy, Form, Header, ModelId};
pub use indexed::{IndexedReader, Location, Member};
pub use ledger::ContainerBytes;
pub use plan::SegmentPlan;
pub use prime::PrimeId;
pub use record::{Payload, SegmentInfo, SegmentKind};
pub use salvage::{Lost, Part, Remains, Salvage, Slot};
pub use small::write_small;
pub use stream::{Event, StreamReader};
pub use writer::{Summary, Writer};

/// The first four bytes of every member.
pub const MAGIC: [u8; 4] = [0x89, b'L', b'M', b'Z'];
/// The last four bytes of every member.
pub const END_MAGIC: [u8; 4] = [b'Z', b'M', b'L', 0x89];
/// The format version that this build writes, and the only one that it reads.
pub const FORMAT_VERSION: u8 = 1;
/// The most raw bytes that a segment may hold (64 MiB), and so the most coded bytes.
pub const MAX_SEGMENT_LEN: u32 = 1 << 26;
/// The most bytes that a header's body may take.
pub const MAX_BODY_LEN: usize = 4096;
/// The most bytes that a model's name may take.
pub const MAX_MODEL_NAME_LEN: usize = 255;
/// The most raw bytes that a small member may hold.
pub const MAX_SMALL_LEN: usize = 4096;
/// The most ideal bits, in units of 1/256 bit, that a segment may claim per raw byte (64 bits).
pub const MAX_IDEAL_PER_RAW_BYTE: u64 = 64 * 256;
