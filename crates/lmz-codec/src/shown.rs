//! What the model is shown before each segment.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use lmz_exact::Prefix;
use lmz_model::Symbol;

use crate::blocks::input;

/// The symbols that one model is shown before each segment, the prime's; none without one.
///
/// Clones share what the model makes of them.
#[derive(Clone, Default)]
pub struct Shown {
    symbols: Arc<[Symbol]>,
    prefix: Arc<Prefix>,
}

impl Shown {
    pub fn new(symbols: &[Symbol], start_token: u32) -> Self {
        let tokens = symbols.iter().map(|symbol| input(symbol, start_token));
        Self {
            symbols: symbols.into(),
            prefix: Arc::new(Prefix::new(
                std::iter::once(start_token).chain(tokens).collect(),
            )),
        }
    }

    /// What every segment's first block begins with, if there is more than the start token.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.symbols.fmt(f)
    }
}

impl Deref for Shown {
    type Target = [Symbol];

    fn deref(&self) -> &[Symbol] {
        &self.symbols
    }
}
