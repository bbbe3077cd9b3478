//! From the arguments to the printed result.

use std::io::{self, Write};

use anyhow::anyhow;
use clap::error::ErrorKind;
use lmz::float::{Device, Dtype, use_threads};
use lmz::metric::{CorpusOptions, MetricError, Protocol};
use lmz::{BpcOptions, ScoringError};

use super::args::{BpcArgs, ProtocolName, definition};
use super::progress::Progress;
use crate::exit::Exit;
use crate::io::system;
use crate::settings::{Nonsense, Talk};
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb, definition_of};

impl Verb for BpcArgs {
    const NAME: &'static str = "bpc";

    fn definition() -> clap::Command {
        definition()
    }

    /// Scores a corpus and prints the result.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let (json, talk) = (self.json, Talk::resolve(self.talk));
        let threads = usize::from(self.device.threads.unwrap_or(0));
        let options = options(self);
        let options = options.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        use_threads(threads).map_err(anyhow::Error::from)?;
        let progress = Progress::new(talk);
        let report = lmz::bpc(&options, &progress);
        drop(progress);
        let report = report.map_err(|error| Failure::Fatal(in_words(error, &options)))?;
        let text = match json {
            true => format!("{}\n", report.to_json()),
            false => report.to_table(),
        };
        let mut out = io::stdout().lock();
        let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        printed.map_err(Failure::stdout)?;
        Ok(Exit::Success)
    }
}

fn options(args: BpcArgs) -> Result<BpcOptions, Nonsense> {
    let dtype: Dtype = args
        .dtype
        .parse()
        .map_err(|error: lmz::float::FloatError| {
            Nonsense::new(ErrorKind::ValueValidation, error.to_string())
        })?;
    if args.protocol == ProtocolName::Stream && args.stride.is_some() {
        let message = "--stride has no meaning with --protocol stream";
        return Err(Nonsense::new(ErrorKind::ArgumentConflict, message));
    }
    Ok(BpcOptions {
        model: args.model.model,
        corpus: args.corpus,
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
