//! `lmz corpus`: corpora from what is published, and what they are.

mod args;
#[cfg(feature = "download")]
mod download;
#[cfg(not(feature = "download"))]
#[path = "no_download.rs"]
mod download;
mod progress;
mod run;
mod show;
mod sources;
mod words;

pub use args::CorpusArgs;

use std::path::Path;

use args::{CorpusCommand, OverlapArgs, ThreadsArg};
use lmz_corpus::build::overlap::{Options, overlap};
use lmz_corpus::build::report::{sample, stats};
use lmz_corpus::build::stages::Output;
use progress::Progress;
use words::in_words;

use crate::exit::Exit;
use crate::settings::Talk;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb};

impl Verb for CorpusArgs {
    const NAME: &'static str = "corpus";

    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        match self.command {
            CorpusCommand::Cc(args) => sources::cc(*args),
            CorpusCommand::Github(args) => sources::github(*args),
            CorpusCommand::Arxiv(args) => sources::arxiv(*args),
            CorpusCommand::Local(args) => sources::local(*args),
            CorpusCommand::Stats {
                corpus,
                json,
                threads,
            } => {
                let stats = stats(&corpus, threads.count()).map_err(in_words)?;
                show::stats(&stats, json)
            }
            CorpusCommand::Overlap(args) => compare(args),
            CorpusCommand::Sample {
                corpus,
                n,
                seed,
                out,
            } => take(&corpus, n, seed, out.as_deref()),
        }
    }
}

impl ThreadsArg {
    /// How many threads were asked for.
    fn count(self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(all, usize::from)
    }
}

fn compare(args: OverlapArgs) -> Result<Exit, Failure> {
    let progress = Progress::new(Talk::resolve(args.talk));
    let options = Options {
        n: usize::from(args.n),
        least: args.at_least,
        threads: args.threads.count(),
    };
    let report = overlap(
        &args.corpus,
        &args.others,
        &options,
        args.drop.as_deref(),
        &progress,
    );
    drop(progress);
    show::overlap(&report.map_err(in_words)?, args.json)
}

fn take(corpus: &Path, n: usize, seed: u64, out: Option<&Path>) -> Result<Exit, Failure> {
    match out {
        None => {
            let mut text = Vec::new();
            sample(corpus, n, seed, &mut text).map_err(in_words)?;
            show::print(&text)
        }
        Some(path) => {
            let mut text = Vec::new();
            sample(corpus, n, seed, &mut text).map_err(in_words)?;
            let mut output = Output::new(path).map_err(in_words)?;
            output.lines(&text).map_err(in_words)?;
            output.finish().map_err(in_words)?;
            Ok(Exit::Success)
        }
    }
}
