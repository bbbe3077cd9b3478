//! File by file: trace, compare, account.

use std::io::{self, BufReader, Read, Write};

use lmz::metric::ledger::{Ledger, LedgerReport, reconcile};
use lmz::placement::Models;
use lmz::trace::{TraceOptions, Tracer};
use lmz::{ModelSource, StoreError};
use serde::Serialize;

use super::args::VerifyArgs;
use super::float::{Asked, Scorers};
use super::table;
use crate::exit::Exit;
use crate::io::source::Source;
use crate::terminal::message::{Failure, complain, say};
use crate::terminal::signal;
use crate::terminal::visible::{Visible, print_json};
use crate::verb::{Entry, Verb, definition_of};
use crate::verbs::traced::{Traced, Tracing};

/// What `--json` says about a file.
#[derive(Serialize)]
struct Verified {
    file: String,
    /// What the float line was computed by; null if there is none.
    float_engine: Option<String>,
    #[serde(flatten)]
    ledger: LedgerReport,
}

impl Verb for VerifyArgs {
    const NAME: &'static str = "verify";

    /// Verifies all files: whether all of them restore and keep the promises.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let tracing = Tracing::resolve(self.run.clone(), self.files.clone());
        let mut tracing = tracing.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        tracing.read_prime()?;
        verify_all(&self, &tracing)
    }
}

fn verify_all(args: &VerifyArgs, tracing: &Tracing) -> Result<Exit, Failure> {
    let models = tracing.models();
    let mut scorers = Scorers::new(args);
    let mut exit = Exit::Success;
    let mut all = Vec::new();
    for source in &tracing.sources {
        let done = verify(source, tracing, &models, &mut scorers);
        signal::end_if_interrupted();
        let (name, asked, ledger) = match done {
            Ok(done) => done,
            Err(failure) => {
                exit = failure.exit();
                failure.end_if_broken_pipe();
                failure.print(&source.to_string());
                if matches!(failure, Failure::Fatal(_)) {
                    break;
                }
                continue;
            }
        };
        for broken in ledger.broken() {
            exit = Exit::Error;
            say(&format!(
                "lmz: {name}: broken promise ({}): {}: {}",
                broken.key, broken.promise, broken.found
            ));
        }
        if args.json {
            all.push(Verified {
                file: name,
                float_engine: asked.engine(),
                ledger: ledger.report(),
            });
        } else {
            let mut out = Visible(io::BufWriter::new(io::stdout()));
            table::print(&name, &ledger, &asked, &mut out)
                .and_then(|()| out.flush())
                .map_err(Failure::stdout)?;
        }
    }
    if args.json {
        print_json(&all).map_err(Failure::stdout)?;
    }
    Ok(exit)
}

fn verify(
    source: &Source,
    tracing: &Tracing,
    models: &Models,
    scorers: &mut Scorers,
) -> Result<(String, Asked, Ledger), Failure> {
    let mut traced = Traced::open(source, tracing, models)?;
    let fatal = |error: StoreError| Failure::Fatal(error.into());
    let compressing;
    let store: &dyn ModelSource = match traced.original {
        // What was compressed just now restores by the same model.
        Some(_) => {
            compressing = models.for_compressing().map_err(fatal)?;
            &compressing
        }
        None => models.for_decompressing().map_err(fatal)?,
    };
    let options = TraceOptions {
        threads: tracing.options.threads,
        alternatives: 0,
        prime: tracing.options.prime.clone(),
    };
    let asked = scorers.find(&mut traced.file, store)?;
    if let Some(notice) = scorers.notice() {
        complain("", &anyhow::anyhow!("warning: {notice}"));
    }
    let progress = traced.progress(tracing.run.talk, if asked.is_there() { 3 } else { 2 });
    let file = BufReader::new(&mut traced.file);
    let mut tracer = Tracer::open(file, store, &options).map_err(anyhow::Error::from)?;
    let original = traced.original.as_mut().map(|file| file as &mut dyn Read);
    let scorer = scorers.scorer(&asked);
    let ledger = reconcile(&mut tracer, scorer, original, &progress);
    drop(progress);
    let ledger = ledger.map_err(anyhow::Error::from)?;
    Ok((traced.name, asked, ledger))
}
