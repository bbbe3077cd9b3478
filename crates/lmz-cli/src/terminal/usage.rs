//! Ending the process for help and for command lines that make no sense.

use std::io::{self, Write};
use std::process;

use clap::error::{ContextKind, ErrorKind};

use super::message::{Failure, end};
use crate::exit::Exit;

/// Prints what clap has to say, and ends.
pub fn exit(mut error: clap::Error) -> ! {
    // An option that is not known is seldom meant to be the name of a file.
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(suggested) = error.remove(ContextKind::Suggested)
        && error.get(ContextKind::SuggestedArg).is_some()
    {
        error.insert(ContextKind::Suggested, suggested);
    }
    let code = error.exit_code();
    // What is buffered may fail later.
    match error.print().and_then(|()| io::stdout().flush()) {
        Ok(()) => process::exit(code),
        // Help that did not arrive was not given.
        Err(failed) if !error.use_stderr() => {
            let Exit::Success = end(&Failure::stdout(failed)) else {
                process::exit(1)
            };
            process::exit(code)
        }
        Err(_) => process::exit(code),
    }
}
