//! A store whose models run on their devices.

use std::sync::{Arc, Mutex, PoisonError};

use lmz_codec::{CodecError, Header, Meter, Model, ModelSource};

use super::place::{Placed, Placement};
use crate::store::ModelStore;

/// The models of a store, each on its device.
#[derive(Debug)]
pub struct PlacedStore {
    store: ModelStore,
    placement: Placement,
    /// Placed before: a model is taken to a device once.
    placed: Mutex<Vec<Placed>>,
}

impl PlacedStore {
    /// The models of `store`, placed when they are asked for.
    pub fn new(store: ModelStore, placement: Placement) -> Self {
        Self {
            store,
            placement,
            placed: Mutex::default(),
        }
    }

    /// What is to be told how long models take ([`Models::meter`](super::Models::meter)).
    pub fn meter(&self) -> &Arc<Meter> {
        self.placement.meter()
    }

    /// What was placed so far.
    pub fn placed(&self) -> Vec<Placed> {
        let placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        placed.clone()
    }
}

impl ModelSource for PlacedStore {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = placed.iter().map(|placed| &placed.model);
        if let Some(model) = known.clone().find(|m| m.is_named_by(header)) {
            return Ok(model.clone());
        }
        let found = self.placement.place(self.store.find(header)?);
        let model = found.model.clone();
        placed.push(found);
        Ok(model)
    }
}
