//! Exit codes: what `lmz help` promises, in one place.

use std::process::ExitCode;

use lmz::ErrorKind;

/// How the program ends. (A command line that makes no sense ends it with 2, by clap.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Success,
    /// Something did not.
    Error,
    /// Files were written that are not all of what was compressed.
    Partial,
}

impl Exit {
    /// Success, or not.
    pub fn of(ok: bool) -> Self {
        if ok { Self::Success } else { Self::Error }
    }

    /// For an error of this kind, if it has one.
    pub fn for_kind(kind: Option<ErrorKind>) -> Self {
        match kind {
            // The promise is one code for all of them: scripts depend on it. Who was interrupted dies of
            // the signal.
            None | Some(_) => Self::Error,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Error => 1,
            Exit::Partial => 3,
        })
    }
}
