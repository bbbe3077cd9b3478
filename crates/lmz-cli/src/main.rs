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
use std::ffi::OsString;
use std::process::ExitCode;

use terminal::message::{complain, end};
use terminal::signal;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().collect();
    let verb = verbs::named(&args);
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

fn listen() {
    if let Err(error) = signal::install() {
        complain("cannot listen for signals", &error.into());
    }
}
