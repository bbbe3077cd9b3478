//! Tracing a file, and printing what was found.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use lmz::inspect::Summary;
use lmz::placement::Models;
use lmz::trace::{SegmentTrace, TraceOptions, Tracer};
use lmz::{Model, ModelSource};

use super::args::InspectArgs;
use super::columns::Columns;
use super::{page, table};
use crate::exit::Exit;
use crate::files::fail;
use crate::io::input::same_file;
use crate::io::output::{How, Output};
use crate::io::source::Source;
use crate::terminal::message::Failure;
use crate::terminal::visible::{Visible, print_json};
use crate::verb::{Entry, Verb, definition_of};
use crate::verbs::traced::{Traced, Tracing};

/// The most raw bytes that a page holds: browsers must lay them out.
const MAX_PAGE: u64 = 16 << 20;

impl Verb for InspectArgs {
    const NAME: &'static str = "inspect";

    /// Inspects one file.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let tracing = Tracing::resolve(self.run.clone(), vec![self.file.clone()]);
        let mut tracing = tracing.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        tracing.read_prime()?;
        let source = tracing.sources[0].clone();
        inspect(&self, &source, &tracing).map_err(|failure| match failure {
            Failure::File(error) => Failure::File(error.context(source.to_string())),
            other => other,
        })?;
        Ok(Exit::Success)
    }
}

fn inspect(args: &InspectArgs, source: &Source, tracing: &Tracing) -> Result<(), Failure> {
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
            Some(Output::file(
                path,
                How {
                    force: args.force,
                    ..How::default()
                },
            )?)
        }
    };
    let models = tracing.models();
    let mut traced = Traced::open(source, tracing, &models)?;
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
        let summary = trace(&mut traced, tracing, &models, alternatives, &mut |_| {})?;
        let done = if args.json {
            print_json(&summary)
        } else {
            let mut out = Visible(io::BufWriter::new(io::stdout()));
            table::print(&summary, &mut out).and_then(|()| out.flush())
        };
        return done.map_err(Failure::stdout);
    };
    let mut columns = Columns::new(alternatives);
    let summary = trace(
        &mut traced,
        tracing,
        &models,
        alternatives,
        &mut |segment| {
            columns.push(segment);
        },
    )?;
    // For the bytes of its tokens.
    let vocabulary: Option<Model> = match summary.coded_by() {
        Some(header) if summary.was_compressed => Some(
            models
                .for_decompressing()
                .map_err(anyhow::Error::from)?
                .find(header)
                .map_err(anyhow::Error::from)?,
        ),
        Some(_) => Some(models.for_compressing().map_err(anyhow::Error::from)?),
        None => None,
    };
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
    tracing: &Tracing,
    models: &Models,
    alternatives: usize,
    visit: &mut dyn FnMut(&SegmentTrace),
) -> Result<Summary> {
    let compressing;
    let store: &dyn ModelSource = match traced.original {
        Some(_) => {
            compressing = models.for_compressing()?;
            &compressing
        }
        None => models.for_decompressing()?,
    };
    let options = TraceOptions {
        threads: tracing.options.threads,
        alternatives,
        prime: tracing.options.prime.clone(),
    };
    let progress = traced.progress(tracing.run.talk, 2);
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
