//! Where the bits of a file went: every coded symbol with what the model was shown and what it said.
//!
//! A [`Tracer`] walks over a finished file. It decodes each segment and checks it, tokenises the raw
//! bytes again, runs the encoder's parallel pass over the known symbols and seals their intervals
//! anew: only if this gives the file's own coded bytes, bit for bit, are the figures handed out.
//! So a complete trace also proves that the file restores.
//!
//! [`contexts`] answers the same question for bytes that were not compressed: which tokens would the
//! model see, and which of them would it code?

mod contexts;
mod mixed;
mod parts;
mod score;
mod segment;
mod symbol;
mod tracer;

pub use crate::spent::Spent;
pub use contexts::{BlockContext, contexts, segments};
pub use parts::{MixedTrace, TracedPart};
pub use segment::SegmentTrace;
pub use symbol::{Alternative, TracedBlock, TracedSymbol};
pub use tracer::{TraceOptions, Tracer};
