//! `lmz bpc` as it was typed.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, ValueEnum};
use lmz::metric::{Protocol, Shard};

use crate::args::{
    DeviceArgs, DtypeArg, MemoryArg, ModelArg, TalkArgs, bytes, help, on_the_best_device,
};

/// `lmz bpc`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Score a corpus with a model: bits per character",
    long_about = help::BPC_LONG,
    after_long_help = help::BPC_AFTER,
    max_term_width = 100
)]
pub struct BpcArgs {
    /// A .jsonl file, any other file as one document, or a directory of .jsonl and .txt files
    #[arg(short, long, value_name = "PATH", required_unless_present = "merge")]
    pub corpus: Option<PathBuf>,
    /// The field of a JSON line that holds the text [default: content, or else text]
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Take the first N documents only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// From which context a token is predicted
    #[arg(long, value_enum, default_value_t = ProtocolName::Paper, help_heading = "Protocol")]
    pub protocol: ProtocolName,
    /// Tokens that a window predicts (it has one more) [default: 1900, or what the model takes;
    /// for stream and mixed the codec's context]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1 << 20), help_heading = "Protocol")]
    pub window: Option<u32>,
    /// Tokens between windows [default: 512, or the window if that is less; not for stream and mixed]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1 << 20), help_heading = "Protocol")]
    pub stride: Option<u32>,

    #[command(flatten)]
    pub model: ModelArg,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub memory: MemoryArg,
    #[command(flatten)]
    pub dtype: DtypeArg,
    /// With layers read from disk: spill up to SIZE bytes of states to temporary files [default: 0]
    #[arg(long, value_name = "SIZE", value_parser = bytes::memory, help_heading = "Model and speed")]
    pub spill_budget: Option<u64>,
    /// Windows that are scored together [default: chosen from the memory]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20), help_heading = "Model and speed")]
    pub batch: Option<u32>,

    /// Print the result as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Keep a journal and the result (result.json) in this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Continue the run in that directory
    #[arg(long, requires = "out", help_heading = "Output")]
    pub resume: bool,
    /// Score part I of N of the windows only, for another process or machine to score the others
    #[arg(
        long,
        value_name = "I/N",
        requires = "out",
        help_heading = "Parts of a run"
    )]
    pub shard: Option<Shard>,
    /// Make one result of the directories of all parts
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["corpus", "shard", "resume", "limit", "field"], help_heading = "Parts of a run")]
    pub merge: Vec<PathBuf>,
    #[command(flatten)]
    pub talk: TalkArgs,
}

/// [`Protocol`] on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProtocolName {
    /// All documents in one row, as in arXiv 2404.09937
    Paper,
    /// Each document alone, whole
    Document,
    /// The codec's segments and context
    Stream,
    /// As a file of lmz, with what is learnt while coding: not the paper's metric
    Mixed,
}

impl From<ProtocolName> for Protocol {
    fn from(name: ProtocolName) -> Self {
        match name {
            ProtocolName::Paper => Self::Paper,
            ProtocolName::Document => Self::Document,
            ProtocolName::Stream => Self::Stream,
            ProtocolName::Mixed => Self::Mixed,
        }
    }
}

/// The definition, with what common arguments mean for an engine in floating point.
pub fn definition() -> clap::Command {
    on_the_best_device(BpcArgs::command()).mut_arg("memory", |arg| {
        arg.alias("memory-budget")
            .help(
                "Take no more than SIZE of the device's memory, with suffixes K, M and G (1024): a model that \
                 does not fit is read layer by layer [default: most of what is free]",
            )
            .long_help(None::<&str>)
    })
}
