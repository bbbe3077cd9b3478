//! `lmz -d FILE.lmz` and `lmz -t FILE.lmz`

use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::time::Instant;

use anyhow::anyhow;
use lmz::format::IndexedReader;
use lmz::{CodecError, DecompressReport, ModelSource};

use crate::compress::{fail, open_output, target};
use crate::input::{Input, Reader};
use crate::message::{Failure, say};
use crate::models::Models;
use crate::names;
use crate::output::Output;
use crate::progress::Progress;
use crate::report;
use crate::settings::{Mode, Settings, Source, Target, Volume};

/// Restores or tests one source.
pub fn run(source: &Source, settings: &Settings, models: &Models) -> Result<(), Failure> {
    let test = settings.mode == Mode::Test;
    refuse_terminal(source, settings)?;
    let path = if test {
        None
    } else {
        target(source, settings, names::restored)?
    };
    let mut input = Input::open(source, test || settings.target != Target::Beside)?;
    let mut output = if test {
        Output::null()
    } else {
        open_output(path.as_deref(), &input, settings.force)?
    };
    let models = models.for_decompressing().map_err(Failure::Fatal)?;
    let start = Instant::now();
    let done = decode(&mut input, &mut output, models, settings);
    let report = done.map_err(|error| fail(&output, error.into()))?;
    if let Err(error) = output.commit(input.regular()) {
        return Err(fail(&output, error));
    }
    if report.header_damaged && settings.volume > Volume::Quiet {
        say(&format!(
            "lmz: {}: warning: a header or end byte is damaged; its copy in the footer was used, and \
             all bytes are restored",
            input.name
        ));
    }
    if settings.reports {
        let (raw, time) = (report.raw_len, report::seconds(start.elapsed()));
        let line = match input.len() {
            _ if test => format!("OK, {raw} bytes in {time}"),
            Some(packed) => format!("{packed} -> {raw} bytes in {time}"),
            None => format!("-> {raw} bytes in {time}"),
        };
        say(&format!("{}: {line}", input.name));
    }
    Ok(())
}

/// A person does not type compressed data.
pub fn refuse_terminal(source: &Source, settings: &Settings) -> Result<(), Failure> {
    if *source == Source::Stdin && io::stdin().is_terminal() && !settings.force {
        return Err(Failure::Fatal(anyhow!(
            "compressed data is not read from a terminal (-f forces it; see lmz --help)"
        )));
    }
    Ok(())
}

fn decode(
    input: &mut Input,
    output: &mut Output,
    models: &dyn ModelSource,
    settings: &Settings,
) -> Result<DecompressReport, CodecError> {
    let options = settings.decompress_options();
    // A bar would be drawn into the middle of the text.
    let visible = settings.progress && !output.is_terminal();
    let regular = input.regular().is_some();
    let reports = settings.reports && !output.is_terminal();
    match &mut input.reader {
        Reader::File(file) if regular => {
            let total = if visible || reports {
                raw_len(file)
            } else {
                None
            };
            let progress = Progress::new(visible, &input.name, total, false).predicting(reports);
            lmz::decompress_seekable(file, output, models, &options, &progress)
        }
        reader => {
            let progress = Progress::new(visible, &input.name, None, false);
            lmz::decompress(reader, output, models, &options, &progress)
        }
    }
}

/// The length of what a file decodes to, from its index.
pub fn raw_len(file: &File) -> Option<u64> {
    let reader = IndexedReader::open(BufReader::new(file)).ok()?;
    Some(reader.raw_len())
}
