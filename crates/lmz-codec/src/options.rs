//! What a caller may choose. Only `context`, `overlap`, `plan` and `prime` change the bytes.

use lmz_exact::MAX_CONTEXT;
use lmz_format::{ContextPolicy, SegmentPlan};

use crate::error::{CodecError, Result};
use crate::prime::Prime;

/// How to compress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressOptions {
    /// Positions of a block, in tokens. `None`: what the model was trained for, at most 1,024.
    pub context: Option<u32>,
    /// Symbols of the block before that a block sees again. `None`: an eighth of the context.
    pub overlap: Option<u32>,
    /// Where segments begin.
    pub plan: SegmentPlan,
    /// Threads; 0 for as many as there are processors.
    pub threads: usize,
    /// Decode every segment again and compare before it is written.
    pub verify: bool,
    /// A text that the model is shown before each segment; restoring takes the same.
    pub prime: Option<Prime>,
}

impl Default for CompressOptions {
    fn default() -> Self {
        Self {
            context: None,
            overlap: None,
            plan: SegmentPlan::Default,
            threads: 0,
            verify: true,
            prime: None,
        }
    }
}

/// How to decompress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecompressOptions {
    /// Threads; 0 for as many as there are processors.
    pub threads: usize,
    /// The text that the file was primed with, if it was.
    pub prime: Option<Prime>,
}

/// Default of the longest context: compute grows with it, and small models gain little from more.
const DEFAULT_CONTEXT: u32 = 1024;

impl CompressOptions {
    /// The context policy with which these options compress under `model`.
    ///
    /// # Errors
    /// `InvalidArgument` for a context beyond the engine's limit and an overlap that does not fit.
    pub fn context_policy(&self, model: &crate::Model) -> Result<ContextPolicy> {
        self.policy(model.blueprint().max_positions)
    }

    /// The context policy for a model trained on `max_positions` positions.
    pub(crate) fn policy(&self, max_positions: usize) -> Result<ContextPolicy> {
        let trained = u32::try_from(max_positions).unwrap_or(u32::MAX);
        let context = self.context.unwrap_or(trained.min(DEFAULT_CONTEXT));
        if context as usize > MAX_CONTEXT {
            return Err(CodecError::InvalidArgument(format!(
                "a context of {context} tokens is above the engine's limit of {MAX_CONTEXT}"
            )));
        }
        let overlap = self.overlap.unwrap_or(context / 8);
        ContextPolicy::new(context, overlap).map_err(|e| CodecError::InvalidArgument(e.to_string()))
    }
}
