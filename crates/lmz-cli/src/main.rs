//! The `lmz` command. What it does is in the library; this is how it is asked to.
//!
//! Arguments are parsed once, by clap ([`args`], `files/args.rs`, a verb's own `args.rs`), and resolved once
//! into settings ([`settings`], `files/settings.rs`). Verbs stand in one table ([`verbs::ALL`]).

mod args;
mod exit;
mod files;
mod io;
mod settings;
mod terminal;
mod verb;
mod verbs;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use terminal::message::{complain, end};
use terminal::signal;

fn main() -> ExitCode {
    io::closed::begin();
    let (args, called) = called(env::args_os().collect());
    // By another name there are no verbs.
    let verb = match called {
        false => verbs::named(&args),
        true => None,
    };
    // Parsed before anything else: help and nonsense end the process.
    let done = match verb {
        Some(verb) => {
            listen();
            verb.run(&args[2..], verbs::ALL)
        }
        None => {
            let args = files::args::parse(args);
            listen();
            files::run(args)
        }
    };
    signal::end_if_interrupted();
    done.unwrap_or_else(|failure| end(&failure)).into()
}

/// The arguments, and whether the program is called by a name that says what to do: `unlmz` or `lmzcat`, as
/// `gunzip` and `zcat` are names of gzip.
fn called(mut args: Vec<OsString>) -> (Vec<OsString>, bool) {
    let name = args.first().map(Path::new).and_then(Path::file_stem);
    let option = match name.and_then(OsStr::to_str) {
        Some("unlmz") => "--decompress",
        Some("lmzcat") => "-dc",
        _ => return (args, false),
    };
    args.insert(1, option.into());
    (args, true)
}

fn listen() {
    if let Err(error) = signal::install() {
        complain("cannot listen for signals", &error.into());
    }
}
