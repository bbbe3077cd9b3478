//! What is asked for, and who follows it.

use std::ffi::OsString;
use std::path::PathBuf;

use lmz_float::{Device, Dtype};
use lmz_metric::{CorpusOptions, Protocol, Shard, Watch};

/// What is scored, and how.
#[derive(Clone, Debug)]
pub struct BpcOptions {
    /// The model: what [`ScoredModel::open`](crate::ScoredModel::open) takes.
    pub model: Option<OsString>,
    /// A corpus: what [`read_corpus`](lmz_metric::read_corpus) takes.
    pub corpus: PathBuf,
    /// What of the corpus is read.
    pub documents: CorpusOptions,
    /// From which context a token is predicted.
    pub protocol: Protocol,
    /// Tokens that a window predicts; 1,900 or what the model takes if nobody says, for
    /// [`Protocol::Stream`] the codec's context.
    pub window: Option<u32>,
    /// Tokens by which a window moves on; 512, or the window if that is less. [`Protocol::Stream`] does not read it.
    pub stride: Option<u32>,
    /// Where the model runs.
    pub device: Device,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Bytes of memory that may be taken there: a model that does not fit is read layer by layer.
    pub memory: Option<u64>,
    /// With layers read from disk: bytes of states that may go to temporary files.
    pub spill: Option<u64>,
    /// Windows that are scored together; chosen from the memory if nobody says.
    pub batch: Option<usize>,
    /// A directory for a journal and the result.
    pub out: Option<PathBuf>,
    /// Go on with the run in that directory.
    pub resume: bool,
    /// Score this part only ([`bpc_sums`](crate::bpc_sums)).
    pub shard: Shard,
}

/// Follows the scoring of a corpus, and may stop it.
pub trait BpcWatch: Watch + Sync {
    /// One more document was read.
    fn document(&self);

    /// All is read, and so many tokens will be scored.
    fn scoring(&self, tokens: u64);

    /// All is read, and so many bytes will be coded ([`Protocol::Mixed`]): what advances are bytes.
    fn coding(&self, bytes: u64);

    /// Something that a person should know of how it is scored.
    fn note(&self, text: &str);
}

/// Hears nothing and never stops.
impl BpcWatch for () {
    fn document(&self) {}

    fn scoring(&self, _: u64) {}

    fn coding(&self, _: u64) {}

    fn note(&self, _: &str) {}
}
