//! What is said on standard error, and what an error means for the files that follow.

use std::io::{self, Write};

use super::signal;
use crate::exit::Exit;

/// Prints a line. Nobody can be told that standard error is closed.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints an error with its causes; `subject` is what it is about.
pub fn complain(subject: &str, error: &anyhow::Error) {
    if subject.is_empty() {
        say(&format!("lmz: {error:#}"));
    } else {
        say(&format!("lmz: {subject}: {error:#}"));
    }
}

/// Why a piece of work was not done.
#[derive(Debug)]
pub enum Failure {
    /// Other files may do better.
    File(anyhow::Error),
    /// No other file will do better.
    Fatal(anyhow::Error),
    /// Whoever read standard output has seen enough.
    BrokenPipe,
}

impl Failure {
    /// Prints it.
    pub fn print(&self, subject: &str) {
        match self {
            Self::File(error) => complain(subject, error),
            Self::Fatal(error) => complain("", error),
            Self::BrokenPipe => {}
        }
    }

    /// How the program ends if this is all there was to do.
    pub fn exit(&self) -> Exit {
        match self {
            Self::File(error) | Self::Fatal(error) => Exit::for_kind(lmz::error_kind(&**error)),
            Self::BrokenPipe => Exit::Error,
        }
    }

    /// Ends the process, without a word, where other programs die of SIGPIPE.
    pub fn end_if_broken_pipe(&self) {
        if matches!(self, Self::BrokenPipe) {
            signal::end_by_broken_pipe();
        }
    }

    /// A failed write to standard output.
    pub fn stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            let error = crate::io::system::describe(error);
            Self::Fatal(error.context("cannot write standard output"))
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::File(error)
    }
}

/// Says why the whole work was not done, and how the program ends.
pub fn end(failure: &Failure) -> Exit {
    failure.end_if_broken_pipe();
    failure.print("");
    failure.exit()
}
