//! Timings of several models, added up.

use std::sync::{Mutex, PoisonError};

use lmz_format::ModelId;

use crate::model::Model;
use crate::timing::{Direction, Timing, Timings};

/// Adds up what [observers](crate::Observer::timed) are told. One that is shared by all observers of a program knows how
/// long each model took on the device that it ran on.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Vec<(Key, Timings)>>);

/// A model, and its device; none for the CPU.
type Key = (ModelId, Option<String>);

fn key(model: &Model) -> Key {
    (model.id(), model.device_name())
}

impl Meter {
    /// Adds a batch, as an observer is told of it.
    pub fn add(&self, model: &Model, direction: Direction, timing: Timing) {
        let key = key(model);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(known, _)| *known == key);
        let at = at.unwrap_or_else(|| {
            all.push((key, Timings::default()));
            all.len() - 1
        });
        all[at].1.add(direction, timing);
    }

    /// How long a model took so far, where it runs now.
    pub fn timings(&self, model: &Model) -> Timings {
        let key = key(model);
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().find(|(known, _)| *known == key);
        own.map_or_else(Timings::default, |(_, timings)| *timings)
    }
}
