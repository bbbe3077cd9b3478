//! The `lmz` command. What it does is in the library; this is how it is asked to.

mod args;
mod bench;
mod bpc;
mod bytes;
mod cat;
mod compress;
mod decompress;
mod devices;
mod help;
mod input;
mod inspect;
mod list;
mod manual;
mod message;
mod models;
mod names;
mod output;
mod placement;
mod progress;
mod report;
mod rescue;
mod settings;
mod signal;
mod speed;
mod traced;
mod train;
mod verify;

use std::env;
use std::process::ExitCode;

use args::{Command, FileArgs};
use message::{Failure, complain};
use models::Models;
use settings::{Mode, Settings};

fn main() -> ExitCode {
    let command = Command::parse(env::args_os().collect());
    if let Err(error) = signal::install() {
        complain("cannot listen for signals", &error.into());
    }
    let done = match command {
        Command::Files(args) => return files(*args),
        Command::Models(args) => models::list(&args),
        Command::Model(command) => models::run(&command),
        Command::Verify(args) => verify::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Bpc(args) => bpc::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Cat(args) => cat::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
        Command::Help(args) => manual::help(&args),
    };
    signal::end_if_interrupted();
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            failure.end_if_broken_pipe();
            failure.print("");
            ExitCode::FAILURE
        }
    }
}

fn files(args: FileArgs) -> ExitCode {
    let mut settings = match Settings::resolve(args) {
        Ok(settings) => settings,
        Err(usage) => usage.exit(),
    };
    if let Err(error) = settings.read_prime() {
        complain("", &error);
        return ExitCode::FAILURE;
    }
    let mut ok = true;
    let mut partial = false;
    if settings.mode == Mode::List {
        ok = match list::run(&settings) {
            Ok(ok) => ok,
            Err(failure) => {
                failure.end_if_broken_pipe();
                failure.print("");
                false
            }
        };
        return code(ok);
    }
    let models = Models::new(&settings);
    for source in &settings.sources {
        let done = match settings.mode {
            Mode::Compress => compress::run(source, &settings, &models),
            _ => match settings.keep_going {
                Some(fill) => rescue::run(source, fill, &settings, &models).map(|whole| {
                    partial |= !whole;
                }),
                None => decompress::run(source, &settings, &models),
            },
        };
        signal::end_if_interrupted();
        if let Err(failure) = done {
            ok = false;
            failure.end_if_broken_pipe();
            failure.print(&source.to_string());
            if matches!(failure, Failure::Fatal(_)) {
                break;
            }
        }
    }
    match (ok, partial) {
        // Files were written that are not what was compressed.
        (true, true) => ExitCode::from(rescue::PARTIAL),
        _ => code(ok),
    }
}

fn code(ok: bool) -> ExitCode {
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
