//! `lmz model pull`, in a build that cannot fetch.

use anyhow::anyhow;

use super::args::PullArgs;
use crate::exit::Exit;
use crate::terminal::message::Failure;

pub fn pull(args: &PullArgs) -> Result<Exit, Failure> {
    let name = &args.name;
    Err(Failure::Fatal(anyhow!(
        "this lmz was built without fetching (cargo feature `download`, on by default): another program can, as with \
         `hf download {name}`, and lmz finds the model in the same cache"
    )))
}
