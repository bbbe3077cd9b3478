//! `lmz` compresses files losslessly with a language model, and restores them exactly.
//!
//! A token costs -log2 of the probability that the model gives it, and an arithmetic coder turns
//! these bits into bytes. The model runs in integers, so that a file decodes bit for bit on any
//! machine, with any number of threads. This crate is the library behind the `lmz` command: the
//! codec, the model that is part of the program, and the search for other models.
//!
//! ```
//! use lmz::{CompressOptions, DecompressOptions, ModelStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = b"It was the best of times, it was the worst of times.";
//! let model = lmz::embedded_model()?;
//! let mut packed = Vec::new();
//! let report = lmz::compress(&text[..], &mut packed, &model, &CompressOptions::default(), &())?;
//! assert_eq!(report.raw_len, text.len() as u64);
//!
//! // The file names its model; the store finds it.
//! let mut restored = Vec::new();
//! let models = ModelStore::from_env();
//! lmz::decompress(&packed[..], &mut restored, &models, &DecompressOptions::default(), &())?;
//! assert_eq!(restored, text);
//! # Ok(())
//! # }
//! ```
//!
//! * [`compress`] and [`decompress`] work on streams; progress and cancellation go through an
//!   [`Observer`]. [`Writer`] is a [`std::io::Write`], [`Reader`] gives random access, and
//!   [`salvage`] restores what is left of a damaged file.
//! * [`Model`] is a prepared model; [`ModelStore`] finds one by name or by the identity that a
//!   file's header holds. [`placement`] decides on which device it runs.
//! * [`format`](mod@format) is the container alone: listing a file and reading its segments takes no model.
//!   [`inspect`] says what is in a file, with or without every symbol's cost.
//! * With the feature `float`, `eval` scores models in benchmarks.
//! * [`metric`] scores corpora, and accounts for every bit of a file.
//! * Every error has a kind: [`error_kind`].
//!
//! | cargo feature | what it adds |
//! |---|---|
//! | `float` | the floating-point engine: `float`, `bpc` and `FloatScorer` (burn: takes most of a build's time) |
//! | `pull` | `hub::Hub`: models of the Hugging Face hub are fetched |
//! | `train` | `train`: models of one's own; needs `float` |
//! | `bench` | `bench`: other compressors beside this one |
//! | `vulkan`, `cuda` | GPUs, with the same bytes as on the CPU |
#![forbid(unsafe_code)]

#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "float")]
mod bpc;
mod directories;
mod embedded;
#[cfg(feature = "float")]
pub mod eval;
pub mod figures;
pub mod inspect;
mod kind;
pub mod placement;
mod scoring;
mod store;
#[cfg(feature = "float")]
mod threads;

pub use lmz_codec::mixed::{GROUP_LEN, MAX_LANES, memory as group_memory};
pub use lmz_codec::{
    CodecError, CompressOptions, CompressReport, ContextPolicy, Decoder, DecompressOptions,
    DecompressReport, Direction, ErrorKind, Fill, Forecast, Header, Holes, Isa, Kernel, LostRange,
    Meter, Mix, Model, ModelId, ModelSource, Observer, Phase, Prime, Progress, Reader,
    SalvageReport, Salvaging, SegmentPlan, Timing, Timings, Writer, compress, compress_to_vec,
    decompress, decompress_seekable, decompress_to_vec, salvage, salvage_with_holes, trace,
    write_zeros,
};
pub use lmz_exact::{NUMERICS, NUMERICS_VERSION, Prepared, RECIPE, RECIPES, prepare, prepare_as};
pub use lmz_model::{Blueprint, Checkpoint};

/// The `.lmz` container (the crate `lmz-format`).
pub mod format {
    pub use lmz_format::*;
}

/// Model directories (the crate `lmz-model`).
pub mod model {
    pub use lmz_model::*;
}

/// Models of the Hugging Face hub, and the cache in which they lie (the crate `lmz-hub`).
pub mod hub {
    pub use lmz_hub::*;
}

/// Bits per character, and what a run of it consists of (the crate `lmz-metric`).
pub mod metric {
    pub use lmz_metric::*;
}

/// Models on GPUs, with the same bytes as on the CPU (the crate `lmz-gpu`).
pub mod gpu {
    pub use lmz_gpu::*;
}

/// The floating-point engine (the crate `lmz-float`).
#[cfg(feature = "float")]
pub mod float {
    pub use crate::threads::use_threads;
    pub use lmz_float::*;
}

/// Training of small models (the crate `lmz-train`).
#[cfg(feature = "train")]
pub mod train {
    pub use lmz_train::*;
}

#[cfg(feature = "float")]
pub use bpc::{BpcOptions, BpcWatch, bpc, bpc_sums};
pub use directories::cache_directory;
pub use embedded::{EMBEDDED_ID, embedded_bytes, embedded_model};
pub use kind::error_kind;
#[cfg(feature = "float")]
pub use scoring::FloatScorer;
pub use scoring::{ScoredModel, ScoringError, stream};
pub use store::{
    ARCHIVED, Archived, Found, KeptModel, ModelStore, ModelSummary, Origin, PreparedCache, Remarks,
    StoreError, summarise,
};
