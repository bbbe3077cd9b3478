//! The order in which a text's symbols are coded: rounds of consecutive blocks in lock step.

#[cfg(feature = "encode")]
use lmz_exact::{Cache, Engine, MAX_CONTEXT};
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
/// Rounds that a text has at least, before a lane more is worth what it costs.
#[cfg(feature = "encode")]
const ROUNDS: usize = 4;
/// The same for a model that is waited for: each reading of its weights serves all lanes, and what it predicts well
/// the lanes teach each other less.
#[cfg(feature = "encode")]
const WAITING: (usize, usize) = (16, 2);
/// Bytes of keys and values that a reader of such a file has at once, at most.
#[cfg(feature = "encode")]
const CACHES: usize = 1 << 29;

/// The lanes of a text of so many symbols, where nobody has asked for a number: what lanes that run ahead do not know
/// of each other costs most at a text's beginning.
#[cfg(feature = "encode")]
pub fn lanes_of(policy: ContextPolicy, symbols: usize, engine: &Engine) -> usize {
    let context = policy.context as usize;
    if !engine.waits_for_memory() {
        return (symbols / context / ROUNDS).clamp(1, LANES);
    }
    let cache = Cache::size(engine, context.min(MAX_CONTEXT));
    shared_lanes(symbols.div_ceil(context), cache)
}

/// The lanes of a text of so many blocks under a model that is waited for: as many as make no more rounds than the most would.
#[cfg(feature = "encode")]
fn shared_lanes(blocks: usize, cache: usize) -> usize {
    let (most, least_rounds) = WAITING;
    if blocks < 2 * least_rounds {
        return 1;
    }
    let most = (CACHES / cache.max(1)).clamp(2, most);
    blocks.div_ceil(blocks.div_ceil(most).max(least_rounds))
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

#[cfg(all(test, feature = "encode"))]
mod tests {
    use super::*;

    #[test]
    fn lanes_fill_their_rounds_and_their_caches_fit() {
        let small = 20 << 20;
        for (blocks, lanes) in [
            (1, 1),
            (3, 1),
            (4, 2),
            (9, 5),
            (42, 14),
            (48, 16),
            (4000, 16),
        ] {
            assert_eq!(shared_lanes(blocks, small), lanes, "{blocks} blocks");
        }
        for blocks in 4..300 {
            let lanes = shared_lanes(blocks, small);
            let rounds = blocks.div_ceil(lanes);
            assert!(lanes <= 16 && rounds >= 2);
            // A lane less would take a round more, or there are as few rounds as there may be.
            assert!(rounds == 2 || blocks.div_ceil(lanes - 1) > rounds);
            assert!(shared_lanes(blocks, 100 << 20) <= 5);
            assert_eq!(shared_lanes(blocks, usize::MAX), 2);
        }
        assert_eq!(shared_lanes(4000, 0), 16);
    }
}
