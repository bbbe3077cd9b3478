//! What is scored: windows over a row of tokens, and the units that the tokens belong to.

use serde::{Deserialize, Serialize};

use crate::scorer::Window;
use crate::window::Span;

/// Share of a corpus that may be left out at its end without a word.
const LONG_TAIL: f64 = 0.02;

/// A document, or a segment of a stream: what the tokens of a plan are attributed to, and what
/// the bootstrap draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Its first token in the plan; its last one is before the next unit's first.
    pub first: usize,
    /// Bytes of its text.
    pub bytes: u64,
    /// Unicode code points of its text.
    pub characters: u64,
    /// Bits that it costs beyond its scored tokens (escaped bytes of a stream).
    pub extra_bits: f64,
}

/// How many tokens there are, and what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCounts {
    /// What the tokenizer gave, special tokens included.
    pub total: u64,
    /// Those that enter the figure.
    pub scored: u64,
    /// Those at the end that the protocol does not score.
    pub dropped: u64,
    /// Special tokens among all.
    pub special: u64,
    /// Special tokens among the scored ones.
    pub special_scored: u64,
    /// Start tokens that were put before documents as context, beyond the total.
    pub added_starts: u64,
    /// Bytes that no token spells, coded as themselves.
    pub escaped_bytes: u64,
    /// Documents of fewer than two tokens.
    pub short_documents: u64,
}

/// The text of the tokens that are dropped at the end of a corpus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTail {
    /// Its characters: those that begin at or after the end of the last scored token's text.
    pub characters: u64,
    /// Bytes of its text in UTF-8.
    pub bytes: u64,
}

/// Tokens and windows of a whole corpus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// All tokens, in the order of the units. A window is a part of it.
    pub tokens: Vec<u32>,
    /// The units, in order; their tokens tile [`tokens`](Self::tokens).
    pub units: Vec<Unit>,
    /// The windows, in order of what they score; no token is scored twice.
    pub spans: Vec<Span>,
    /// Tokens that a window's scored part holds but that do not count, sorted (escaped bytes,
    /// which are paid for in [`Unit::extra_bits`]).
    pub masked: Vec<usize>,
    /// What becomes of the tokens.
    pub counts: TokenCounts,
    /// What is dropped at the end.
    pub tail: DroppedTail,
}

/// The scored tokens that a window and a unit share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub unit: usize,
    /// Within the plan's tokens.
    pub start: usize,
    pub end: usize,
}

impl Plan {
    /// The tokens of window number `span`, and how many of them are scored.
    pub fn window(&self, span: usize) -> Window<'_> {
        let span = self.spans[span];
        Window {
            tokens: &self.tokens[span.start..span.end()],
            scored: span.scored,
        }
    }

    /// Characters of all units.
    pub fn characters(&self) -> u64 {
        self.units.iter().map(|unit| unit.characters).sum()
    }

    /// Bytes of all units.
    pub fn bytes(&self) -> u64 {
        self.units.iter().map(|unit| unit.bytes).sum()
    }

    /// What a person should know of a tail so long that it makes the figure wrong, in a sentence: its characters are
    /// counted, and its tokens are not scored.
    pub fn tail_notice(&self) -> Option<String> {
        let (tail, all) = (self.tail.characters, self.characters());
        let share = tail as f64 / all.max(1) as f64;
        // Where nothing is scored, that is an error of its own.
        if share <= LONG_TAIL || tail == all {
            return None;
        }
        Some(format!(
            "the protocol does not score the last {tail} of {all} characters, and counts them: bits per character come out \
             {:.1} % too low. The figure without the tail is right for what was scored; --protocol document leaves nothing out",
            share * 100.0
        ))
    }

    /// Tokens that pass through the model: every window's, its last one excepted, which is only
    /// predicted.
    pub fn work(&self) -> u64 {
        self.spans.iter().map(|span| span.len as u64 - 1).sum()
    }

    /// Number of the largest token id, none without tokens.
    pub fn largest_token(&self) -> Option<u32> {
        self.tokens.iter().copied().max()
    }

    /// The longest window, in tokens.
    pub fn longest(&self) -> usize {
        self.spans.iter().map(|span| span.len).max().unwrap_or(0)
    }

    /// A BLAKE3 hash of everything that decides a figure besides the model, in hexadecimal
    /// digits: a run can be continued only on the same plan.
    pub fn hash(&self) -> String {
        let mut hash = blake3::Hasher::new();
        let number = |hash: &mut blake3::Hasher, n: u64| {
            hash.update(&n.to_le_bytes());
        };
        hash.update(b"lmz plan v1\n");
        number(&mut hash, self.tokens.len() as u64);
        for chunk in self.tokens.chunks(1 << 12) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|id| id.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        number(&mut hash, self.spans.len() as u64);
        for span in &self.spans {
            for n in [span.start, span.len, span.scored] {
                number(&mut hash, n as u64);
            }
        }
        number(&mut hash, self.units.len() as u64);
        for unit in &self.units {
            for n in [unit.first as u64, unit.bytes, unit.characters] {
                number(&mut hash, n);
            }
            number(&mut hash, unit.extra_bits.to_bits());
        }
        number(&mut hash, self.masked.len() as u64);
        for &masked in &self.masked {
            number(&mut hash, masked as u64);
        }
        hash.finalize().to_hex().to_string()
    }

    /// How a window's scored tokens divide among units.
    pub(crate) fn shares(&self, span: usize) -> impl Iterator<Item = Share> + '_ {
        let span = self.spans[span];
        let (mut at, end) = (span.first_scored(), span.end());
        // A unit without tokens begins where the next one does: the last such one has the token.
        let mut unit = self.units.partition_point(|unit| unit.first <= at);
        std::iter::from_fn(move || {
            let start = at;
            let next = loop {
                let next = self.units.get(unit).map_or(end, |unit| unit.first.min(end));
                if next > start || next == end {
                    break next;
                }
                unit += 1;
            };
            let share = Share {
                unit: unit.saturating_sub(1),
                start,
                end: next,
            };
            at = next;
            unit += 1;
            (share.end > share.start).then_some(share)
        })
    }

    /// Whether a token of a window's scored part counts.
    pub(crate) fn counts(&self, token: usize) -> bool {
        self.masked.is_empty() || self.masked.binary_search(&token).is_err()
    }
}
