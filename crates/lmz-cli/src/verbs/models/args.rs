//! The command lines of `lmz models` and `lmz model`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use lmz::format;

use crate::args::{TalkArgs, help};

/// `lmz models`
#[derive(Debug, Parser)]
#[command(
    about = "List the models that this lmz can find",
    long_about = help::MODELS_LONG,
    max_term_width = 100
)]
pub struct ModelsArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// `lmz model`
#[derive(Debug, Parser)]
#[command(
    about = "Look at a model, prepare, fetch or remove one",
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct ModelArgs {
    #[command(subcommand)]
    pub command: ModelCommand,
}

/// What of a model
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show what a model is
    Info(InfoArgs),
    /// Fetch a model of the Hugging Face hub
    #[command(long_about = help::PULL_LONG)]
    Pull(PullArgs),
    /// Remove a model of the hub, or a prepared one that is kept, from its cache
    #[command(long_about = help::RM_LONG)]
    Rm(RmArgs),
    /// Turn a Hugging Face directory or a GGUF file into an .lmzm file
    #[command(long_about = help::PREPARE_LONG)]
    Prepare(PrepareArgs),
}

/// `lmz model info`
#[derive(Debug, clap::Args)]
pub struct InfoArgs {
    /// An .lmzm file, a Hugging Face directory, a GGUF file, or a name or id that `lmz models` lists
    #[arg(value_name = "PATH")]
    pub model: OsString,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `lmz model pull`
#[derive(Debug, clap::Args)]
pub struct PullArgs {
    /// ORG/NAME, ORG/NAME@REVISION (a branch, tag or commit), or either with :FILE.gguf
    #[arg(value_name = "ORG/NAME")]
    pub name: String,
    #[command(flatten)]
    pub talk: TalkArgs,
}

/// `lmz model rm`
#[derive(Debug, clap::Args)]
pub struct RmArgs {
    /// ORG/NAME or ORG/NAME@REVISION, or the name or id of a prepared model
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// `lmz model prepare`
#[derive(Debug, clap::Args)]
pub struct PrepareArgs {
    /// A directory with config.json, tokenizer.json and safetensors weights, a GGUF file, or ORG/NAME
    #[arg(value_name = "MODEL")]
    pub checkpoint: OsString,
    /// Use no recipe after N (docs/lmzm.md): with 2 a GGUF file of small integers gets int8 rows, which a GPU can run
    #[arg(long, value_name = "N", default_value_t = *lmz::RECIPES.end(), value_parser = clap::value_parser!(u8).range(i64::from(*lmz::RECIPES.start())..=i64::from(*lmz::RECIPES.end())))]
    pub recipe: u8,
    /// The file to write
    #[arg(short, long, value_name = "X.lmzm")]
    pub output: PathBuf,
    /// A name for people [default: what the model says of itself]
    #[arg(long, value_parser = parse_name)]
    pub name: Option<String>,
    /// Overwrite the file
    #[arg(short, long)]
    pub force: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

fn parse_name(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("a name has at least one character".into());
    }
    if name.len() > format::MAX_MODEL_NAME_LEN {
        return Err(format!("longer than {} bytes", format::MAX_MODEL_NAME_LEN));
    }
    if name.chars().any(char::is_control) {
        return Err("a name holds no control characters".into());
    }
    Ok(name.to_owned())
}
