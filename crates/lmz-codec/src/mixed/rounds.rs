//! The order in which a text's symbols are coded: rounds of consecutive blocks in lock step.

use lmz_format::ContextPolicy;

use crate::blocks::{Block, blocks};

/// The blocks of a text of so many symbols behind `known` ones, and how many of them make a round.
///
/// In a round of more than one block, the end of the block before is not known when a block begins: no block but the
/// first sees any symbols before its own then.
pub fn blocks_of(policy: ContextPolicy, known: usize, symbols: usize, lanes: usize) -> Vec<Block> {
    let overlap = if lanes == 1 { policy.overlap } else { 0 };
    let policy = policy_of(policy, overlap);
    blocks(policy, known, known + symbols).collect()
}

/// The policy under which the model reads a text in rounds of `lanes` blocks.
pub fn policy_for(policy: ContextPolicy, lanes: usize) -> ContextPolicy {
    policy_of(policy, if lanes == 1 { policy.overlap } else { 0 })
}

fn policy_of(policy: ContextPolicy, overlap: u32) -> ContextPolicy {
    ContextPolicy { overlap, ..policy }
}
