//! What the model is shown before each segment, and what it makes of that.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use lmz_exact::{Cache, Run, Scratch};
use lmz_model::Symbol;

use crate::blocks::input;
use crate::model::Model;

/// The symbols that one model is shown before each segment, the prime's; none without one.
///
/// Clones share the keys and values that the model has for them, which are computed once.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    symbols: Arc<[Symbol]>,
    state: Arc<OnceLock<Cache>>,
}

impl Shown {
    pub fn new(symbols: &[Symbol]) -> Self {
        Self {
            symbols: symbols.into(),
            state: Arc::default(),
        }
    }

    /// What the model reads for them.
    pub fn inputs(&self, start_token: u32) -> Vec<u32> {
        let inputs = self.symbols.iter().map(|s| input(s, start_token));
        inputs.collect()
    }

    /// Gives `cache` the keys and values of a first block's positions up to the last symbol's, which is
    /// left to be run since its scores are wanted; returns how many they are, as many as symbols.
    ///
    /// They are the bits that running them would leave, because no position depends on what is run with
    /// it. The first call runs them.
    pub fn begin(&self, model: &Model, cache: &mut Cache) -> usize {
        if self.symbols.is_empty() {
            return 0;
        }
        cache.copy(self.state.get_or_init(|| self.run(model)));
        self.symbols.len()
    }

    fn run(&self, model: &Model) -> Cache {
        let engine = model.engine();
        let start_token = engine.start_token();
        let mut tokens = vec![start_token];
        tokens.extend(self.inputs(start_token));
        tokens.pop();
        let mut cache = Cache::new(engine, tokens.len());
        let run = Run {
            cache: &mut cache,
            start: 0,
            wanted: tokens.len(),
            tokens: &tokens,
        };
        engine.forward(&mut Scratch::new(), &mut [run], &mut |_, _, _| {});
        cache
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
