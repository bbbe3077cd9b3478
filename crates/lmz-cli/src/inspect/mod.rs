//! `lmz inspect`: what is in a file, and where its bits go.

pub mod args;
mod columns;
mod page;
mod summary;
mod table;

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use lmz_codec::trace::{SegmentTrace, TraceOptions, Tracer};

use self::args::InspectArgs;
use crate::compress::fail;
use crate::input::same_file;
use crate::message::Failure;
use crate::models::Models;
use crate::output::Output;
use crate::settings::{Settings, Source};
use crate::traced::{Traced, stdout};
use columns::Columns;
use summary::Summary;

/// The most raw bytes that a page holds: browsers must lay them out.
const MAX_PAGE: u64 = 16 << 20;

/// Inspects one file.
pub fn run(args: &InspectArgs) -> Result<bool, Failure> {
    let mut settings = match args.settings() {
        Ok(settings) => settings,
        Err(usage) => usage.exit(),
    };
    settings.read_prime()?;
    let source = settings.sources[0].clone();
    inspect(args, &source, &settings).map_err(|failure| match failure {
        Failure::File(error) => Failure::File(error.context(source.to_string())),
        other => other,
    })?;
    Ok(true)
}

fn inspect(args: &InspectArgs, source: &Source, settings: &Settings) -> Result<(), Failure> {
    // Refused before any work is done.
    let mut output = match &args.html {
        None => None,
        Some(path) if path == Path::new("-") => Some(Output::stdout()),
        Some(path) => {
            if let Source::File(input) = source
                && same_file(input, path)
            {
                return Err(anyhow!("input and output are the same file").into());
            }
            Some(Output::file(path, args.force, false)?)
        }
    };
    let models = Models::new(settings);
    let mut traced = Traced::open(source, settings, &models)?;
    if args.html.is_some() && traced.raw_len > MAX_PAGE {
        return Err(anyhow!(
            "{} bytes are too many for a page, which holds {} MiB at most: inspect a part (head -c)",
            traced.raw_len,
            MAX_PAGE >> 20
        )
        .into());
    }
    let alternatives = match args.html {
        Some(_) => usize::from(args.alternatives),
        None => 0,
    };
    let Some(output) = &mut output else {
        let summary = trace(&mut traced, settings, &models, alternatives, &mut |_| {})?;
        let mut out = io::BufWriter::new(io::stdout());
        let done = if args.json {
            serde_json::to_writer_pretty(&mut out, &summary)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            table::print(&summary, &mut out)
        };
        return stdout(done.and_then(|()| out.flush()));
    };
    let mut columns = Columns::new(alternatives);
    let summary = trace(
        &mut traced,
        settings,
        &models,
        alternatives,
        &mut |segment| {
            columns.push(segment);
        },
    )?;
    let vocabulary = summary.model(&models)?;
    let blob = columns
        .finish(vocabulary.as_ref())
        .context("cannot pack the page")?;
    let written = page::write(&summary, &blob, output)
        .context("cannot write")
        .and_then(|()| output.commit(None));
    written.map_err(|error| fail(output, error))
}

/// Walks over the whole file.
fn trace(
    traced: &mut Traced,
    settings: &Settings,
    models: &Models,
    alternatives: usize,
    visit: &mut dyn FnMut(&SegmentTrace),
) -> Result<Summary> {
    let store = match traced.original {
        Some(_) => &models.for_compressing()?,
        None => models.for_decompressing()?,
    };
    let options = TraceOptions {
        threads: settings.options.threads,
        alternatives,
        prime: settings.options.prime.clone(),
    };
    let progress = traced.progress(settings, 2);
    let file: BufReader<&mut File> = BufReader::new(&mut traced.file);
    let mut tracer = Tracer::open(file, store, &options)?;
    let mut summary = Summary::new(&traced.name, traced.original.is_none(), &mut tracer)?;
    while let Some(batch) = tracer.next_batch(&progress)? {
        for segment in &batch {
            summary.push(segment);
            visit(segment);
        }
        summary.vocabulary = tracer.model().map_or(summary.vocabulary, |model| {
            model.engine().symbols().len() as u64
        });
    }
    Ok(summary)
}
