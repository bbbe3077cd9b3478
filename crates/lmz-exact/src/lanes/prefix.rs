//! A beginning that many lanes share.

use std::sync::OnceLock;

use crate::engine::{Cache, Engine, Run, Scratch};

/// Tokens that many lanes begin with, and what one engine's CPU kernels make of them: computed once, at the first need.
#[derive(Debug, Default)]
pub struct Prefix {
    tokens: Vec<u32>,
    cache: OnceLock<Cache>,
}

impl Prefix {
    /// Of tokens that are all below the vocabulary's size.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self {
            tokens,
            cache: OnceLock::new(),
        }
    }

    /// What lanes begin with.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Gives `cache` the keys and values of all tokens but the last, which is left to be run since its scores are
    /// wanted; returns how many they are.
    pub(super) fn copy_to(&self, cache: &mut Cache, engine: &Engine) -> usize {
        let known = self.tokens.len().saturating_sub(1);
        if known > 0 {
            cache.copy(self.cache.get_or_init(|| self.run(engine)));
        }
        known
    }

    fn run(&self, engine: &Engine) -> Cache {
        let tokens = &self.tokens[..self.tokens.len() - 1];
        let mut cache = Cache::new(engine, tokens.len());
        let run = Run {
            cache: &mut cache,
            start: 0,
            wanted: tokens.len(),
            tokens,
        };
        engine.forward(&mut Scratch::new(), &mut [run], &mut |_, _, _| {});
        cache
    }
}
