//! `lmz corpus` as it was typed.

mod build;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lmz_corpus::build::Date;

use crate::args::{TalkArgs, help};

pub use build::{BuildArgs, NearArg, StageName, ThreadsArg};

/// `lmz corpus`
#[derive(Debug, Parser)]
#[command(
    about = "Make corpora that no model has seen, and look at them",
    long_about = help::CORPUS_LONG,
    after_long_help = help::CORPUS_AFTER,
    max_term_width = 100
)]
pub struct CorpusArgs {
    #[command(subcommand)]
    pub command: CorpusCommand,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub enum CorpusCommand {
    /// Pages of Common Crawl: WET or WARC files
    Cc(Box<CcArgs>),
    /// Source code: repositories of git, tarballs, or what GitHub's search finds
    Github(Box<GithubArgs>),
    /// Papers: arXiv's bulk tars of sources
    Arxiv(Box<ArxivArgs>),
    /// Files of your own: text, code, Markdown, HTML, text of PDFs, mailboxes, JSON lines
    Local(Box<LocalArgs>),
    /// Count documents, bytes, languages, licences, duplicates
    Stats {
        /// A .jsonl or .txt file (also .zst, .gz), or a directory of them
        #[arg(value_name = "FILE")]
        corpus: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        threads: ThreadsArg,
    },
    /// Find what a corpus has in common with benchmarks or training data
    Overlap(OverlapArgs),
    /// Print documents at random
    Sample {
        /// A .jsonl file (also .zst, .gz), or a directory of them
        #[arg(value_name = "FILE")]
        corpus: PathBuf,
        /// How many documents
        #[arg(short, long, value_name = "N", default_value_t = 10)]
        n: usize,
        /// Another seed gives another sample
        #[arg(long, value_name = "S", default_value_t = 0)]
        seed: u64,
        /// Write them to FILE
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `lmz corpus cc`
#[derive(Debug, Args)]
pub struct CcArgs {
    /// WET or WARC files, plain or .gz
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present_any = ["list", "dump"], help_heading = "Input")]
    pub wet: Vec<PathBuf>,
    /// A file with a path of a WET or WARC file in each line
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub list: Option<PathBuf>,
    /// Fetch WET files of this dump: CC-MAIN-2026-22
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub dump: Option<String>,
    /// How many files of the dump, chosen by the seed
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        requires = "dump",
        help_heading = "Input"
    )]
    pub files: usize,
    /// Keep what is fetched in DIR
    #[arg(long, value_name = "DIR", default_value = ".", help_heading = "Input")]
    pub downloads: PathBuf,
    /// Where dumps are
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://data.commoncrawl.org",
        hide_short_help = true,
        help_heading = "Input"
    )]
    pub base: String,
    /// Languages that are kept (en, de, zh), separated by commas, or all
    #[arg(
        long,
        value_name = "CODES",
        value_delimiter = ',',
        default_value = "en",
        help_heading = "Filters"
    )]
    pub language: Vec<String>,
    /// How sure the language must be
    #[arg(
        long,
        value_name = "PART",
        default_value_t = 0.5,
        help_heading = "Filters"
    )]
    pub confidence: f64,
    /// Fewest characters of a document
    #[arg(
        long,
        value_name = "N",
        default_value_t = 300,
        help_heading = "Filters"
    )]
    pub min_length: u64,
    /// Leave menus and notices in the texts
    #[arg(long, help_heading = "Filters")]
    pub keep_boilerplate: bool,
    /// Pages that were fetched on this day or later
    #[arg(long, value_name = "DATE", help_heading = "Filters")]
    pub after: Option<Date>,
    /// Pages that were fetched before this day
    #[arg(long, value_name = "DATE", help_heading = "Filters")]
    pub before: Option<Date>,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `lmz corpus github`
