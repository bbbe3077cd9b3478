//! What all stages are given.

use std::path::Path;

use serde_json::{Value, json};

use super::super::sources::Source;
use super::super::store::Work;
use super::super::watch::Watch;
use super::settings::Settings;
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
    pub(super) work: Work,
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

    pub(super) fn check(&self) -> Result<()> {
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
