//! Engines and tokenizers that are small enough to be checked by hand.

use std::collections::HashMap;

use lmz_metric::{Encoded, Result, ScoreError, Scorer, Tokenize, Window};

/// A special token, then the bytes.
pub struct Bytes;

impl Tokenize for Bytes {
    fn encode(&self, text: &str) -> Result<Encoded> {
        let mut encoded = Encoded {
            ids: vec![256],
            ends: vec![0],
            special: vec![true],
        };
        for (at, byte) in text.bytes().enumerate() {
            encoded.ids.push(u32::from(byte));
            // A byte in the middle of a character ends where the character does.
            let mut end = at + 1;
            while !text.is_char_boundary(end) {
                end += 1;
            }
            encoded.ends.push(end);
            encoded.special.push(false);
        }
        Ok(encoded)
    }
}

/// Counts, within the window, what followed the last two tokens: its answers depend on all of the
/// context, and on nothing else.
pub struct Counter {
    /// Windows of a batch.
    pub batch: usize,
    /// A perturbation in the last bits that depends on the batch, as an engine's may.
    pub jitter: bool,
    /// Calls until it fails.
    pub fails_after: usize,
}

impl Counter {
    pub fn new(batch: usize) -> Self {
        Self {
            batch,
            jitter: false,
            fails_after: usize::MAX,
        }
    }
}

impl Scorer for Counter {
    fn batch(&self, _tokens: usize) -> usize {
        self.batch
    }

    fn surprisals(
        &mut self,
        windows: &[Window<'_>],
    ) -> std::result::Result<Vec<Vec<f32>>, ScoreError> {
        if self.fails_after == 0 {
            return Err("the power went out".into());
        }
        self.fails_after -= 1;
        let factor = if self.jitter {
            1.0 + windows.len() as f64 * 1e-8
        } else {
            1.0
        };
        let answer = |window: &Window<'_>| {
            let all = surprisals(window.tokens);
            let scored = &all[all.len() - window.scored..];
            scored.iter().map(|nats| (nats * factor) as f32).collect()
        };
        Ok(windows.iter().map(answer).collect())
    }
}

/// For each token but the first `-ln p`.
pub fn surprisals(tokens: &[u32]) -> Vec<f64> {
    let mut counts: HashMap<(u32, u32, u32), u32> = HashMap::new();
    let mut totals: HashMap<(u32, u32), u32> = HashMap::new();
    let mut all = Vec::new();
    for at in 1..tokens.len() {
        let before = if at > 1 { tokens[at - 2] } else { u32::MAX };
        let (last, next) = (tokens[at - 1], tokens[at]);
        let total = totals.entry((before, last)).or_default();
        let count = counts.entry((before, last, next)).or_default();
        let p = (f64::from(*count) + 1.0 / 257.0) / (f64::from(*total) + 1.0);
        all.push(-p.ln());
        *total += 1;
        *count += 1;
    }
    all
}
