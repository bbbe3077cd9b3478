//! The command line of `lmz bench`.

use std::path::PathBuf;

use clap::Parser;
#[cfg(feature = "bench")]
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
#[cfg(feature = "bench")]
use lmz::bench::Method;

use crate::args::RunArgs;

const LONG: &str = "\
Compress and restore files with lmz and with gzip, bzip2, xz, zstd and brotli at their strongest, all on \
the same bytes, and print sizes, bits per byte, speeds and memory.

Each program runs in a process of its own, in memory, one after the other. Speeds are those of the best \
of several passes where a pass takes less than half a second. Memory is the peak above what the process \
held with the input read. What was restored is compared with the input; lmz's own verification is off, since \
the other programs have none. gzip, bzip2, brotli run on one thread.

With --device lmz runs there, and its line says so; the others run on the CPU. If the device is not to be \
had, or fails, lmz is measured on the CPU, with a notice, and the line says cpu.

A model is needed to restore: its size stands in a column of its own, and the total counts it once.";

/// `lmz bench`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Compare sizes, speeds and memory with other compressors on the same files",
    long_about = LONG,
    max_term_width = 100
)]
pub struct BenchArgs {
    /// Files to compress
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Only these programs
    #[cfg(feature = "bench")]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = method())]
    pub only: Vec<Method>,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print a table of sizes in Markdown, a line for each file
    #[arg(long)]
    pub markdown: bool,
    /// Draw bits per byte against speed, over all files
    #[arg(long, value_name = "OUT.svg")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunArgs,
    /// Measure one program in this process, on the file of this number
    #[cfg(feature = "bench")]
    #[arg(long, hide = true, value_parser = method(), requires = "at")]
    pub measure: Option<Method>,
    #[cfg(feature = "bench")]
    #[arg(long, hide = true, requires = "measure")]
    pub at: Option<usize>,
}

/// Parses the name of a program.
#[cfg(feature = "bench")]
fn method() -> impl TypedValueParser<Value = Method> {
    let values = Method::ALL.map(|method| PossibleValue::new(method.name()).help(method.about()));
    PossibleValuesParser::new(values)
        .try_map(|name| Method::named(&name).ok_or("no program of this name"))
}
