//! The order in which a text's symbols are coded: rounds of consecutive blocks in lock step.

#[cfg(feature = "encode")]
use lmz_exact::Engine;
use lmz_format::ContextPolicy;

use crate::blocks::{Block, blocks};

/// The policy under which a text is read in rounds of `lanes` blocks.
///
/// In a round of more than one block the end of the block before is not known when a block begins: none sees symbols
/// before its own then, but the first of all, which sees the prime's.
pub fn policy_of(policy: ContextPolicy, lanes: usize) -> ContextPolicy {
    ContextPolicy {
        overlap: if lanes == 1 { policy.overlap } else { 0 },
        ..policy
    }
}

/// Most lanes, where nobody has asked for a number.
#[cfg(feature = "encode")]
const LANES: usize = 4;
/// The same, where threads share each pass: more lanes gain them less.
#[cfg(feature = "encode")]
const SHARED_LANES: usize = 2;
/// Rounds that a text has at least, before a lane more is worth what it costs.
#[cfg(feature = "encode")]
const ROUNDS: usize = 4;

/// The lanes of a text of so many symbols, where nobody has asked for a number: what lanes that run ahead do not know
/// of each other costs most at a text's beginning.
#[cfg(feature = "encode")]
pub fn lanes_of(policy: ContextPolicy, symbols: usize, engine: &Engine) -> usize {
    let blocks = symbols / policy.context as usize;
    let most = match engine.waits_for_memory() {
        true => SHARED_LANES,
        false => LANES,
    };
    (blocks / ROUNDS).clamp(1, most)
}

/// The rounds of a text of so many symbols behind `known` ones, one after the other.
pub fn rounds(
    policy: ContextPolicy,
    known: usize,
    symbols: usize,
    lanes: usize,
) -> impl Iterator<Item = Vec<Block>> {
    let mut blocks = blocks(policy_of(policy, lanes), known, known + symbols);
    std::iter::from_fn(move || {
        let round: Vec<Block> = blocks.by_ref().take(lanes).collect();
        (!round.is_empty()).then_some(round)
    })
}
