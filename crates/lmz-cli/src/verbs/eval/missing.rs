//! A build without the engine.

use anyhow::anyhow;

use super::args::{EvalArgs, definition};
use crate::exit::Exit;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb};

impl Verb for EvalArgs {
    const NAME: &'static str = "eval";

    fn definition() -> clap::Command {
        definition()
    }

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let message =
            "this lmz was built without the float engine (cargo feature `float`, on by default)";
        Err(Failure::Fatal(anyhow!(message)))
    }
}