#[derive(Debug, Args)]
pub struct GithubArgs {
    /// A list with a repository in each line: a folder of git, a tarball, or OWNER/NAME, which is fetched. Or one folder or tarball
    #[arg(long, value_name = "LIST", num_args = 1.., required_unless_present = "search", help_heading = "Input")]
    pub repos: Vec<PathBuf>,
    /// Fetch what GitHub finds: 'language:python created:>2026-06-01 stars:>10'
    #[arg(long, value_name = "QUERY", help_heading = "Input")]
    pub search: Option<String>,
    /// Most repositories that are taken from a search
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Input")]
    pub most: usize,
    /// Keep what is fetched in DIR
    #[arg(long, value_name = "DIR", default_value = ".", help_heading = "Input")]
    pub downloads: PathBuf,
    /// Programming languages that are kept, separated by commas [default: what the search asks for, or python]
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub language: Vec<String>,
    /// Only repositories under these licences (SPDX: mit, apache-2.0), separated by commas
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub licence: Vec<String>,
    /// Only repositories that were made (where that is not known: last changed) on this day or later
    #[arg(long, value_name = "DATE", help_heading = "Filters")]
    pub after: Option<Date>,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `lmz corpus arxiv`
#[derive(Debug, Args)]
pub struct ArxivArgs {
    /// Bulk tars: arXiv_src_2606_001.tar
    #[arg(long, value_name = "FILE", num_args = 1.., required = true, help_heading = "Input")]
    pub tar: Vec<PathBuf>,
    /// arXiv's metadata, a JSON object a line: arxiv-metadata-oai-snapshot.json (also .gz, .zst)
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub metadata: PathBuf,
    /// The primary category: math, or math.CO
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub category: Option<String>,
    /// Papers whose first version is of this day or later
    #[arg(long, value_name = "DATE", help_heading = "Filters")]
    pub after: Option<Date>,
    /// Papers whose first version is of an earlier day
    #[arg(long, value_name = "DATE", help_heading = "Filters")]
    pub before: Option<Date>,
    /// What makes Markdown of TeX
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "auto",
        help_heading = "Filters"
    )]
    pub markup: MarkupName,
    /// Fewest characters of a document
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        help_heading = "Filters"
    )]
    pub min_length: u64,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// What makes Markdown of TeX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MarkupName {
    /// pandoc if it is installed, else what is built in
    Auto,
    /// pandoc, as in the paper
    Pandoc,
    /// The reader that is part of lmz
    Builtin,
    /// Nothing: TeX stays as it is
    Tex,
}

/// `lmz corpus local`
#[derive(Debug, Args)]
pub struct LocalArgs {
    /// Folders and files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// What the documents' subset is [default: what a file is: text, web, mail, python, ...]
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub subset: Option<String>,
    /// Filter prose as pages of the web are filtered: menus, notices, too few letters
    #[arg(long, help_heading = "Filters")]
    pub clean: bool,
    /// Filter code as repositories are filtered: long lines, generated files, tests
    #[arg(long, help_heading = "Filters")]
    pub clean_code: bool,
    /// Languages of prose that are kept, separated by commas; all tells them and keeps all [default: not told]
    #[arg(
        long,
        value_name = "CODES",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub language: Vec<String>,
    /// Fewest characters of a document of prose
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Filters")]
    pub min_length: u64,
    /// Documents of this day or later, where they have one (messages, JSON lines)
    #[arg(long, value_name = "DATE", help_heading = "Filters")]
    pub after: Option<Date>,
    /// What makes Markdown of .tex files
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "tex",
        help_heading = "Filters"
    )]
    pub markup: MarkupName,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `lmz corpus overlap`
#[derive(Debug, Args)]
pub struct OverlapArgs {
    /// The corpus: a .jsonl file, any text, or a directory of them
    #[arg(value_name = "CORPUS")]
    pub corpus: PathBuf,
    /// What it is compared with: files or directories of text, JSON, JSON lines (also .zst, .gz)
    #[arg(value_name = "OTHER", required = true)]
    pub others: Vec<PathBuf>,
    /// Words of a sequence
    #[arg(short, long, value_name = "WORDS", default_value_t = 13, value_parser = clap::value_parser!(u8).range(2..=100))]
    pub n: u8,
    /// A document with so many common sequences overlaps
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    pub at_least: u64,
    /// Write the corpus without the documents that overlap to FILE
    #[arg(long, value_name = "FILE")]
    pub drop: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub threads: ThreadsArg,
    #[command(flatten)]
    pub talk: TalkArgs,
}
