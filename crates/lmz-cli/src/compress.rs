//! `lmz FILE`

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{anyhow, bail};
use lmz::{CompressReport, Model};

use crate::input::{Input, same_file};
use crate::message::{Failure, say};
use crate::models::Models;
use crate::names;
use crate::output::Output;
use crate::progress::Progress;
use crate::report;
use crate::settings::{Settings, Source, Target, Volume};

/// Compresses one source.
pub fn run(source: &Source, settings: &Settings, models: &Models) -> Result<(), Failure> {
    let path = target(source, settings, |path| {
        names::compressed(path, settings.force)
    })?;
    let mut input = Input::open(source, settings.target != Target::Beside)?;
    let mut output = open_output(path.as_deref(), &input, settings.force)?;
    if output.is_terminal() && !settings.force {
        return Err(Failure::Fatal(anyhow!(
            "compressed data is not written to a terminal (-f forces it; see lmz --help)"
        )));
    }
    let model = models.for_compressing().map_err(Failure::Fatal)?;
    let start = Instant::now();
    let progress = Progress::new(
        settings.progress,
        &input.name,
        input.len(),
        settings.options.verify,
    )
    .predicting(settings.reports);
    let done = lmz::compress(
        &mut input.reader,
        &mut output,
        &model,
        &settings.options,
        &progress,
    );
    drop(progress);
    let report = done.map_err(|error| fail(&output, error.into()))?;
    input.unchanged()?;
    if let Err(error) = output.commit(input.regular()) {
        return Err(fail(&output, error));
    }
    if settings.reports {
        let (raw, packed) = (report.raw_len, report.compressed_len);
        say(&format!(
            "{}: {}",
            input.name,
            report::compressed(raw, packed, start.elapsed())
        ));
        if settings.volume == Volume::Verbose {
            details(&report, &model);
        }
    }
    Ok(())
}

/// The output's path; none for standard output.
pub fn target(
    source: &Source,
    settings: &Settings,
    name: impl Fn(&Path) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<Option<PathBuf>> {
    match (&settings.target, source) {
        (Target::File(path), _) => Ok(Some(path.clone())),
        (Target::Beside, Source::File(path)) => name(path).map(Some),
        (Target::Beside, Source::Stdin) | (Target::Stdout, _) => Ok(None),
    }
}

/// Opens the output of `input`; the input itself it cannot be.
pub fn open_output(path: Option<&Path>, input: &Input, force: bool) -> anyhow::Result<Output> {
    let Some(path) = path else {
        return Ok(Output::stdout());
    };
    if input
        .path
        .as_deref()
        .is_some_and(|input| same_file(input, path))
    {
        bail!("input and output are the same file");
    }
    Output::file(path, force, input.regular().is_some())
}

/// The error of work on `output`: if a write failed, it is about that.
pub fn fail(output: &Output, error: anyhow::Error) -> Failure {
    if output.is_broken_pipe() {
        return Failure::BrokenPipe;
    }
    match output.failure() {
        Some(error) if output.is_lost() => Failure::Fatal(error),
        Some(error) => Failure::File(error),
        None => Failure::File(describe(error)),
    }
}

/// Errors of the operating system in the words that they have everywhere else.
fn describe(error: anyhow::Error) -> anyhow::Error {
    let io = error
        .downcast_ref::<lmz::CodecError>()
        .and_then(lmz::CodecError::io);
    match io.map(|io| (io.raw_os_error(), io)) {
        Some((Some(code), _)) => {
            crate::input::describe(io::Error::from_raw_os_error(code)).context("cannot read")
        }
        _ => error,
    }
}

fn details(report: &CompressReport, model: &Model) {
    let [modelled, zstd, stored] = report.segments;
    let c = &report.container;
    say(&format!("  model {} (id {})", model.name(), model.id()));
    say(&format!(
        "  segments: {modelled} by the model, {zstd} by zstd, {stored} stored"
    ));
    say(&format!(
        "  bytes: coded {} (the model's ideal is {:.1}), header {}, segment records {}, index {}, footer {}",
        c.coded,
        report.ideal_bits / 8.0,
        c.header,
        c.records,
        c.index,
        c.footer
    ));
}
