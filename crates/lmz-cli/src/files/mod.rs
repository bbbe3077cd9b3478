//! Work on files: `lmz [OPTIONS] [FILE]...`, the command without a verb.

pub mod args;
mod compress;
mod decompress;
mod foretold;
mod levels;
mod list;
mod output;
mod rescue;
mod settings;
mod walk;

use clap::CommandFactory;

use args::FileArgs;
pub use output::{fail, open_output, refuse_terminal};
use settings::{Mode, Settings};

use crate::exit::Exit;
use crate::terminal::message::{Failure, complain};
use crate::terminal::signal;

/// Does it, file by file.
///
/// # Errors
/// Why nothing at all was done. What is wrong with one file is said, and the others follow.
pub fn run(args: FileArgs) -> Result<Exit, Failure> {
    let mut settings = match Settings::resolve(args) {
        Ok(settings) => settings,
        Err(nonsense) => nonsense.exit(FileArgs::command()),
    };
    settings.read_prime()?;
    let mut exit = Exit::Success;
    if settings.recursive {
        let found = settings.sources.iter();
        let found = found.flat_map(|source| walk::files_in(source, settings.mode));
        let mut sources = Vec::new();
        for (source, error) in found {
            match error {
                None => sources.push(source),
                Some(error) => {
                    complain(&source.to_string(), &error);
                    exit = Exit::Error;
                }
            }
        }
        settings.sources = sources;
    }
    if settings.mode == Mode::List {
        let listed = list::run(&settings)?;
        return Ok(if listed { exit } else { Exit::Error });
    }
    let mut partial = false;
    let models = settings.models();
    for source in &settings.sources {
        let done = match (settings.mode, settings.keep_going) {
            (Mode::Compress, _) => compress::run(source, &settings, &models),
            (_, None) => decompress::run(source, &settings, &models),
            (_, Some(how)) => rescue::run(source, how, &settings, &models).map(|whole| {
                partial |= !whole;
            }),
        };
        signal::end_if_interrupted();
        if let Err(failure) = done {
            exit = failure.exit();
            failure.end_if_broken_pipe();
            failure.print(&source.to_string());
            if matches!(failure, Failure::Fatal(_)) {
                break;
            }
        }
    }
    Ok(match (exit, partial) {
        (Exit::Success, true) => Exit::Partial,
        (exit, _) => exit,
    })
}
