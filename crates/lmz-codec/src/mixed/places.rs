//! Symbols as places in the walk through the vocabulary.

use lmz_exact::Symbols;
use lmz_mix::{Symbol as Placed, Text, Walk};
use lmz_model::Symbol;

use crate::error::{CodecError, Result};

/// Where every byte is a token, no byte needs an escape.
#[cfg(feature = "encode")]
pub fn without_escapes(walk: &Walk, table: &Symbols, symbols: &mut [Symbol]) {
    if walk.has_escape() {
        return;
    }
    for symbol in symbols {
        if let Symbol::Escape(byte) = *symbol {
            // The first of the tokens that begin with the byte is the byte.
            let (mut low, mut high) = (0, walk.len());
            while low < high {
                let middle = (low + high) / 2;
                match walk.bytes(middle) < &[byte][..] {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            if let Some(token) = table.token(walk.token(low.min(walk.len() - 1))) {
                *symbol = Symbol::Token(token);
            }
        }
    }
}

/// A symbol by its place.
pub fn placed(walk: &Walk, table: &Symbols, symbol: Symbol) -> Result<Placed> {
    match symbol {
        Symbol::Escape(byte) => Ok(Placed::Escape(byte)),
        Symbol::Token(token) => match table.symbol(token) {
            Some(number) => Ok(Placed::Token(walk.place(number))),
            None => Err(CodecError::InvalidArgument(
                "the tokeniser gave a token that cannot be coded".into(),
            )),
        },
    }
}

/// What a place stands for.
pub fn spelled(walk: &Walk, table: &Symbols, symbol: Placed) -> Symbol {
    match symbol {
        Placed::Escape(byte) => Symbol::Escape(byte),
        Placed::Token(place) => match table.token(walk.token(place)) {
            Some(token) => Symbol::Token(token),
            None => Symbol::Escape(0),
        },
    }
}

/// Shows the first lane of the first round what the model is shown.
pub fn teach(text: &mut Text<'_>, walk: &Walk, table: &Symbols, shown: &[Symbol]) -> Result<()> {
    for &symbol in shown {
        if let Placed::Token(place) = placed(walk, table, symbol)? {
            text.teach(0, place);
        }
    }
    Ok(())
}
