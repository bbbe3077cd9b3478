//! Files to `.lmz` and back.
//!
//! Here the container (`lmz-format`), the coder (`lmz-coder`) and the integer engine (`lmz-exact`)
//! meet. A file is cut into segments that decode independently; within a segment the model runs in
//! blocks of a bounded context. What a model would not shrink is kept by zstd or as it is.
//!
//! * [`compress`] and [`decompress`] work on streams; [`decompress_seekable`] survives a damaged header, and
//!   [`salvage`] restores what is left of a damaged file;
//! * [`Writer`] is a [`std::io::Write`]; [`Reader`] gives random access ([`Reader::read_at`]);
//! * a [`Model`] is opened from a Hugging Face directory or a prepared `.lmzm`; a [`ModelSource`] finds
//!   the one that a file names;
//! * [`trace`] tells of a finished file what each symbol cost and what the model was shown.
//!
//! ```
//! use lmz_codec::{CompressOptions, DecompressOptions, Model, compress, decompress};
//!
//! let model = Model::open("../../models/archive/bootstrap/bootstrap.lmzm".as_ref())?;
//! let mut packed = Vec::new();
//! compress(&b"some text"[..], &mut packed, &model, &CompressOptions::default(), &())?;
//! let mut restored = Vec::new();
//! decompress(&packed[..], &mut restored, &model, &DecompressOptions::default(), &())?;
//! assert_eq!(restored, b"some text");
//! # Ok::<(), lmz_codec::CodecError>(())
//! ```
#![forbid(unsafe_code)]

mod blocks;
mod decode;
mod decompress;
mod device;
mod encode;
mod error;
mod fallback;
mod lane;
mod model;
mod observer;
mod options;
mod prime;
mod reader;
mod salvage;
mod shown;
mod source;
mod timing;
pub mod trace;
mod writer;

pub use decompress::{DecompressReport, decompress, decompress_seekable};
pub use error::{CodecError, ErrorKind, Result};
pub use model::{Model, names};
pub use observer::{Observer, Phase};
pub use options::{CompressOptions, DecompressOptions};
pub use prime::Prime;
pub use reader::Reader;
pub use salvage::{Fill, LostRange, SalvageReport, salvage};
pub use source::ModelSource;
pub use timing::{Timing, Timings};
pub use writer::{CompressReport, Writer, compress};

pub use lmz_exact::{Accelerator, Isa, Kernel};
pub use lmz_format::{ContextPolicy, Header, ModelId, SegmentPlan};
