//! What a caller may choose. Only `context`, `overlap`, `plan`, `mix`, `lanes`, `full` and `prime` change the bytes.

use lmz_exact::MAX_CONTEXT;
use lmz_format::{ContextPolicy, SegmentPlan};

use crate::error::{CodecError, Result};
use crate::mixing::GROUP_LEN;
#[cfg(feature = "encode")]
use crate::mixing::MAX_LANES;
use crate::prime::Prime;

/// Whether what is seen of a file helps the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mix {
    /// It does not: segments that the model codes alone, of which each bit is accounted for by the model's
    /// probabilities. A file of format version 1.
    None,
    /// It does: groups of a mebibyte, each by the model, contexts that learn, or both, as its bytes say. A file of format
    /// version 2, unless a short one is smaller without.
    #[default]
    Auto,
}

/// How to compress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressOptions {
    /// Positions of a block, in tokens. `None`: what the model was trained for, at most 1,024; with mixing under a model whose
    /// weights no cache holds at most 1,536, and 2,048 where no segment has more than 16 KiB.
    pub context: Option<u32>,
    /// Symbols of the block before that a block sees again. `None`: an eighth of the context.
    pub overlap: Option<u32>,
    /// Where segments begin. With mixing [`SegmentPlan::Default`] stands for groups of
    /// [`GROUP_LEN`](crate::mixed::GROUP_LEN) bytes.
    pub plan: SegmentPlan,
    /// Whether what is seen of a file helps the model.
    pub mix: Mix,
    /// Blocks that are coded in lock step where files are mixed, 1 to [`MAX_LANES`](crate::mixed::MAX_LANES): with 1
    /// the file is smallest, with more a decoder has more to do at once. `None`: few or one, as the text is long.
    pub lanes: Option<usize>,
    /// The full form of a member (index, 128-bit hash, a second copy of the header) also where a short one will do.
    pub full: bool,
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
            mix: Mix::default(),
            lanes: None,
            full: false,
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
/// The same with mixing for a model whose weights are waited for, where blocks in lock step begin without the text before them: each
/// begins less often, and what attention takes longer is little beside the weights (docs/mixing.md, section 11).
const WAITING_CONTEXT: u32 = 1536;
/// The same where segments are so short that there are few blocks, of which one lane or two read all.
const SHORT_CONTEXT: u32 = 2048;
/// Bytes of a short segment, at most.
const SHORT: usize = 16 << 10;

/// The longest context where none is asked for and the longest segment has so many bytes.
fn default_context(waiting: bool, longest: usize) -> u32 {
    match waiting {
        true if longest <= SHORT => SHORT_CONTEXT,
        true => WAITING_CONTEXT,
        false => DEFAULT_CONTEXT,
    }
}

impl CompressOptions {
    /// Where segments begin: the plan, or with mixing what stands for the default one.
    pub fn segments(&self) -> SegmentPlan {
        match (self.mix, self.plan) {
            (Mix::Auto, SegmentPlan::Default) => SegmentPlan::Fixed(GROUP_LEN),
            (_, plan) => plan,
        }
    }

    /// The context policy with which these options compress under `model`, where the longest segment has `longest` bytes.
    ///
    /// # Errors
    /// `InvalidArgument` for a context beyond the engine's limit and an overlap that does not fit.
    pub fn context_policy(&self, model: &crate::Model, longest: usize) -> Result<ContextPolicy> {
        let trained = u32::try_from(model.blueprint().max_positions).unwrap_or(u32::MAX);
        let waiting = self.mix == Mix::Auto && model.engine().waits_for_memory();
        let context = self
            .context
            .unwrap_or(trained.min(default_context(waiting, longest)));
        if context as usize > MAX_CONTEXT {
            return Err(CodecError::InvalidArgument(format!(
                "a context of {context} tokens is above the engine's limit of {MAX_CONTEXT}"
            )));
        }
        let overlap = self.overlap.unwrap_or(context / 8);
        ContextPolicy::new(context, overlap).map_err(|e| CodecError::InvalidArgument(e.to_string()))
    }

    /// Refuses a number of lanes that no round has.
    #[cfg(feature = "encode")]
    pub(crate) fn check_lanes(&self) -> Result<()> {
        match self.lanes {
            Some(lanes) if !(1..=MAX_LANES).contains(&lanes) => Err(CodecError::InvalidArgument(
                format!("{lanes} lanes are out of range: 1 to {MAX_LANES}"),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_segments_have_long_blocks() {
        for (waiting, longest, context) in [
            (true, 0, 2048),
            (true, 16_384, 2048),
            (true, 16_385, 1536),
            (true, GROUP_LEN as usize, 1536),
            (false, 100, 1024),
            (false, 1 << 20, 1024),
        ] {
            assert_eq!(default_context(waiting, longest), context, "{longest}");
        }
    }
}
