//! The float engine as the metric's scorer.

use std::sync::Arc;

use lmz_float::{FloatError, ScoringOptions};
use lmz_metric::{ScoreError, Scorer, Window};
use lmz_model::Weights;

/// A model on the float engine.
pub struct FloatScorer(lmz_float::Scorer);

impl std::fmt::Debug for FloatScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FloatScorer")
            .field(&self.0.description())
            .finish()
    }
}

impl FloatScorer {
    /// Opens a model on a device.
    ///
    /// # Errors
    /// As [`lmz_float::Scorer::open`].
    pub fn open(
        weights: Arc<dyn Weights + Send + Sync>,
        options: ScoringOptions,
    ) -> Result<Self, FloatError> {
        lmz_float::Scorer::open(weights, options).map(Self)
    }

    /// The device's name, the number type, and whether layers are read from disk.
    pub fn description(&self) -> String {
        self.0.description()
    }

    /// What the user should know: that another device was taken than the one asked for.
    pub fn notice(&self) -> Option<&str> {
        self.0.notice()
    }
}

impl Scorer for FloatScorer {
    fn batch(&self, tokens: usize) -> usize {
        self.0.batch(tokens)
    }

    fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>, ScoreError> {
        let windows: Vec<lmz_float::Window<'_>> = windows
            .iter()
            .map(|window| lmz_float::Window {
                tokens: window.tokens,
                scored: window.scored,
            })
            .collect();
        Ok(self.0.surprisals(&windows)?)
    }
}
