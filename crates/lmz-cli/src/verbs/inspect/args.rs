//! The command line of `lmz inspect`.

use std::path::PathBuf;

use clap::Parser;

use crate::args::RunArgs;

const LONG: &str = "\
Show what is in a file: its header, where its segments lie and how they are kept, bits by kind, tokens \
and escapes. With --html, write a page that shows the text coloured by what each token costs, with the \
model's alternatives, a histogram and the running bits per byte. The page needs nothing but a browser.

FILE is an .lmz file, or any other, which is compressed into a temporary file first.";

/// `lmz inspect`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Show where the bits of a file go",
    long_about = LONG,
    max_term_width = 100
)]
pub struct InspectArgs {
    /// A compressed file, or one to compress for this; '-' is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write a page for a browser to OUT ('-' is standard output)
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// Alternatives that the page shows for each token
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        requires = "html",
        value_parser = clap::value_parser!(u8).range(..=20)
    )]
    pub alternatives: u8,
    /// Print JSON
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Overwrite OUT
    #[arg(short, long, requires = "html")]
    pub force: bool,
    #[command(flatten)]
    pub run: RunArgs,
}
