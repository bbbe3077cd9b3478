//! A build without the engine.

use anyhow::anyhow;

use super::args::{BpcArgs, definition};
use crate::exit::Exit;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb};

impl Verb for BpcArgs {
    const NAME: &'static str = "bpc";

    fn definition() -> clap::Command {
        definition()
    }

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let message =
            "this lmz was built without the float engine (cargo feature `float`, on by default)";
        Err(Failure::Fatal(anyhow!(message)))
    }
}
