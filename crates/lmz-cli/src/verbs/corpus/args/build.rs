//! Arguments that all sources have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lmz_corpus::build::stages::{Paragraphs, Part};

use crate::args::{ModelArg, TalkArgs, bytes};

#[derive(Clone, Copy, Debug, Args)]
pub struct ThreadsArg {
    /// Use N threads [default: one for each core]
    #[arg(short = 'T', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// What all sources have in common.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Write the corpus to FILE (packed, if its name ends in .zst or .gz), and a manifest beside it
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Take documents at random until their texts are SIZE: 10MB, 1GB, 64K [default: all]
    #[arg(long, value_name = "SIZE", value_parser = bytes::size, help_heading = "Choice")]
    pub size: Option<u64>,
    /// Another seed gives another sample
    #[arg(long, value_name = "S", default_value_t = 0, help_heading = "Choice")]
    pub seed: u64,
    /// Keep documents whose text an earlier one has
    #[arg(long, help_heading = "Choice")]
    pub keep_duplicates: bool,
    /// Drop documents that have this part of their words in common with an earlier one, by MinHash: 0.5 to 1, or off
    /// [default: 0.85 for github, else off]
    #[arg(long, value_name = "PART", value_parser = near, help_heading = "Choice")]
    pub near: Option<NearArg>,
    /// Lines that are there in several documents [default: drop for cc, as CCNet does; else keep]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Choice")]
    pub paragraphs: Option<ParagraphsName>,
    /// Take no more than N documents of a host
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Choice")]
    pub per_host: Option<u64>,
    /// Take only the best PERCENT of documents, by how few bits a model pays for a byte of them (30 is what CCNet calls the head)
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100), help_heading = "Choice")]
    pub quality: Option<u8>,
    /// Score that much of a document's beginning
    #[arg(long, value_name = "SIZE", value_parser = bytes::exact, default_value = "2K", help_heading = "Choice")]
    pub quality_bytes: u64,
    #[command(flatten)]
    pub model: ModelArg,
    /// Keep what is done in DIR [default: FILE.work, removed at the end]
    #[arg(long, value_name = "DIR", help_heading = "Parts of the work")]
    pub work: Option<PathBuf>,
    /// Do one stage only
    #[arg(
        long,
        value_enum,
        value_name = "STAGE",
        requires = "work",
        help_heading = "Parts of the work"
    )]
    pub stage: Option<StageName>,
    /// Of the stages extract and filter do the inputs of part I of N only (I from 0)
    #[arg(
        long,
        value_name = "I/N",
        requires = "stage",
        help_heading = "Parts of the work"
    )]
    pub shard: Option<Part>,
    /// Print the manifest as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub threads: ThreadsArg,
    #[command(flatten)]
    pub talk: TalkArgs,
}

/// What `--near` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NearArg {
    Off,
    Above(f64),
}

fn near(text: &str) -> Result<NearArg, String> {
    if text == "off" {
        return Ok(NearArg::Off);
    }
    let part: Option<f64> = text.parse().ok();
    part.filter(|part| (0.5..=1.0).contains(part))
        .map(NearArg::Above)
        .ok_or_else(|| "not from 0.5 to 1, and not off".into())
}

/// [`Paragraphs`] on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ParagraphsName {
    /// They stay
    Keep,
    /// They stay in the first document that has them
    First,
    /// They go everywhere
    Drop,
}

impl From<ParagraphsName> for Paragraphs {
    fn from(name: ParagraphsName) -> Self {
        match name {
            ParagraphsName::Keep => Self::Keep,
            ParagraphsName::First => Self::First,
            ParagraphsName::Drop => Self::Drop,
        }
    }
}

/// A stage of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StageName {
    /// Inputs to cleaned documents, and hashes of them
    Extract,
    /// What is there twice, among all of them
    Merge,
    /// Documents without that
    Filter,
    /// The sample, and the manifest
    Collect,
}
