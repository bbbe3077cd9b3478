//! What is asked of a model.

use serde::{Deserialize, Serialize};

use crate::error::ModelFailure;

/// Tokens of which the last few are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Token ids. The first follows the context that all rows of a call have in common.
    pub tokens: &'a [u32],
    /// How many tokens at the end are scored: fewer than there are.
    pub scored: usize,
}

/// How likely a continuation is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// Natural logarithm of its probability.
    pub log: f64,
    /// Whether each of its tokens was the most likely one; false where nobody asked.
    pub greedy: bool,
}

/// A text that a model has written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The text, without what ended it.
    pub text: String,
    /// How many tokens were chosen.
    pub tokens: u64,
    /// The tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u32>,
}

/// A causal language model and its tokenizer.
///
/// Equal calls must give equal answers, and a row's answer must not depend on the other rows beyond rounding.
pub trait LanguageModel {
    /// The tokens of a text; with `start`, and the special ones that the tokenizer puts at a text's start.
    ///
    /// # Errors
    /// The tokenizer failed.
    fn encode(&self, text: &str, start: bool) -> Result<Vec<u32>, ModelFailure>;

    /// The token behind which a text without context is scored.
    fn start_token(&self) -> u32;

    /// The most tokens that a context may have.
    fn context(&self) -> usize;

    /// How many rows of `tokens` tokens, the common context's included, one call should bring, at most. At least 1.
    fn batch(&self, tokens: usize) -> usize;

    /// Whether it keeps what it has computed of a common context.
    fn shares(&self) -> bool;

    /// Whether rows that stand side by side in a call and begin alike are read together, what they share once.
    fn packs(&self) -> bool;

    /// For each row how surprising its last `scored` tokens are, in nats, behind the common context; and whether each
    /// was the most likely one, if `greedy` asks for it. What is computed of `context` is remembered up to `base`.
    ///
    /// # Errors
    /// A token outside the vocabulary, a row longer than the model takes, or a failure of the device.
    fn score(
        &mut self,
        context: &[u32],
        base: usize,
        rows: &[Row<'_>],
        greedy: bool,
    ) -> Result<Vec<Vec<(f32, bool)>>, ModelFailure>;

    /// How many prompts one call of [`write`](Self::write) should bring, at most, where prompt and text together have so
    /// many tokens. At least 1.
    fn texts(&self, tokens: usize) -> usize;

    /// Continues each prompt by the most likely tokens until one of the texts `stop`, the end of the text, or `most`
    /// tokens. What is computed of the prompts is remembered up to `base`.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn write(
        &mut self,
        prompts: &[&[u32]],
        base: usize,
        stop: &[String],
        most: usize,
    ) -> Result<Vec<Written>, ModelFailure>;
}
