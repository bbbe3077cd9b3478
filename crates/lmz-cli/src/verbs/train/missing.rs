//! A build without the trainer.

use anyhow::anyhow;

use super::args::{TrainArgs, definition};
use crate::exit::Exit;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb};

impl Verb for TrainArgs {
    const NAME: &'static str = "train";

    fn definition() -> clap::Command {
        definition()
    }

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let message =
            "this lmz was built without the trainer (cargo feature `train`, on by default)";
        Err(Failure::Fatal(anyhow!(message)))
    }
}
