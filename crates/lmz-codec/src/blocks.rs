//! Blocks of bounded context within a segment (docs/numerics.md, section 7).

use lmz_format::ContextPolicy;
use lmz_model::{Symbol, Vocabulary};

/// The symbols that one block codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First coded symbol.
    pub first: usize,
    /// One past the last coded symbol.
    pub end: usize,
    /// Symbols before `first` that the block sees; in the first block those of the prime.
    pub overlap: usize,
}

/// The blocks of `symbols` symbols, of which the first `known` are the prime's and not coded.
pub fn blocks(policy: ContextPolicy, known: usize, symbols: usize) -> impl Iterator<Item = Block> {
    let mut first = known;
    std::iter::from_fn(move || {
        let block = block_at(policy, known, first);
        let block = Block {
            end: block.end.min(symbols),
            ..block
        };
        (first < symbols).then(|| {
            first = block.end;
            block
        })
    })
}

/// The block that starts at symbol `first`, full length; `known` symbols, fewer than the context, are
/// the prime's.
pub fn block_at(policy: ContextPolicy, known: usize, first: usize) -> Block {
    let (context, overlap) = (policy.context as usize, policy.overlap as usize);
    let overlap = if first == known { known } else { overlap };
    Block {
        first,
        end: first + context - overlap,
        overlap,
    }
}

/// What the model reads for a block, in place of what `inputs` held: the start token, the symbols of
/// the overlap and those that are coded, without the last. An escape is read as the start token.
#[cfg(feature = "encode")]
pub fn read_by(block: Block, symbols: &[Symbol], start_token: u32, inputs: &mut Vec<u32>) {
    let known = &symbols[block.first - block.overlap..block.end - 1];
    inputs.clear();
    inputs.push(start_token);
    inputs.extend(known.iter().map(|symbol| input(symbol, start_token)));
}

/// What the model reads for a symbol.
pub fn input(symbol: &Symbol, start_token: u32) -> u32 {
    match symbol {
        Symbol::Token(token) => *token,
        Symbol::Escape(_) => start_token,
    }
}

/// The raw bytes that a symbol stands for.
pub fn spelling<'s>(symbol: &'s Symbol, vocabulary: &'s Vocabulary) -> &'s [u8] {
    match symbol {
        Symbol::Token(token) => vocabulary.get(*token).unwrap_or_default(),
        Symbol::Escape(byte) => std::slice::from_ref(byte),
    }
}

/// The raw bytes that symbols stand for, one after the other.
pub fn spell(symbols: &[Symbol], vocabulary: &Vocabulary) -> Vec<u8> {
    let mut raw = Vec::new();
    for symbol in symbols {
        raw.extend_from_slice(spelling(symbol, vocabulary));
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_tile_the_symbols() {
        for (context, overlap) in [(1, 0), (8, 0), (8, 3), (8, 7)] {
            let policy = ContextPolicy::new(context, overlap).unwrap();
            for (symbols, known) in (0..40).flat_map(|n| (0..context).map(move |k| (n, k))) {
                let (known, symbols) = (known as usize, symbols + known as usize);
                let mut next = known;
                for block in blocks(policy, known, symbols) {
                    assert_eq!(block.first, next);
                    assert!(block.end > block.first && block.overlap <= block.first);
                    assert!(block.end - block.first + block.overlap <= context as usize);
                    assert_eq!(
                        block.overlap == known && block.first == known,
                        next == known
                    );
                    next = block.end;
                }
                assert_eq!(next, symbols);
            }
        }
    }
}
