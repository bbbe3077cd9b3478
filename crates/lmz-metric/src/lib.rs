//! Bits per character, by protocols that anyone can check, and the ledger of a compressed file.
//!
//! A figure comes about in steps, each of which can be looked at by itself:
//!
//! 1. [`read_corpus`] gives documents in a fixed order, and counts what it leaves out;
//! 2. a [`Tokenize`]r turns each into tokens;
//! 3. a protocol ([`PaperPlanner`], [`DocumentPlanner`] or a codec's [`Stream`]) makes a [`Plan`]:
//!    windows over the tokens, each with a part that is scored;
//! 4. [`run`] sends the windows, in [`Batches`], to a [`Scorer`], which any engine can be, and
//!    adds up what it answers in a fixed order; with a [`Journal`] it can be killed and goes on
//!    where it was;
//! 5. a [`Report`] holds the figures and everything that they depend on.
//!
//! ```
//! use lmz_metric::{
//!     Batches, PaperPlanner, Plan, ScoreError, Scorer, Sliding, Tokenize, Window, run,
//! };
//!
//! /// Every one of 256 tokens is as likely as any other.
//! struct Uniform;
//!
//! impl Scorer for Uniform {
//!     fn batch(&self, _tokens: usize) -> usize {
//!         1
//!     }
//!     fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>, ScoreError> {
//!         let nats = 256f32.ln();
//!         Ok(windows.iter().map(|w| vec![nats; w.scored]).collect())
//!     }
//! }
//!
//! # struct Bytes;
//! # impl Tokenize for Bytes {
//! #     fn encode(&self, text: &str) -> lmz_metric::Result<lmz_metric::Encoded> {
//! #         Ok(lmz_metric::Encoded {
//! #             ids: text.bytes().map(u32::from).collect(),
//! #             ends: (1..=text.len()).collect(),
//! #             special: vec![false; text.len()],
//! #         })
//! #     }
//! # }
//! # fn main() -> lmz_metric::Result<()> {
//! let text = "Every byte a token, and none foreseen.";
//! let mut planner = PaperPlanner::new(Sliding::new(16, 8)?);
//! planner.push(text, &Bytes.encode(text)?);
//! let plan: Plan = planner.finish();
//! let batches = Batches::for_scorer(&plan, &Uniform);
//! let outcome = run(&plan, &batches, &mut Uniform, None, &())?;
//! let bits = outcome.sums.nats / std::f64::consts::LN_2;
//! assert!((bits - 8.0 * plan.counts.scored as f64).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).
#![forbid(unsafe_code)]

mod batches;
mod bootstrap;
mod corpus;
mod error;
mod files;
mod journal;
pub mod ledger;
mod plan;
mod protocol;
mod random;
mod record_log;
mod report;
mod run;
mod scorer;
mod shard;
mod sums;
mod sums_file;
mod tokenizer;
mod window;

pub use batches::{BatchSizes, Batches};
pub use bootstrap::{Interval, interval};
pub use corpus::{Census, CorpusOptions, MAX_DOCUMENT_BYTES, Skipped, read_corpus};
pub use error::{ErrorKind, MetricError, Result};
pub use journal::{BatchRecord, JOURNAL_FILE, Journal, RunHeader};
pub use lmz_corpus::CorpusError;
pub use plan::{DroppedTail, Plan, TokenCounts, Unit};
pub use protocol::{DocumentPlanner, PaperPlanner, Protocol, Stream, StreamSegment, StreamWindow};
pub use random::SplitMix64;
pub use record_log::RecordLog;
pub use report::{
    BatchFigures, CorpusFiles, CorpusIdentity, EngineIdentity, Figures, Identity, ModelIdentity,
    ProtocolIdentity, Provenance, RESULT_FILE, Report, ReportFacts, TimeFigures, WithoutTail,
    grouped,
};
pub use run::{Outcome, Part, Watch, run, run_part};
pub use scorer::{ScoreError, Scorer, Window};
pub use shard::Shard;
pub use sums::{Piece, Sums};
pub use sums_file::{DocumentFigures, SUMS_FILE, WindowSums};
pub use tokenizer::{Encoded, PublishedTokenizer, Tokenize};
pub use window::{MAX_WINDOW, Sliding, Span, Tail};
