//! What the verbs of `lmz eval` print, and why they fail.

use std::io::{self, Write};

use lmz::eval::EvalError;

use crate::terminal::message::Failure;

pub(super) fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

pub(super) fn out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    printed.map_err(Failure::stdout)
}

pub(super) fn fatal(error: EvalError) -> Failure {
    Failure::Fatal(error.into())
}
