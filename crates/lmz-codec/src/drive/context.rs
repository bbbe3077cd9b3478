//! What all work with a model has in common.

use lmz_format::ContextPolicy;

use super::stage::Stage;
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
    /// What learns between prediction and coder, if anything does.
    pub stage: Option<&'a dyn Stage>,
    pub observer: &'a dyn Observer,
}

impl<'a> Drive<'a> {
    /// Without a stage that learns.
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
            stage: None,
            observer,
        }
    }
}
