//! Files whose cost is to be traced: an `.lmz` file as it is, anything else compressed on the way.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use clap::error::ErrorKind;
use lmz::format::{IndexedReader, MAGIC};
use lmz::placement::{Models, Task};
use lmz::{CompressOptions, Direction, Meter, Model, Observer, Phase, Timing};

use crate::args::RunArgs;
use crate::io::input::Input;
use crate::io::names::has_suffix;
use crate::io::source::Source;
use crate::io::system::{describe, temporary};
use crate::settings::{Nonsense, RunSettings, Talk};
use crate::terminal::message::Failure;
use crate::terminal::progress::Progress;

/// Work on files whose cost is traced, resolved.
pub struct Tracing {
    pub run: RunSettings,
    pub sources: Vec<Source>,
    /// How to compress what is not compressed.
    pub options: CompressOptions,
}

impl Tracing {
    /// # Errors
    /// Standard input is named twice; `LMZ_KERNEL` makes no sense.
    pub fn resolve(run: RunArgs, files: Vec<PathBuf>) -> Result<Self, Nonsense> {
        let run = RunSettings::resolve(run, true)?;
        let sources = Source::all(files)
            .map_err(|message| Nonsense::new(ErrorKind::TooManyValues, message))?;
        let options = CompressOptions {
            // All of it is decoded afterwards.
            verify: false,
            ..run.compress_options(None)
        };
        Ok(Self {
            run,
            sources,
            options,
        })
    }

    /// Reads the file of `--prime`, if there is one.
    ///
    /// # Errors
    /// It cannot be read, is empty or too large.
    pub fn read_prime(&mut self) -> Result<()> {
        self.options.prime = self.run.read_prime()?;
        Ok(())
    }

    /// The models for all of it.
    pub fn models(&self) -> Models {
        // Everything is decoded, too.
        let plan = self.options.plan;
        let task = Task::Compress { verify: true, plan };
        self.run.models(&self.sources, task)
    }
}

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
    /// What is told how long models take.
    meter: Arc<Meter>,
}

impl Traced {
    /// Opens a source; what is no `.lmz` file is compressed into a temporary one.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or cannot be compressed.
    pub fn open(source: &Source, tracing: &Tracing, models: &Models) -> Result<Self, Failure> {
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
                meter: Arc::clone(models.meter()),
            });
        }
        let model = models
            .for_compressing()
            .map_err(|error| Failure::Fatal(error.into()))?;
        let mut packed = temporary()?;
        let total = file.metadata().map_err(describe)?.len();
        let talk = tracing.run.talk;
        let progress = Progress::new(talk.progress, &name, Some(total), tracing.options.verify)
            .predicting(talk.reports)
            .metered(models.meter());
        let options = &tracing.options;
        let report = lmz::compress(&mut file, &mut packed, &model, options, &progress);
        drop(progress);
        let report = report.map_err(anyhow::Error::from)?;
        file.rewind().map_err(describe)?;
        packed.rewind().map_err(describe)?;
        Ok(Self {
            name,
            file: packed,
            original: Some(file),
            raw_len: report.raw_len,
            meter: Arc::clone(models.meter()),
        })
    }

    /// A bar over raw bytes that pass `passes` times.
    pub fn progress(&self, talk: Talk, passes: u64) -> Passes {
        Passes {
            progress: Progress::new(talk.progress, &self.name, Some(self.raw_len), false)
                .predicting(talk.reports)
                .metered(&self.meter),
            passes: passes.max(1),
            left: AtomicU64::new(0),
        }
    }
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

    fn timed(&self, model: &Model, direction: Direction, timing: Timing) {
        self.progress.timed(model, direction, timing);
    }

    fn notice(&self, text: &str) {
        self.progress.notice(text);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}
