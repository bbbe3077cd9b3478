//! What is said on standard error, and what an error means for the files that follow.

use std::io::{self, Write};

use lmz::figures::visible;

use super::signal;
use crate::exit::Exit;
use crate::io::closed;

/// Prints a line. Nobody can be told that standard error is closed. What would steer a terminal is shown.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(line));
}

/// Prints an error with its causes; `subject` is what it is about.
pub fn complain(subject: &str, error: &anyhow::Error) {
    let text = with_causes(error);
    if subject.is_empty() {
        say(&format!("lmz: {text}"));
    } else {
        say(&format!("lmz: {subject}: {text}"));
    }
}

/// An error and its causes, without those whose words it says itself.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
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
    /// Prints the error on standard error; nothing for a broken pipe.
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
        if error.kind() == io::ErrorKind::BrokenPipe && closed::check_output().is_ok() {
            Self::BrokenPipe
        } else {
            let error = closed::check_output().err().unwrap_or(error);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_named_is_not_named_again() {
        let io = io::Error::other("the disk");
        let error = anyhow::Error::new(io).context("cannot read: the disk");
        assert_eq!(with_causes(&error), "cannot read: the disk");
        let error = anyhow::anyhow!("b").context("a");
        assert_eq!(with_causes(&error), "a: b");
    }
}
