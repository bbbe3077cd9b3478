//! Where bytes come from, and where they go.

use std::fmt;
use std::path::{Path, PathBuf};

use lmz::figures::show;

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// What was named on the command line; `-` is standard input.
    pub fn named(path: PathBuf) -> Self {
        if path == Path::new("-") {
            Self::Stdin
        } else {
            Self::File(path)
        }
    }

    /// What was named, where standard input is named at most once: it can be read only once.
    pub fn all(paths: Vec<PathBuf>) -> Result<Vec<Self>, &'static str> {
        let sources: Vec<Self> = paths.into_iter().map(Self::named).collect();
        match sources.iter().filter(|s| **s == Self::Stdin).count() {
            0 | 1 => Ok(sources),
            _ => Err("standard input ('-') can be read only once"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => f.write_str(&show(path)),
        }
    }
}

/// Where the output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A name made from the input's (standard output for standard input).
    Beside,
    /// That name in this directory.
    Into(PathBuf),
    /// That name in this directory, below the input's own ones.
    Mirror(PathBuf),
    Stdout,
    File(PathBuf),
}
