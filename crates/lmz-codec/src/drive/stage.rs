//! The place of a stage that learns, between the model's predictions and the coder.
//!
//! Without one, each lane has its coder, and a prediction is all that it takes. With one, the lanes of a *group* advance
//! in lock step, a symbol of each in turn (the first symbols of lanes 0, 1, 2, ..., then the second ones; a lane that
//! has ended is passed over), and share what the stage has learnt and one coder. The order depends on the group alone,
//! so that both sides learn the same in the same order.

#[cfg(feature = "encode")]
use lmz_coder::Cost;
use lmz_exact::Scores;

/// A symbol that is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodedSymbol {
    /// Its number; one past the last is the escape.
    pub number: usize,
    /// The raw byte behind an escape.
    pub byte: Option<u8>,
}

/// Learns while symbols are coded.
pub trait Stage: Sync {
    /// What [`Encoding::encode`] has to know of a prediction to code `symbol`, appended to `kept`. Called by many
    /// threads, in any order, before anything is learnt: the distribution is gone when the symbol is coded.
    #[cfg(feature = "encode")]
    fn reduce(&self, scores: &Scores<'_>, symbol: usize, kept: &mut Vec<u32>);

    /// Begins a group of so many lanes.
    #[cfg(feature = "encode")]
    fn encoding(&self, lanes: usize) -> Box<dyn Encoding + '_>;

    /// Begins a group of so many lanes that was coded as `coded`.
    fn decoding<'a>(&'a self, lanes: usize, coded: &'a [u8]) -> Box<dyn Decoding + 'a>;
}

/// A group on its way to bytes: state and coder.
#[cfg(feature = "encode")]
pub trait Encoding: Send {
    /// Codes the next symbol of a lane, of which [`Stage::reduce`] has kept `kept`, and learns it. Returns its ideal
    /// cost.
    fn encode(&mut self, lane: usize, symbol: CodedSymbol, kept: &[u32]) -> Cost;

    /// The group's bytes.
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// A group on its way from bytes: state and coder.
pub trait Decoding: Send {
    /// The next symbol of a lane, which is learnt.
    ///
    /// # Errors
    /// Why no encoder can have written these bytes.
    fn decode(&mut self, lane: usize, scores: &Scores<'_>) -> Result<CodedSymbol, String>;
}
