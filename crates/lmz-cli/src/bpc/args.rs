//! `lmz bpc` as it was typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use lmz::metric::Protocol;

use crate::{bytes, help};

/// `lmz bpc`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Score a corpus with a model: bits per character",
    long_about = help::BPC_LONG,
    after_long_help = help::BPC_AFTER,
    max_term_width = 100
)]
pub struct BpcArgs {
    /// A Hugging Face directory, a GGUF or .lmzm file, or a name or id that `lmz models` lists [default:
    /// the model that is part of this program]
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<OsString>,
    /// A .jsonl file, any other file as one document, or a directory of .jsonl and .txt files
    #[arg(short, long, value_name = "PATH")]
    pub corpus: PathBuf,
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
    /// for stream the codec's context]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1 << 20), help_heading = "Protocol")]
    pub window: Option<u32>,
    /// Tokens between windows [default: 512, or the window if that is less; not for stream]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1 << 20), help_heading = "Protocol")]
    pub stride: Option<u32>,

    /// auto, cpu, vulkan[:N] or cuda[:N]
    #[arg(
        long,
        value_name = "DEVICE",
        default_value = "auto",
        help_heading = "Engine"
    )]
    pub device: String,
    /// f32, or where the device has it bf16 or f16
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "f32",
        help_heading = "Engine"
    )]
    pub dtype: String,
    /// Keep to SIZE bytes of memory, with suffixes K, M and G (1024): a model that does not fit is
    /// read layer by layer [default: most of what is free]
    #[arg(long, value_name = "SIZE", value_parser = bytes::memory, help_heading = "Engine")]
    pub memory_budget: Option<u64>,
    /// With layers read from disk: spill up to SIZE bytes of states to temporary files [default: 0]
    #[arg(long, value_name = "SIZE", value_parser = bytes::memory, help_heading = "Engine")]
    pub spill_budget: Option<u64>,
    /// Windows that are scored together [default: chosen from the memory]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20), help_heading = "Engine")]
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
    /// Print the result and errors only
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
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
}

impl From<ProtocolName> for Protocol {
    fn from(name: ProtocolName) -> Self {
        match name {
            ProtocolName::Paper => Self::Paper,
            ProtocolName::Document => Self::Document,
            ProtocolName::Stream => Self::Stream,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        BpcArgs::command().debug_assert();
    }
}
