//! What all work with a model has in common.

use lmz_format::ContextPolicy;
use lmz_mix::Version;

use crate::clock;
use crate::error::Result;
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::shown::Shown;
use crate::timing::{Direction, Timing};

/// A model and how it is driven.
#[derive(Clone, Copy)]
pub struct Drive<'a> {
    pub model: &'a Model,
    pub policy: ContextPolicy,
    /// What the model is shown before each segment.
    pub shown: &'a Shown,
    /// Of mixing, where there is any.
    pub mixing: Version,
    pub observer: &'a dyn Observer,
}

impl<'a> Drive<'a> {
    /// Its parts together.
    pub fn new(
        model: &'a Model,
        policy: ContextPolicy,
        shown: &'a Shown,
        mixing: Version,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            model,
            policy,
            shown,
            mixing,
            observer,
        }
    }

    /// Does `work` on so many raw bytes, and tells the observer how long the model took.
    pub fn timed(
        &self,
        phase: Phase,
        bytes: usize,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let start = clock::now();
        work()?;
        if let (Some(start), Some(end)) = (start, clock::now()) {
            let direction = match phase {
                Phase::Encode => Direction::Encoding,
                Phase::Verify | Phase::Decode => Direction::Decoding,
            };
            let (bytes, time) = (bytes as u64, end - start);
            self.observer
                .timed(self.model, direction, Timing { bytes, time });
        }
        Ok(())
    }
}
