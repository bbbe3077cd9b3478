//! A build without the other compressors.

use anyhow::anyhow;

use super::args::BenchArgs;
use crate::exit::Exit;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb};

impl Verb for BenchArgs {
    const NAME: &'static str = "bench";

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let message = "this lmz was built without the other compressors (cargo feature `bench`, on by default)";
        Err(Failure::Fatal(anyhow!(message)))
    }
}
