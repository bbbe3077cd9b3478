//! From the arguments to the printed result.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::error::ErrorKind;
use lmz::float::{Device, Dtype, use_threads};
use lmz::metric::{CorpusOptions, MetricError, Protocol, Report, Shard, WindowSums};
use lmz::{BpcOptions, ScoringError};

use super::args::{BpcArgs, ProtocolName, definition};
use super::progress::Progress;
use crate::exit::Exit;
use crate::io::system;
use crate::settings::{Nonsense, Talk, dtype};
use crate::terminal::message::Failure;
use crate::terminal::visible;
use crate::verb::{Entry, Verb, definition_of};

impl Verb for BpcArgs {
    const NAME: &'static str = "bpc";

    fn definition() -> clap::Command {
        definition()
    }

    /// Scores a corpus and prints the result.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let (json, talk) = (self.json, Talk::resolve(self.talk));
        if !self.merge.is_empty() {
            let merged = merge(&self.merge, self.out.as_deref());
            return print(&merged.map_err(Failure::Fatal)?, json);
        }
        let threads = usize::from(self.device.threads.unwrap_or(0));
        let options = options(self);
        let options = options.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        use_threads(threads).map_err(anyhow::Error::from)?;
        let progress = Progress::new(talk);
        let fatal = |error| Failure::Fatal(in_words(error, &options));
        if options.shard != Shard::WHOLE {
            lmz::bpc_sums(&options, &progress).map_err(fatal)?;
            return Ok(Exit::Success);
        }
        let report = lmz::bpc(&options, &progress);
        drop(progress);
        print(&report.map_err(fatal)?, json)
    }
}

fn print(report: &Report, json: bool) -> Result<Exit, Failure> {
    let printed = match json {
        true => visible::print_json_text(&report.to_json()),
        false => visible::print(&report.to_table()),
    };
    printed.map_err(Failure::stdout)?;
    Ok(Exit::Success)
}

/// The result of a run from the directories of its parts, which is written into `out`.
fn merge(directories: &[PathBuf], out: Option<&Path>) -> anyhow::Result<Report> {
    let shards = directories
        .iter()
        .map(|directory| WindowSums::read(directory));
    let shards = shards.collect::<Result<Vec<_>, _>>();
    let merged = WindowSums::merge(shards.map_err(system::about_a_path)?)?;
    let report = merged.report()?;
    if let Some(out) = out {
        std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
        merged.write(out).map_err(system::about_a_path)?;
        report.write(out).map_err(system::about_a_path)?;
    }
    Ok(report)
}

fn options(args: BpcArgs) -> Result<BpcOptions, Nonsense> {
    let dtype = dtype(&args.dtype)?;
    let (stream, mixed) = (
        args.protocol == ProtocolName::Stream,
        args.protocol == ProtocolName::Mixed,
    );
    // A file is coded by the CPU in integers, at once.
    let without_meaning = [
        ("--stride", "stream", stream && args.stride.is_some()),
        ("--stride", "mixed", mixed && args.stride.is_some()),
        (
            "--device",
            "mixed",
            mixed && !matches!(args.device.device, None | Some(Device::Auto | Device::Cpu)),
        ),
        ("--dtype", "mixed", mixed && dtype != Dtype::F32),
        ("--memory", "mixed", mixed && args.memory.memory.is_some()),
        (
            "--spill-budget",
            "mixed",
            mixed && args.spill_budget.is_some(),
        ),
        ("--batch", "mixed", mixed && args.batch.is_some()),
        ("--resume", "mixed", mixed && args.resume),
        ("--shard", "mixed", mixed && args.shard.is_some()),
    ];
    if let Some((option, protocol, _)) = without_meaning.iter().find(|(_, _, given)| *given) {
        let message = format!("{option} has no meaning with --protocol {protocol}");
        return Err(Nonsense::new(ErrorKind::ArgumentConflict, message));
    }
    Ok(BpcOptions {
        model: args.model.model,
        // Required where nothing is merged.
        corpus: args.corpus.unwrap_or_default(),
        documents: CorpusOptions {
            field: args.field,
            limit: args.limit,
        },
        protocol: Protocol::from(args.protocol),
        window: args.window,
        stride: args.stride,
        device: args.device.device.unwrap_or(Device::Auto),
        dtype,
        memory: args.memory.memory,
        spill: args.spill_budget,
        batch: args.batch.map(|batch| batch as usize),
        out: args.out,
        resume: args.resume,
        shard: args.shard.unwrap_or(Shard::WHOLE),
    })
}

/// Errors of the operating system in the words that they have everywhere else, and what to do after a stop.
fn in_words(error: ScoringError, options: &BpcOptions) -> anyhow::Error {
    match error {
        ScoringError::Metric(MetricError::Cancelled) if options.out.is_some() => {
            anyhow!("cancelled; the same command with --resume goes on")
        }
        ScoringError::Metric(error) => system::about_a_path(error),
        error => error.into(),
    }
}
