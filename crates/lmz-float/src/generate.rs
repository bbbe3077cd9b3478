//! Step-wise generation over a cache of keys and values.

use std::sync::Arc;

use lmz_model::{Position, Weights};

use crate::engine::{self, Engine};
use crate::error::{FloatError, Result};
use crate::sampling::Sampling;
use crate::scoring::{Scored, ScoringOptions, Window};

/// A model that continues texts.
pub struct Generator {
    engine: Box<dyn Engine>,
}

/// Why a text ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It has as many tokens as were asked for.
    Length,
    /// The model takes no longer context.
    Context,
    /// This token, one of those that end a text, was chosen.
    Token(u32),
    /// This text, one of those that end it, came up.
    Stop(String),
}

/// What [`Generator::generate`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Every token that was chosen, those of a stop text included.
    pub tokens: Vec<u32>,
    /// The bytes of the text, without what ended it.
    pub bytes: Vec<u8>,
    /// What put an end to it.
    pub ended: Ended,
}

impl Generator {
    /// Opens a model, as [`Scorer::open`](crate::Scorer::open) does.
    ///
    /// # Errors
    /// The same.
    pub fn open(weights: Arc<dyn Weights + Send + Sync>, options: ScoringOptions) -> Result<Self> {
        Ok(Self {
            engine: engine::open(weights, options)?,
        })
    }

    /// Continues `prompt`. `spell` gives the bytes of a token.
    ///
    /// # Errors
    /// An empty prompt or one that is longer than the model takes, a token outside the
    /// vocabulary, settings without meaning, or a failure of the device.
    pub fn generate(
        &mut self,
        prompt: &[u32],
        sampling: &Sampling,
        spell: impl Fn(u32) -> Vec<u8>,
    ) -> Result<Generation> {
        sampling.validate()?;
        if prompt.is_empty() {
            return Err(FloatError::Window {
                tokens: 0,
                scored: 0,
                reason: "a text starts with at least one token".into(),
            });
        }
        let mut chance = fastrand::Rng::with_seed(sampling.seed);
        let mut text = Generation {
            tokens: vec![],
            bytes: vec![],
            ended: Ended::Length,
        };
        self.restart();
        if sampling.max_tokens == 0 {
            return Ok(text);
        }
        let mut logits = self.advance(prompt)?;
        loop {
            let token = sampling.choose(&logits, &mut chance);
            text.tokens.push(token);
            if sampling.end_tokens.contains(&token) {
                text.ended = Ended::Token(token);
                return Ok(text);
            }
            let seen = text.bytes.len();
            text.bytes.extend(spell(token));
            if let Some((at, stop)) = stopped(&text.bytes, seen, &sampling.stop) {
                text.bytes.truncate(at);
                text.ended = Ended::Stop(stop);
                return Ok(text);
            }
            if text.tokens.len() == sampling.max_tokens {
                return Ok(text);
            }
            if self.is_full(prompt.len() + text.tokens.len()) {
                text.ended = Ended::Context;
                return Ok(text);
            }
            logits = self.advance(&[token])?;
        }
    }

    /// Appends tokens to the context and gives the logits after the last one, `[vocab_size]`.
    ///
    /// # Errors
    /// A context longer than the model takes, a token outside the vocabulary, or a failure of
    /// the device; the context is then as before.
    pub fn advance(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        self.engine.advance(tokens)
    }

    /// Empties the context, so that another text can begin.
    pub fn restart(&mut self) {
        self.engine.restart();
    }

    /// Makes the context these tokens. What earlier calls have computed of it is not computed again: they are
    /// remembered up to `base`, which many contexts begin with, and up to the end.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn begin(&mut self, tokens: &[u32], base: usize) -> Result<()> {
        self.engine.begin(tokens, base)
    }

    /// For each window what its last `scored` tokens are behind the context of [`begin`](Self::begin), which stays as
    /// it is: the window's first token follows it. `with_first` asks, too, whether each was the most likely token.
    ///
    /// # Errors
    /// As [`Scorer::surprisals`](crate::Scorer::surprisals).
    pub fn continuations(
        &mut self,
        windows: &[Window<'_>],
        with_first: bool,
    ) -> Result<Vec<Vec<Scored>>> {
        self.engine.continuations(windows, with_first)
    }

    /// How many texts of `tokens` tokens, prompt included, should be written at a time: at least 1. A model's weights are
    /// read once for a token of each of them.
    pub fn texts(&self, tokens: usize) -> usize {
        self.engine.texts(tokens)
    }

    /// Forgets all texts of [`add_text`](Self::add_text).
    pub fn clear_texts(&mut self) {
        self.engine.clear_texts();
    }

    /// Begins another text, the first of which has the number 0, and gives the logits after its prompt, `[vocab_size]`.
    /// What prompts have in common up to `base` is not computed again. The context of [`begin`](Self::begin) is lost.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn add_text(&mut self, prompt: &[u32], base: usize) -> Result<Vec<f32>> {
        self.engine.add_text(prompt, base)
    }

    /// Appends a token to each of some texts, named by their numbers, and gives the logits after it, `[vocab_size]` each.
    /// On the CPU they are, bit for bit, what they would be with other texts beside it, up to 32.
    ///
    /// # Errors
    /// As [`advance`](Self::advance), and a text that is not there or named twice; the texts are then as before.
    pub fn advance_texts(&mut self, next: &[(usize, u32)]) -> Result<Vec<Vec<f32>>> {
        self.engine.advance_texts(next)
    }

    /// How many windows of `tokens` tokens, the context's included, one call should bring, at most. At least 1.
    pub fn batch(&self, tokens: usize) -> usize {
        self.engine.batch(tokens)
    }

    /// Whether [`continuations`](Self::continuations) reads windows side by side as one row, without padding, and what neighbours
    /// begin with once. Else the longest of a batch sets what each costs.
    pub fn packs(&self) -> bool {
        self.engine.packs()
    }

    /// Whether layers are read from disk for each pass.
    pub fn streamed(&self) -> bool {
        self.engine.streamed()
    }

    /// The device's name and the number type.
    pub fn description(&self) -> String {
        self.engine.description()
    }

    /// What the user should know: that another device was taken than the one asked for.
    pub fn notice(&self) -> Option<&str> {
        self.engine.notice()
    }

    fn is_full(&self, tokens: usize) -> bool {
        let blueprint = self.engine.blueprint();
        blueprint.position == Position::Learned && tokens > blueprint.max_positions
    }
}

/// Where the first stop text begins that ends in the bytes from `seen` on.
fn stopped(bytes: &[u8], seen: usize, stops: &[String]) -> Option<(usize, String)> {
    stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| {
            let from = (seen + 1).saturating_sub(stop.len());
            bytes[from..]
                .windows(stop.len())
                .position(|w| w == stop.as_bytes())
                .map(|at| (from + at, stop.clone()))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::stopped;

    #[test]
    fn stop_texts_are_found_across_tokens() {
        let stops = ["\n\n".to_string(), String::new(), "end".to_string()];
        assert_eq!(stopped(b"a\n", 1, &stops), None);
        assert_eq!(stopped(b"a\n\nb", 2, &stops), Some((1, "\n\n".into())));
        assert_eq!(stopped(b"the end", 6, &stops), Some((4, "end".into())));
        assert_eq!(stopped(b"the end is", 8, &stops), None);
    }
}
