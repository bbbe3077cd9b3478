//! The stages of a build; see [`super`].

mod collect;
mod extract;
mod filter;
mod merge;
mod output;
mod quality;
mod settings;
mod shard;

pub use collect::collect;
pub use extract::extract;
pub use filter::filter;
pub use merge::merge;
pub use output::{Manifest, ManifestInput, ManifestOutput, Output};
pub use quality::{Quality, Score};
pub use settings::{Near, Paragraphs, Settings};
pub use shard::Part;

use std::path::Path;

use serde_json::{Value, json};

use super::sources::Source;
use super::store::Work;
use super::watch::Watch;
use crate::error::{CorpusError, Result};

/// What all stages of a build are given.
pub struct Build<'a> {
    /// Where documents come from.
    pub source: &'a dyn Source,
    /// How they are chosen.
    pub settings: &'a Settings,
    /// Who looks on.
    pub watch: &'a dyn Watch,
    /// How many threads work.
    pub threads: usize,
    work: Work,
}

impl<'a> Build<'a> {
    /// A build in the work directory `directory`, a new one or one that was begun with the same inputs and settings.
    ///
    /// # Errors
    /// There are no inputs, two have the same name, or the directory belongs to another build.
    pub fn open(
        source: &'a dyn Source,
        settings: &'a Settings,
        watch: &'a dyn Watch,
        threads: usize,
        directory: &Path,
    ) -> Result<Self> {
        if source.inputs().is_empty() {
            return Err(CorpusError::Refused("there is no input".into()));
        }
        let plan = plan(source, settings);
        let work = Work::open(directory, &plan)?;
        Ok(Self {
            source,
            settings,
            watch,
            threads: threads.max(1),
            work,
        })
    }

    /// Its work directory.
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// All four stages, and the manifest of what was written.
    ///
    /// # Errors
    /// Those of the stages. What was done is kept in the work directory.
    pub fn run(&self, out: &Path, quality: Option<&Quality<'_>>) -> Result<Manifest> {
        self.work.sweep()?;
        extract(self, Part::WHOLE)?;
        merge(self)?;
        filter(self, Part::WHOLE)?;
        collect(self, out, quality)
    }

    fn check(&self) -> Result<()> {
        match self.watch.cancelled() {
            true => Err(CorpusError::Cancelled),
            false => Ok(()),
        }
    }
}

/// What a work directory is bound to. Settings of the last stage are no part of it: it is done anew each time.
fn plan(source: &dyn Source, settings: &Settings) -> Value {
    json!({
        "version": 1,
        "source": source.kind(),
        "settings": source.settings(),
        "exact": settings.exact,
        "paragraphs": settings.paragraphs,
        "near": settings.near,
        "min_characters": settings.min_characters,
        "seed": settings.seed,
        "inputs": source.inputs(),
    })
}
