//! Files to `.lmz` and back.
//!
//! Here the container (`lmz-format`), the coder (`lmz-coder`) and the integer engine (`lmz-exact`)
//! meet. A file is cut into segments that decode independently; within a segment the model runs in
//! blocks of a bounded context. What a model would not shrink is kept by zstd or as it is. With [`Mix::Auto`] the
//! segments are [groups](mixed), of which all is learnt that was seen before.
//!
//! * [`compress`] and [`decompress`] work on streams; [`decompress_seekable`] survives a damaged header, and
//!   [`salvage`] restores what is left of a damaged file;
//! * [`Writer`] is a [`std::io::Write`], [`Decoder`] a [`std::io::Read`]; [`Reader`] gives random access
//!   ([`Reader::read_at`]); [`compress_to_vec`] and [`decompress_to_vec`] are for what is in memory;
//! * an [`Observer`] is told of progress and can cancel;
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

mod batches;
mod batching;
mod blocks;
mod clock;
mod decoder;
mod decompress;
mod device;
mod drive;
#[cfg(feature = "encode")]
mod entropy;
mod error;
#[cfg(feature = "encode")]
mod fallback;
#[cfg(all(feature = "encode", feature = "threads", feature = "clock"))]
mod forecast;
mod member;
mod memory;
mod meter;
pub mod mixed;
mod mixing;
mod model;
mod observer;
mod options;
#[cfg(feature = "encode")]
mod pack;
mod pool;
mod prime;
mod reader;
mod salvage;
mod shown;
mod source;
#[cfg(feature = "encode")]
mod spent;
mod timing;
#[cfg(feature = "encode")]
pub mod trace;
mod unzstd;
#[cfg(feature = "encode")]
mod writer;

pub use batches::DecompressReport;
pub use decoder::Decoder;
pub use decompress::{decompress, decompress_seekable, decompress_to_vec};
pub use error::{CodecError, ErrorKind, Result};
#[cfg(all(feature = "encode", feature = "threads", feature = "clock"))]
pub use forecast::Forecast;
pub use meter::Meter;
pub use model::{Model, names};
pub use observer::{Observer, Phase, Progress};
pub use options::{CompressOptions, DecompressOptions, Mix};
pub use prime::Prime;
pub use reader::Reader;
pub use salvage::{
    Fill, Holes, LostRange, MAX_WRITTEN_ZEROS, SalvageReport, Salvaging, salvage,
    salvage_with_holes, write_zeros,
};
pub use source::ModelSource;
pub use timing::{Direction, Timing, Timings};
#[cfg(feature = "encode")]
pub use writer::{CompressReport, Writer, compress, compress_to_vec};

pub use lmz_exact::{Accelerator, Isa, Kernel};
pub use lmz_format::{ContextPolicy, Header, ModelId, SegmentPlan};
