//! `lmz models` and `lmz model`: what there is, what it is, preparing, fetching and removing it.

mod facts;
mod list;
#[cfg(not(feature = "download"))]
#[path = "no_pull.rs"]
mod pull;
#[cfg(feature = "download")]
mod pull;
mod remove;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use lmz::{ModelStore, format};

use self::facts::Facts;
use super::prepare::{Preparation, prepare};
use crate::args::{TalkArgs, help};
use crate::exit::Exit;
use crate::terminal::message::{Failure, say};
use crate::terminal::visible::{Visible, print_json};
use crate::verb::{Entry, Verb};

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

impl Verb for ModelArgs {
    const NAME: &'static str = "model";

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        match self.command {
            ModelCommand::Info(args) => info(&args),
            ModelCommand::Pull(args) => pull::pull(&args),
            ModelCommand::Rm(args) => remove::remove(&args),
            ModelCommand::Prepare(args) => prepare(&Preparation {
                checkpoint: &args.checkpoint,
                output: &args.output,
                name: args.name.as_deref(),
                force: args.force,
                quiet: args.quiet,
            }),
        }
    }
}

impl Verb for ModelsArgs {
    const NAME: &'static str = "models";

    /// Lists all models that are found without `-m`.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        list::list(self.json)
    }
}

fn info(args: &InfoArgs) -> Result<Exit, Failure> {
    let store = ModelStore::from_env();
    let prepared = store.load(&args.model).map_err(anyhow::Error::from)?;
    let remarks = store.remarks(&args.model);
    for warning in &remarks.warnings {
        say(&format!("lmz: warning: {warning}"));
    }
    let facts = Facts::new(&prepared, None);
    let print = || -> io::Result<()> {
        if args.json {
            return print_json(&facts);
        }
        let mut out = Visible(io::stdout().lock());
        let b = &facts.blueprint;
        writeln!(out, "name        {}", facts.name)?;
        writeln!(out, "id          {}", facts.id)?;
        writeln!(out, "identity    {}", facts.identity)?;
        writeln!(out, "checkpoint  {}", facts.checkpoint)?;
        writeln!(
            out,
            "versions    recipe {}, numerics {}",
            facts.recipe, facts.numerics_version
        )?;
        writeln!(
            out,
            "weights     {} ({} bytes as .lmzm)",
            facts.weights, facts.bytes
        )?;
        if facts.fine_weights > 0 {
            writeln!(
                out,
                "            {} of them in 16 bits, the others in 8",
                facts.fine_weights
            )?;
        }
        writeln!(out, "vocabulary  {} tokens", b.vocab_size)?;
        writeln!(out, "context     {} tokens", b.max_positions)?;
        writeln!(
            out,
            "shape       {} layers, width {}, {} heads of {} ({} for keys and values), feed-forward {}",
            b.layers, b.hidden_size, b.heads, b.head_dim, b.kv_heads, b.intermediate_size
        )?;
        match &remarks.chat {
            Some(chat) => writeln!(out, "note        {chat}"),
            None => Ok(()),
        }
    };
    print().map_err(Failure::stdout)?;
    Ok(Exit::Success)
}
