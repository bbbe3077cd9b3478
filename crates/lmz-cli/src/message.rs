//! What is said on standard error, and what an error means for the files that follow.

use std::io::{self, Write};

use crate::signal;

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
            let error = crate::input::describe(error);
            Self::Fatal(error.context("cannot write standard output"))
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::File(error)
    }
}
