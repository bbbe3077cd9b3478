//! `lmz models` and `lmz model`: what there is, what it is, and preparing it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use lmz::figures::{hex, show};
use lmz::{Blueprint, ModelStore, Origin, Prepared, format};
use serde::Serialize;

use super::prepare::{Preparation, count, prepare};
use crate::args::help;
use crate::exit::Exit;
use crate::terminal::message::{Failure, complain, say};
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
    about = "Look at a model, or prepare one",
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

/// `lmz model prepare`
#[derive(Debug, clap::Args)]
pub struct PrepareArgs {
    /// A directory with config.json, tokenizer.json and safetensors weights, or a GGUF file
    #[arg(value_name = "MODEL")]
    pub checkpoint: PathBuf,
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

/// What is said about a model.
#[derive(Serialize)]
struct Facts {
    name: String,
    /// As files store it.
    id: String,
    identity: String,
    checkpoint: String,
    recipe: u8,
    /// The version that it was prepared for; another one's may run it all the same.
    numerics_version: u64,
    weights: u64,
    /// Those of them that have 16 bits.
    fine_weights: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    blueprint: Blueprint,
}

impl Facts {
    fn new(prepared: &Prepared, origin: Option<&Origin>) -> Self {
        // What the file itself says.
        let numerics = lmz::summarise(prepared.as_bytes()).map(|summary| summary.numerics);
        let identity = hex(&prepared.identity());
        Self {
            name: prepared.name.chars().filter(|c| !c.is_control()).collect(),
            id: identity[..32].to_owned(),
            identity,
            checkpoint: hex(&prepared.checkpoint),
            recipe: prepared.recipe,
            numerics_version: numerics.unwrap_or(lmz::NUMERICS_VERSION.into()),
            weights: prepared.weights(),
            fine_weights: prepared.fine_weights(),
            bytes: prepared.as_bytes().len() as u64,
            embedded: origin.map(|origin| *origin == Origin::Embedded),
            path: origin.and_then(|origin| match origin {
                Origin::Embedded => None,
                Origin::File(path) => Some(path.display().to_string()),
            }),
            blueprint: prepared.blueprint.clone(),
        }
    }
}

impl Verb for ModelsArgs {
    const NAME: &'static str = "models";

    /// Lists all models that are found without `-m`.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        list(self.json)
    }
}

fn list(json: bool) -> Result<Exit, Failure> {
    let store = ModelStore::from_env();
    let mut ok = true;
    let mut models = Vec::new();
    for found in store.models() {
        match found.origin.load() {
            Ok(prepared) => models.push((Facts::new(&prepared, Some(&found.origin)), found.origin)),
            Err(error) => {
                ok = false;
                complain("", &error.into());
            }
        }
    }
    let print = || -> io::Result<()> {
        if json {
            let facts: Vec<_> = models.iter().map(|(facts, _)| facts).collect();
            return print_json(&facts);
        }
        let mut out = Visible(io::stdout().lock());
        writeln!(
            out,
            "{:<16}  {:<20} {:>8} {:>7}  where",
            "id", "name", "weights", "context"
        )?;
        for (facts, origin) in &models {
            let place = match origin {
                Origin::Embedded => origin.to_string(),
                Origin::File(path) => show(path),
            };
            writeln!(
                out,
                "{:<16}  {:<20} {:>8} {:>7}  {place}",
                &facts.id[..16],
                facts.name,
                count(facts.weights),
                facts.blueprint.max_positions,
            )?;
        }
        Ok(())
    };
    print().map_err(Failure::stdout)?;
    Ok(Exit::of(ok))
}

fn info(args: &InfoArgs) -> Result<Exit, Failure> {
    let store = ModelStore::from_env();
    let prepared = store.load(&args.model).map_err(anyhow::Error::from)?;
    for notice in store.notices(&args.model) {
        say(&format!("lmz: warning: {notice}"));
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
        )
    };
    print().map_err(Failure::stdout)?;
    Ok(Exit::Success)
}
