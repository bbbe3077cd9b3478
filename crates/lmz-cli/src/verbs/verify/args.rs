//! The command line of `lmz verify`.

use std::path::PathBuf;

use clap::Parser;

use crate::args::RunArgs;

const LONG: &str = "\
Show where every bit of a file goes: the ledger from what the model says the text is worth, through \
integer frequencies, the coder and the container, to the bytes on disk. The lines add up to the \
file's size exactly.

FILE is an .lmz file, or any other, which is compressed into a temporary file first. Either is really \
decoded, and compared with the original or its checksums.

Exit code 1 if a file does not restore or breaks one of the promises that are printed below its ledger.";

/// `lmz verify`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Account for every bit of a file, and check what is promised of it",
    long_about = LONG,
    max_term_width = 100
)]
pub struct VerifyArgs {
    /// Compressed files, or files to compress for this; '-' is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Leave the float engine out
    #[arg(long)]
    pub no_float: bool,
    #[command(flatten)]
    pub run: RunArgs,
}
