//! `lmz models` and `lmz model`: what there is, what it is, preparing, fetching and removing it.

mod args;
mod facts;
mod list;
#[cfg(not(feature = "download"))]
#[path = "no_pull.rs"]
mod pull;
#[cfg(feature = "download")]
mod pull;
mod remove;

use std::io::{self, Write};

use lmz::ModelStore;

pub use args::{ModelArgs, ModelsArgs};

use self::args::{InfoArgs, ModelCommand};
use self::facts::Facts;
use super::prepare::{Preparation, prepare};
use crate::exit::Exit;
use crate::terminal::message::{Failure, say};
use crate::terminal::visible::{Visible, print_json};
use crate::verb::{Entry, Verb};

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
                recipe: args.recipe,
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
        let [half_bytes, bytes] = facts.block_weights;
        if half_bytes + bytes > 0 {
            writeln!(
                out,
                "            in blocks: {half_bytes} of them in 4 bits, {bytes} in 8"
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
