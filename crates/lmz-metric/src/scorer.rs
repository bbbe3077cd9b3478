//! What the protocols ask of an engine.

/// A boxed error of whatever engine scores.
pub type ScoreError = Box<dyn std::error::Error + Send + Sync>;

/// Some tokens in a row, of which the last few are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// Token ids; the first is context only.
    pub tokens: &'a [u32],
    /// How many tokens at the end are scored: fewer than there are tokens.
    pub scored: usize,
}

/// A model that says how surprising tokens are.
pub trait Scorer {
    /// How many windows of this length one call should bring, at most. At least 1.
    fn batch(&self, tokens: usize) -> usize;

    /// For each window the surprisals of its last `scored` tokens, in nats: `-ln p(token | the
    /// tokens of the window before it)`.
    ///
    /// # Errors
    /// A token outside the vocabulary, a window longer than the model takes, or a failure of the
    /// device.
    fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>, ScoreError>;
}
