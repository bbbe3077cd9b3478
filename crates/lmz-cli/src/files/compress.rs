//! `lmz FILE`

use std::time::Instant;

use anyhow::anyhow;
use lmz::figures;
use lmz::placement::Models;
use lmz::{CompressReport, Model};

use super::foretold;
use super::output::{fail, open_input, open_output, remove, target};
use super::settings::Settings;
use crate::io::names;
use crate::io::source::Source;
use crate::settings::Volume;
use crate::terminal::message::{Failure, say};
use crate::terminal::progress::Progress;

/// Compresses one source into its target.
pub fn run(source: &Source, settings: &Settings, models: &Models) -> Result<(), Failure> {
    let mut input = open_input(source, settings)?;
    let path = target(source, settings, |path| {
        names::compressed(path, settings.force)
    })?;
    let mut output = open_output(path.as_deref(), &input, settings.how())?;
    if output.is_terminal() && !settings.force {
        return Err(Failure::Fatal(anyhow!(
            "compressed data is not written to a terminal (-f forces it; see lmz --help)"
        )));
    }
    let model = models
        .for_compressing()
        .map_err(|error| Failure::Fatal(error.into()))?;
    let start = Instant::now();
    let progress = Progress::new(
        settings.talk.progress,
        &input.name,
        input.len(),
        settings.options.verify,
    )
    .predicting(settings.talk.reports)
    .metered(models.meter());
    foretold::compressing(&progress, &input, &model, &settings.options);
    let done = lmz::compress(
        &mut input.reader,
        &mut output,
        &model,
        &settings.options,
        &progress,
    );
    drop(progress);
    let report = done.map_err(|error| fail(&output, error.into()))?;
    input.unchanged(report.raw_hash)?;
    if let Err(error) = output.commit(input.regular()) {
        return Err(fail(&output, error));
    }
    if let (true, Some(path)) = (output.is_file(), &path) {
        remove(&input, path, settings)?;
    }
    if settings.talk.reports {
        let (raw, packed) = (report.raw_len, report.compressed_len);
        say(&format!(
            "{}: {}",
            input.name,
            figures::compressed(raw, packed, start.elapsed())
        ));
        if settings.talk.volume == Volume::Verbose {
            details(&report, &model);
        }
    }
    Ok(())
}

fn details(report: &CompressReport, model: &Model) {
    let [modelled, zstd, stored, mixed] = report.segments;
    let c = &report.container;
    say(&format!("  model {} (id {})", model.name(), model.id()));
    say(&format!(
        "  segments: {modelled} by the model, {mixed} mixed, {zstd} by zstd, {stored} stored"
    ));
    let ideal = match modelled + mixed {
        0 => String::new(),
        _ => format!(" (the ideal is {:.1})", report.ideal_bits / 8.0),
    };
    say(&format!(
        "  bytes: coded {}{ideal}, header {}, segment records {}, index {}, footer {}",
        c.coded, c.header, c.records, c.index, c.footer
    ));
    if modelled + mixed == 0 && report.raw_len > 0 {
        say(&format!(
            "  {}",
            figures::not_modelled(report.raw_len, zstd)
        ));
    }
}
