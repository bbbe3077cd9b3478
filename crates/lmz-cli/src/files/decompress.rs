//! `lmz -d FILE.lmz` and `lmz -t FILE.lmz`

use std::time::Instant;

use lmz::figures;
use lmz::format::FormatError;
use lmz::placement::{Models, PlacedStore};
use lmz::{CodecError, DecompressReport};

use super::foretold::Foretelling;
use super::output::{fail, open_input, open_output, raw_len, refuse_terminal, remove, target};
use super::settings::{Mode, Settings};
use crate::io::input::{Input, Reader};
use crate::io::names;
use crate::io::output::Output;
use crate::io::source::Source;
use crate::settings::Volume;
use crate::terminal::message::{Failure, say};
use crate::terminal::progress::Progress;

/// Restores or tests one source.
pub fn run(source: &Source, settings: &Settings, models: &Models) -> Result<(), Failure> {
    let test = settings.mode == Mode::Test;
    refuse_terminal(source, settings.force)?;
    let mut input = open_input(source, settings)?;
    let path = if test {
        None
    } else {
        target(source, settings, names::restored)?
    };
    let mut output = if test {
        Output::null()
    } else {
        open_output(path.as_deref(), &input, settings.how())?
    };
    let models = models
        .for_decompressing()
        .map_err(|error| Failure::Fatal(error.into()))?;
    let start = Instant::now();
    let done = decode(&mut input, &mut output, models, settings);
    let report = done.map_err(|error| fail(&output, with_remedy(error, test)))?;
    if let Err(error) = output.commit(input.regular()) {
        return Err(fail(&output, error));
    }
    if report.padding && settings.talk.volume > Volume::Quiet {
        say(&format!(
            "lmz: {}: warning: zero bytes behind the end are taken for padding, and left out",
            input.name
        ));
    }
    if let (true, Some(path)) = (output.is_file(), &path) {
        remove(&input, path, settings)?;
    }
    if report.header_damaged && settings.talk.volume > Volume::Quiet {
        say(&format!(
            "lmz: {}: warning: a header or end byte is damaged; its copy in the footer was used, and \
             all bytes are restored",
            input.name
        ));
    }
    if settings.talk.reports {
        let (raw, time) = (report.raw_len, figures::seconds(start.elapsed()));
        let line = match input.len() {
            _ if test => format!("OK, {raw} bytes in {time}"),
            Some(packed) => format!("{packed} -> {raw} bytes in {time}"),
            None => format!("-> {raw} bytes in {time}"),
        };
        say(&format!("{}: {line}", input.name));
    }
    Ok(())
}

/// The error, and how to come to what is sound of a damaged file.
fn with_remedy(error: CodecError, test: bool) -> anyhow::Error {
    let damaged = matches!(
        error,
        CodecError::Format(
            FormatError::Truncated { .. }
                | FormatError::Corrupt { .. }
                | FormatError::TrailingGarbage { .. }
        ) | CodecError::Segment { .. }
            | CodecError::Hash { .. }
    );
    if !damaged {
        return error.into();
    }
    let remedy = match test {
        true => "lmz -t --keep-going says what is sound",
        false => "lmz -d --keep-going restores what is sound",
    };
    let text = format!("{error} ({remedy})");
    anyhow::Error::new(error).context(text)
}

fn decode(
    input: &mut Input,
    output: &mut Output,
    models: &PlacedStore,
    settings: &Settings,
) -> Result<DecompressReport, CodecError> {
    let options = settings.decompress_options();
    // A bar would be drawn into the middle of the text.
    let visible = settings.talk.progress && !output.is_terminal();
    let regular = input.regular().is_some();
    let reports = settings.talk.reports && !output.is_terminal();
    match &mut input.reader {
        Reader::File(file) if regular => {
            let total = if visible || reports {
                raw_len(file)
            } else {
                None
            };
            let progress = Progress::new(visible, &input.name, total, false)
                .predicting(reports)
                .metered(models.meter());
            let models = Foretelling {
                models,
                progress: &progress,
                threads: options.threads,
            };
            lmz::decompress_seekable(file, output, &models, &options, &progress)
        }
        reader => {
            let progress = Progress::new(visible, &input.name, None, false).metered(models.meter());
            lmz::decompress(reader, output, models, &options, &progress)
        }
    }
}
