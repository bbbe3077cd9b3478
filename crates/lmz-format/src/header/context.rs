//! The blocks that a model runs in.

use crate::error::{FormatError, Result};

/// How many tokens a block holds and how many of them repeat the block before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextPolicy {
    /// Tokens in a block, at least 1.
    pub context: u32,
    /// Tokens at the start of a block that repeat the end of the block before; fewer than
    /// `context`.
    pub overlap: u32,
}

impl ContextPolicy {
    /// A policy of `context` tokens per block, `overlap` of them repeated.
    ///
    /// # Errors
    /// `InvalidArgument` unless `overlap < context`.
    pub fn new(context: u32, overlap: u32) -> Result<Self> {
        let policy = Self { context, overlap };
        policy.check().map_err(FormatError::invalid)?;
        Ok(policy)
    }

    /// Why it is none.
    pub(crate) fn check(self) -> Result<(), String> {
        if self.overlap >= self.context {
            return Err(format!(
                "an overlap of {} tokens does not fit a context of {}: it must be smaller",
                self.overlap, self.context
            ));
        }
        Ok(())
    }
}
