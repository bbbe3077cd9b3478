//! Where the output of an input goes, and what its errors are about.

use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use lmz::figures::show;
use lmz::format::IndexedReader;

use super::settings::{Mode, Settings};
use crate::io::input::{Accepts, Input, same_file};
use crate::io::output::{How, Output};
use crate::io::source::{Source, Target};
use crate::io::system;
use crate::terminal::message::Failure;

/// The output's path; none for standard output.
pub fn target(
    source: &Source,
    settings: &Settings,
    name: impl Fn(&Path) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<Option<PathBuf>> {
    let (directory, path) = match (&settings.target, source) {
        (Target::File(path), _) => return Ok(Some(path.clone())),
        (Target::Beside, Source::Stdin) | (Target::Stdout, _) => return Ok(None),
        (Target::Into(_) | Target::Mirror(_), Source::Stdin) => {
            bail!("has no name for a file in a directory (say which with -o)")
        }
        (Target::Beside, Source::File(path)) => return name(path).map(Some),
        (Target::Into(directory), Source::File(path)) => {
            let name = name(path)?;
            (directory.clone(), name.file_name().map(PathBuf::from))
        }
        (Target::Mirror(directory), Source::File(path)) => {
            let name = name(path)?;
            let above = |part: &Component<'_>| matches!(part, Component::ParentDir);
            if name.components().any(|part| above(&part)) {
                bail!("a path with '..' has no place in the directory that mirrors it");
            }
            let inner = name
                .components()
                .filter(|part| matches!(part, Component::Normal(_)));
            let inner: PathBuf = inner.collect();
            let above = inner.parent().unwrap_or(Path::new(""));
            (directory.join(above), inner.file_name().map(PathBuf::from))
        }
    };
    fs::create_dir_all(&directory)
        .map_err(system::describe)
        .with_context(|| format!("cannot make the directory {}", show(&directory)))?;
    let path = directory.join(path.unwrap_or_default());
    // With -f the second of them would replace the first.
    if !settings.written.borrow_mut().insert(path.clone()) {
        bail!("another input goes to {} too: skipped", show(&path));
    }
    Ok(Some(path))
}

/// What an input may be, and whether it may grow.
pub fn open_input(source: &Source, settings: &Settings) -> anyhow::Result<Input> {
    let named = matches!(settings.target, Target::Stdout | Target::File(_));
    let reads_only = settings.mode == Mode::Test;
    let input = Input::open_as(
        source,
        Accepts {
            special: named || reads_only,
            links: named || reads_only || settings.force,
        },
    )?;
    Ok(match settings.allow_changing {
        true => input.stop_where_it_ended(),
        false => input,
    })
}

/// Opens the output of `input`; the input itself it cannot be.
pub fn open_output(path: Option<&Path>, input: &Input, how: How) -> anyhow::Result<Output> {
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
    let private = input.regular().is_some();
    Output::file(path, How { private, ..how })
}

/// Removes an input whose output is complete, if that was asked for.
pub fn remove(input: &Input, written: &Path, settings: &Settings) -> anyhow::Result<()> {
    let (true, Some(path)) = (settings.remove, &input.path) else {
        return Ok(());
    };
    if !input.is_at(path) {
        bail!("is not removed: something else has its name now, or it is a link");
    }
    // The output's bytes are on the disk; its name has to be, too.
    let directory = written.parent().filter(|parent| *parent != Path::new(""));
    let directory = directory.unwrap_or(Path::new("."));
    if cfg!(unix) {
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(system::describe)
            .context("is not removed: its output's directory cannot be brought to the disk")?;
    }
    fs::remove_file(path)
        .map_err(system::describe)
        .context("cannot be removed")
}

/// The error of work on `output`: if a write failed, it is about that.
pub fn fail(output: &Output, error: anyhow::Error) -> Failure {
    if output.is_broken_pipe() {
        return Failure::BrokenPipe;
    }
    match output.failure() {
        Some(error) if output.is_lost() => Failure::Fatal(error),
        Some(error) => Failure::File(error),
        None => Failure::File(in_words(error)),
    }
}

/// Errors of the operating system in the words that they have everywhere else.
fn in_words(error: anyhow::Error) -> anyhow::Error {
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
