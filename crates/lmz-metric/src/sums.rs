//! Sums of surprisals in f64, always in the same order: tokens within a window, then windows as
//! the plan has them, whatever the order of the work.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::error::{MetricError, Result};
use crate::plan::Plan;

/// What a window's scored tokens of one unit cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Number of the window in the plan.
    #[serde(rename = "w")]
    pub window: usize,
    /// Number of the unit in the plan.
    #[serde(rename = "u")]
    pub unit: usize,
    /// The number of its tokens.
    #[serde(rename = "n")]
    pub tokens: u64,
    /// The sum of their surprisals, in nats.
    pub nats: f64,
}

/// Cost of a whole plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// Nats of each unit, its extra bits included.
    pub units: Vec<f64>,
    /// Nats of all scored tokens, in the order of the windows, then those of the extra bits.
    pub nats: f64,
    /// Tokens that were summed.
    pub tokens: u64,
}

/// The pieces of one window.
///
/// # Errors
/// The engine's answer has the wrong length, or holds something that is no surprisal.
pub(crate) fn pieces(plan: &Plan, span: usize, surprisals: &[f32]) -> Result<Vec<Piece>> {
    let scored = plan.spans[span].scored;
    if surprisals.len() != scored {
        return Err(MetricError::Answer(format!(
            "{} surprisals for the {scored} scored tokens of window {span}",
            surprisals.len()
        )));
    }
    let first = plan.spans[span].first_scored();
    // -ln p is at least 0; rounding may take a certain token a little below.
    let is_one = |s: f32| s.is_finite() && s > -1e-3;
    if let Some(at) = surprisals.iter().position(|&s| !is_one(s)) {
        return Err(MetricError::Answer(format!(
            "a surprisal of {} nats for token {} (id {}) of window {span}",
            surprisals[at],
            first + at,
            plan.tokens[first + at]
        )));
    }
    let piece = |share: crate::plan::Share| {
        let (mut nats, mut tokens) = (0.0, 0);
        for token in share.start..share.end {
            if plan.counts(token) {
                nats += f64::from(surprisals[token - first]);
                tokens += 1;
            }
        }
        Piece {
            window: span,
            unit: share.unit,
            tokens,
            nats,
        }
    };
    Ok(plan.shares(span).map(piece).collect())
}

/// Adds up the pieces of all windows.
///
/// # Errors
/// Pieces are missing, or too many.
pub(crate) fn add_up(plan: &Plan, mut pieces: Vec<Piece>) -> Result<Sums> {
    pieces.sort_by_key(|piece| (piece.window, piece.unit));
    let mut units = vec![0.0; plan.units.len()];
    let (mut nats, mut tokens) = (0.0, 0);
    for piece in &pieces {
        let unit = units.get_mut(piece.unit).ok_or_else(|| {
            MetricError::Answer(format!(
                "a cost of unit {}, which does not exist",
                piece.unit
            ))
        })?;
        *unit += piece.nats;
        nats += piece.nats;
        tokens += piece.tokens;
    }
    if tokens != plan.counts.scored {
        return Err(MetricError::Answer(format!(
            "costs of {tokens} tokens, not {}",
            plan.counts.scored
        )));
    }
    for (sum, unit) in units.iter_mut().zip(&plan.units) {
        *sum += unit.extra_bits * LN_2;
        nats += unit.extra_bits * LN_2;
    }
    Ok(Sums {
        units,
        nats,
        tokens,
    })
}
