//! What the model says of the symbol after a position.

use crate::engine::{Answer, Scores};

/// What [`Lanes::collect`](super::Lanes::collect) gives for a query.
#[derive(Debug)]
pub enum Prediction<'a> {
    /// For [`Query::Symbol`](super::Query::Symbol) and [`Query::Point`](super::Query::Point).
    Answer(Answer),
    /// For [`Query::Distribution`](super::Query::Distribution). Borrowed from the lanes' buffers: of what is wanted
    /// for longer, keep a few numbers, not the V logits and weights.
    Distribution(Scores<'a>),
}

impl Prediction<'_> {
    /// The answer to a query of a symbol or a point.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::Distribution(_) => None,
        }
    }

    /// The answer to a query of the distribution.
    pub fn distribution(&self) -> Option<&Scores<'_>> {
        match self {
            Self::Answer(_) => None,
            Self::Distribution(scores) => Some(scores),
        }
    }
}
