//! Where the output of an input goes, and what its errors are about.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use lmz::format::IndexedReader;

use super::settings::Settings;
use crate::io::input::{Input, same_file};
use crate::io::output::Output;
use crate::io::source::{Source, Target};
use crate::io::system;
use crate::terminal::message::Failure;

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
            system::describe(io::Error::from_raw_os_error(code)).context("cannot read")
        }
        _ => error,
    }
}

/// A person does not type compressed data.
pub fn refuse_terminal(source: &Source, force: bool) -> Result<(), Failure> {
    if *source == Source::Stdin && io::stdin().is_terminal() && !force {
        return Err(Failure::Fatal(anyhow!(
            "compressed data is not read from a terminal (-f forces it; see lmz --help)"
        )));
    }
    Ok(())
}

/// The length of what a file decodes to, from its index.
pub fn raw_len(file: &File) -> Option<u64> {
    let reader = IndexedReader::open(BufReader::new(file)).ok()?;
    Some(reader.raw_len())
}
