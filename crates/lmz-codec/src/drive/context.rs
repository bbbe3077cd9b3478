//! What all work with a model has in common.

use lmz_format::ContextPolicy;

use crate::model::Model;
use crate::observer::Observer;
use crate::shown::Shown;

/// A model and how it is driven.
#[derive(Clone, Copy)]
pub struct Drive<'a> {
    pub model: &'a Model,
    pub policy: ContextPolicy,
    /// What the model is shown before each segment.
    pub shown: &'a Shown,
    pub observer: &'a dyn Observer,
}

impl<'a> Drive<'a> {
    /// Its four parts together.
    pub fn new(
        model: &'a Model,
        policy: ContextPolicy,
        shown: &'a Shown,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            model,
            policy,
            shown,
            observer,
        }
    }
}
