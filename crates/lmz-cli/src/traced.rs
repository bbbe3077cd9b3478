//! Files whose cost is to be traced: an `.lmz` file as it is, anything else compressed on the way.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use lmz::format::{IndexedReader, MAGIC};
use lmz::{CompressOptions, Observer, Phase};

use crate::input::{Input, describe};
use crate::message::Failure;
use crate::models::Models;
use crate::progress::Progress;
use crate::settings::{Settings, Source};

/// An `.lmz` file at hand.
pub struct Traced {
    /// What the input is called.
    pub name: String,
    /// The `.lmz` file, at its start.
    pub file: File,
    /// What was compressed, at its start; none if the input was an `.lmz` file.
    pub original: Option<File>,
    /// Bytes that it restores to.
    pub raw_len: u64,
}

impl Traced {
    /// Opens a source; what is no `.lmz` file is compressed into a temporary one.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or cannot be compressed.
    pub fn open(source: &Source, settings: &Settings, models: &Models) -> Result<Self, Failure> {
        let input = Input::open(source, true)?;
        let name = input.name.clone();
        let named = input.path.as_deref().is_some_and(has_suffix);
        let mut file = input.into_seekable()?;
        file.rewind().map_err(describe)?;
        if named || starts_with_magic(&mut file)? {
            let index = IndexedReader::open(BufReader::new(&mut file));
            let raw_len = index.map_err(anyhow::Error::from)?.raw_len();
            file.rewind().map_err(describe)?;
            return Ok(Self {
                name,
                file,
                original: None,
                raw_len,
            });
        }
        let model = models.for_compressing().map_err(Failure::Fatal)?;
        let mut packed = tempfile::tempfile().context("cannot make a temporary file")?;
        let total = file.metadata().map_err(describe)?.len();
        let options = CompressOptions {
            // All of it is decoded afterwards.
            verify: false,
            ..settings.options.clone()
        };
        let progress = Progress::new(settings.progress, &name, Some(total), false)
            .predicting(settings.reports);
        let report = lmz::compress(&mut file, &mut packed, &model, &options, &progress);
        drop(progress);
        let report = report.map_err(anyhow::Error::from)?;
        file.rewind().map_err(describe)?;
        packed.rewind().map_err(describe)?;
        Ok(Self {
            name,
            file: packed,
            original: Some(file),
            raw_len: report.raw_len,
        })
    }

    /// A bar over raw bytes that pass `passes` times.
    pub fn progress(&self, settings: &Settings, passes: u64) -> Passes {
        Passes {
            progress: Progress::new(settings.progress, &self.name, Some(self.raw_len), false)
                .predicting(settings.reports),
            passes: passes.max(1),
            left: AtomicU64::new(0),
        }
    }
}

fn has_suffix(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("lmz"))
}

/// Whether the file starts as members do; leaves it at its start.
fn starts_with_magic(file: &mut File) -> Result<bool> {
    let mut start = Vec::new();
    let read = file.take(MAGIC.len() as u64).read_to_end(&mut start);
    read.and_then(|_| file.rewind()).map_err(describe)?;
    Ok(start == MAGIC)
}

/// Progress of work in which the same bytes pass several times.
pub struct Passes {
    progress: Progress,
    passes: u64,
    /// What was not yet a whole byte of the bar.
    left: AtomicU64,
}

impl Observer for Passes {
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        let all = self.left.fetch_add(raw_bytes, Ordering::Relaxed) + raw_bytes;
        let whole = all / self.passes - (all - raw_bytes) / self.passes;
        self.progress.advance(phase, whole);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}

/// Whoever reads standard output may have seen enough.
pub fn stdout(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(Failure::stdout)
}
