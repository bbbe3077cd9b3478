//! The models of one piece of work.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use lmz_codec::{Kernel, Meter, Model};

use super::place::{Placed, Placement};
use super::store::PlacedStore;
use crate::store::{ModelStore, StoreError};

/// The models of one piece of work, each on its device. Nothing is loaded before it is needed.
#[derive(Debug)]
pub struct Models {
    asked: Option<OsString>,
    kernel: Option<Kernel>,
    placement: Placement,
    compressing: OnceCell<Placed>,
    decompressing: OnceCell<PlacedStore>,
}

impl Models {
    /// The model that was `asked` for ([`ModelStore::open`]), or else the embedded one, with these
    /// kernels, or else the best.
    pub fn new(asked: Option<OsString>, kernel: Option<Kernel>, placement: Placement) -> Self {
        Self {
            asked,
            kernel,
            placement,
            compressing: OnceCell::new(),
            decompressing: OnceCell::new(),
        }
    }

    /// The model that compresses.
    ///
    /// # Errors
    /// There is none of that name, or more than one; it cannot be opened.
    pub fn for_compressing(&self) -> Result<Model, StoreError> {
        Ok(self.placed()?.model.clone())
    }

    /// What is to be told how long models take, if anybody is to know it later
    /// ([`Observer::timed`](lmz_codec::Observer::timed)).
    pub fn meter(&self) -> &Arc<Meter> {
        self.placement.meter()
    }

    /// As [`Models::for_compressing`], with its place.
    ///
    /// # Errors
    /// As [`Models::for_compressing`].
    pub fn placed(&self) -> Result<&Placed, StoreError> {
        if let Some(placed) = self.compressing.get() {
            return Ok(placed);
        }
        let store = self.store();
        let model = match &self.asked {
            Some(asked) => self.open(&store, asked)?,
            None => store.default_model()?,
        };
        let placed = self.placement.place(model);
        Ok(self.compressing.get_or_init(|| placed))
    }

    /// Where decompression looks for the model that a file names: the one that was asked for, and all
    /// that [`ModelStore::from_env`] knows.
    ///
    /// # Errors
    /// As [`Models::for_compressing`].
    pub fn for_decompressing(&self) -> Result<&PlacedStore, StoreError> {
        if let Some(store) = self.decompressing.get() {
            return Ok(store);
        }
        let mut store = self.store();
        if let Some(asked) = &self.asked {
            let model = self.open(&store, asked)?;
            let asked = asked.to_string_lossy();
            let asked: String = asked.chars().filter(|c| !c.is_control()).collect();
            store.add(format!("-m {asked}"), model);
        }
        let placed = PlacedStore::new(store, self.placement.clone());
        Ok(self.decompressing.get_or_init(|| placed))
    }

    fn open(&self, store: &ModelStore, asked: &OsStr) -> Result<Model, StoreError> {
        let model = store.open(asked)?;
        let remarks = store.remarks(asked);
        for warning in &remarks.warnings {
            self.placement.warn(Some(warning));
        }
        if let Some(chat) = remarks.chat {
            self.placement.tell(&chat);
        }
        Ok(model)
    }

    fn store(&self) -> ModelStore {
        let store = ModelStore::from_env();
        match self.kernel {
            Some(kernel) => store.with_kernel(kernel),
            None => store,
        }
    }
}

impl Drop for Models {
    /// What was measured of their speed outlives them.
    fn drop(&mut self) {
        let store = self.decompressing.get().map(PlacedStore::placed);
        let store = store.unwrap_or_default();
        self.placement
            .remember(self.compressing.get().into_iter().chain(&store));
    }
}
