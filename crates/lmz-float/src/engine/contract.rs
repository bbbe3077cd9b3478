//! What a backend does for those who score and write.

use std::sync::Arc;

use lmz_model::{Blueprint, Weights};

use crate::error::Result;
use crate::scoring::{Scored, Window};

/// What [`Scorer`](crate::Scorer) and [`Generator`](crate::Generator) ask of a backend.
pub(crate) trait Engine: Send {
    fn batch(&self, tokens: usize) -> usize;
    fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>>;
    fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>>;
    /// Appends tokens to the context and gives the logits after the last of them.
    fn advance(&mut self, tokens: &[u32]) -> Result<Vec<f32>>;
    /// Empties the context; the next token is at position 0.
    fn restart(&mut self);
    /// Makes the context these tokens. What it takes of them from earlier calls is not computed again; it is
    /// remembered up to `base` and up to the end.
    fn begin(&mut self, tokens: &[u32], base: usize) -> Result<()>;
    /// What the windows' scored tokens are behind the context of [`begin`](Self::begin), and whether each was the
    /// most likely one if that is asked for.
    fn continuations(
        &mut self,
        windows: &[Window<'_>],
        with_first: bool,
    ) -> Result<Vec<Vec<Scored>>>;
    /// How many texts of so many tokens, prompt included, should be written at a time. At least 1.
    fn texts(&self, tokens: usize) -> usize;
    /// Forgets all texts.
    fn clear_texts(&mut self);
    /// Begins another text and gives the logits after the last token of its prompt. What prompts have in common up to
    /// `base` is not computed again. Texts are numbered from 0.
    fn add_text(&mut self, prompt: &[u32], base: usize) -> Result<Vec<f32>>;
    /// Appends a token to each of some texts and gives the logits after it. A failure leaves the texts as they were.
    fn advance_texts(&mut self, next: &[(usize, u32)]) -> Result<Vec<Vec<f32>>>;
    fn description(&self) -> String;
    fn notice(&self) -> Option<&str>;
    /// Whether windows that stand side by side and begin alike are read as one row.
    fn packs(&self) -> bool;
    fn streamed(&self) -> bool;
    fn blueprint(&self) -> &Blueprint;
}

/// The weights, shared between threads.
pub(crate) type SharedWeights = Arc<dyn Weights + Send + Sync>;
