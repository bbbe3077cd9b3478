//! Models: the ones that work on files needs, and the verbs `models` and `model`.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use lmz::{Blueprint, Checkpoint, Model, ModelSource, ModelStore, Origin, Prepared};
use serde::Serialize;

use crate::args::{InfoArgs, ModelCommand, ModelsArgs, PrepareArgs};
use crate::compress::fail;
use crate::message::{Failure, complain, say};
use crate::names::show;
use crate::output::Output;
use crate::placement::{Placed, PlacedStore, Placement};
use crate::settings::Settings;

/// The models of one run. Nothing is loaded before the first file needs it.
pub struct Models {
    asked: Option<OsString>,
    kernel: Option<lmz::Kernel>,
    placement: Placement,
    compressing: OnceCell<Placed>,
    decompressing: OnceCell<PlacedStore>,
}

impl Drop for Models {
    /// What was measured of their speed outlives them.
    fn drop(&mut self) {
        let store = self.decompressing.get().map(PlacedStore::placed);
        let store = store.unwrap_or_default();
        self.placement
            .remember(self.compressing.get().into_iter().chain(&store));
    }
}

impl Models {
    pub fn new(settings: &Settings) -> Self {
        Self {
            asked: settings.model.clone(),
            kernel: settings.kernel,
            placement: Placement::new(settings),
            compressing: OnceCell::new(),
            decompressing: OnceCell::new(),
        }
    }

    /// The model that compresses: the one of `-m`, or the embedded one.
    pub fn for_compressing(&self) -> Result<Model> {
        Ok(self.placed()?.model.clone())
    }

    /// As [`Models::for_compressing`], with its place.
    pub fn placed(&self) -> Result<&Placed> {
        if let Some(placed) = self.compressing.get() {
            return Ok(placed);
        }
        let store = self.store();
        let model = match &self.asked {
            Some(asked) => store.open(asked)?,
            None => store.default_model()?,
        };
        let placed = self.placement.place(model);
        Ok(self.compressing.get_or_init(|| placed))
    }

    /// Where decompression looks for the model that a file names.
    pub fn for_decompressing(&self) -> Result<&dyn ModelSource> {
        if let Some(store) = self.decompressing.get() {
            return Ok(store);
        }
        let mut store = self.store();
        if let Some(asked) = &self.asked {
            let model = store.open(asked)?;
            store.add(format!("-m {}", show(Path::new(asked))), model);
        }
        let placed = PlacedStore::new(store, self.placement.clone());
        Ok(self.decompressing.get_or_init(|| placed))
    }

    fn store(&self) -> ModelStore {
        let store = ModelStore::from_env();
        match self.kernel {
            Some(kernel) => store.with_kernel(kernel),
            None => store,
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
    numerics_version: u8,
    weights: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    blueprint: Blueprint,
}

impl Facts {
    fn new(prepared: &Prepared, origin: Option<&Origin>) -> Self {
        let identity = hex(&prepared.identity());
        Self {
            name: prepared.name.chars().filter(|c| !c.is_control()).collect(),
            id: identity[..32].to_owned(),
            identity,
            checkpoint: hex(&prepared.checkpoint),
            recipe: prepared.recipe,
            numerics_version: lmz::NUMERICS_VERSION,
            weights: prepared.weights(),
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

/// `lmz models`
pub fn list(args: &ModelsArgs) -> Result<bool, Failure> {
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
    let mut out = io::stdout().lock();
    let mut print = || -> io::Result<()> {
        if args.json {
            let facts: Vec<_> = models.iter().map(|(facts, _)| facts).collect();
            serde_json::to_writer_pretty(&mut out, &facts)?;
            return writeln!(out);
        }
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
    Ok(ok)
}

/// `lmz model ...`
pub fn run(command: &ModelCommand) -> Result<bool, Failure> {
    match command {
        ModelCommand::Info(args) => info(args),
        ModelCommand::Prepare(args) => prepare(args),
    }
}

fn info(args: &InfoArgs) -> Result<bool, Failure> {
    let prepared = ModelStore::from_env()
        .load(&args.model)
        .map_err(anyhow::Error::from)?;
    let facts = Facts::new(&prepared, None);
    let mut out = io::stdout().lock();
    let mut print = || -> io::Result<()> {
        if args.json {
            serde_json::to_writer_pretty(&mut out, &facts)?;
            return writeln!(out);
        }
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
        writeln!(out, "vocabulary  {} tokens", b.vocab_size)?;
        writeln!(out, "context     {} tokens", b.max_positions)?;
        writeln!(
            out,
            "shape       {} layers, width {}, {} heads of {} ({} for keys and values), feed-forward {}",
            b.layers, b.hidden_size, b.heads, b.head_dim, b.kv_heads, b.intermediate_size
        )
    };
    print().map_err(Failure::stdout)?;
    Ok(true)
}

fn prepare(args: &PrepareArgs) -> Result<bool, Failure> {
    let checkpoint = Checkpoint::open(&args.directory).map_err(anyhow::Error::from)?;
    if !checkpoint.ignored_tensors.is_empty() && !args.quiet {
        say(&format!(
            "lmz: warning: the configuration says nothing of these tensors, and they are left out: {}",
            checkpoint.ignored_tensors.join(", ")
        ));
    }
    if !args.quiet {
        for notice in &checkpoint.notices {
            say(&format!("lmz: {notice}"));
        }
    }
    let mut output = if args.output == Path::new("-") {
        Output::stdout()
    } else {
        Output::file(&args.output, args.force, false)?
    };
    if output.is_terminal() && !args.force {
        return Err(anyhow::anyhow!("a model is not written to a terminal").into());
    }
    let name = args.name.clone().unwrap_or_else(|| {
        let name = checkpoint.name.chars().filter(|c| !c.is_control());
        // In a header its bytes are limited.
        name.take(lmz::format::MAX_MODEL_NAME_LEN / 4).collect()
    });
    let prepared = lmz::prepare(&checkpoint, &name).map_err(anyhow::Error::from)?;
    let written = output
        .write_all(prepared.as_bytes())
        .context("cannot write")
        .and_then(|()| output.commit(None));
    written.map_err(|error| fail(&output, error))?;
    if !args.quiet {
        let facts = Facts::new(&prepared, None);
        say(&format!(
            "{}: {} (id {}), {} weights, {} bytes",
            show(&args.output),
            facts.name,
            facts.id,
            count(facts.weights),
            facts.bytes
        ));
    }
    Ok(true)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `2816064` -> `2.8M`
fn count(n: u64) -> String {
    let n = n as f64;
    match n {
        0.0..1e4 => format!("{n}"),
        0.0..1e6 => format!("{:.0}K", n / 1e3),
        0.0..1e9 => format!("{:.1}M", n / 1e6),
        _ => format!("{:.1}B", n / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_units() {
        let cases = [
            (0, "0"),
            (9999, "9999"),
            (260_032, "260K"),
            (2_816_064, "2.8M"),
            (7_000_000_000, "7.0B"),
        ];
        for (n, text) in cases {
            assert_eq!(count(n), text);
        }
    }
}
