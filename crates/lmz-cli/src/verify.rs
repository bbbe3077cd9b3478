//! `lmz verify`: the ledger of a file, and whether it keeps what is promised.

pub mod args;
mod float;
mod table;

use std::io::{self, BufReader, Read, Write};

use anyhow::Result;
use lmz_codec::trace::{TraceOptions, Tracer};
use lmz_metric::ledger::{Ledger, LedgerReport, reconcile};
use serde::Serialize;

use self::args::VerifyArgs;
use crate::message::{Failure, complain, say};
use crate::models::Models;
use crate::settings::{Settings, Source};
use crate::signal;
use crate::traced::{Traced, stdout};
use float::{Asked, Scorers};

/// What `--json` says about a file.
#[derive(Serialize)]
struct Verified {
    file: String,
    /// What the float line was computed by; null if there is none.
    float_engine: Option<String>,
    #[serde(flatten)]
    ledger: LedgerReport,
}

/// Verifies all files; says whether all of them restore and keep the promises.
pub fn run(args: &VerifyArgs) -> Result<bool, Failure> {
    let mut settings = match args.settings() {
        Ok(settings) => settings,
        Err(usage) => usage.exit(),
    };
    settings.read_prime()?;
    let models = Models::new(&settings);
    let mut scorers = Scorers::new(args);
    let mut ok = true;
    let mut all = Vec::new();
    for source in &settings.sources {
        let done = verify(source, &settings, &models, &mut scorers);
        signal::end_if_interrupted();
        let (name, asked, ledger) = match done {
            Ok(done) => done,
            Err(failure) => {
                ok = false;
                failure.end_if_broken_pipe();
                failure.print(&source.to_string());
                if matches!(failure, Failure::Fatal(_)) {
                    break;
                }
                continue;
            }
        };
        for broken in ledger.broken() {
            ok = false;
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
            let mut out = io::BufWriter::new(io::stdout());
            stdout(table::print(&name, &ledger, &asked, &mut out).and_then(|()| out.flush()))?;
        }
    }
    if args.json {
        let mut out = io::BufWriter::new(io::stdout());
        let done = serde_json::to_writer_pretty(&mut out, &all).map_err(io::Error::from);
        stdout(done.and_then(|()| writeln!(out)).and_then(|()| out.flush()))?;
    }
    Ok(ok)
}

fn verify(
    source: &Source,
    settings: &Settings,
    models: &Models,
    scorers: &mut Scorers,
) -> Result<(String, Asked, Ledger), Failure> {
    let mut traced = Traced::open(source, settings, models)?;
    let store = match traced.original {
        // What was compressed just now restores by the same model.
        Some(_) => &models.for_compressing().map_err(Failure::Fatal)?,
        None => models.for_decompressing().map_err(Failure::Fatal)?,
    };
    let options = TraceOptions {
        threads: settings.options.threads,
        alternatives: 0,
        prime: settings.options.prime.clone(),
    };
    let asked = scorers.find(&mut traced.file, store)?;
    if let Some(notice) = scorers.notice() {
        complain("", &anyhow::anyhow!("warning: {notice}"));
    }
    let progress = traced.progress(settings, if asked.is_there() { 3 } else { 2 });
    let file = BufReader::new(&mut traced.file);
    let mut tracer = Tracer::open(file, store, &options).map_err(anyhow::Error::from)?;
    let original = traced.original.as_mut().map(|file| file as &mut dyn Read);
    let scorer = scorers.scorer(&asked);
    let ledger = reconcile(&mut tracer, scorer, original, &progress);
    drop(progress);
    let ledger = ledger.map_err(anyhow::Error::from)?;
    Ok((traced.name, asked, ledger))
}
