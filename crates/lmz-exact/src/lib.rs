//! The integer engine: a language model whose probabilities are the same bits on every machine.
//!
//! Floating-point sums depend on their order, so on the kernel, the batch and the device. Integer sums
//! do not. Here every value that can reach a probability is an integer; `docs/numerics.md` is the
//! normative text. Weights are int8 with a scale for each row, activations have 15 bits and a power of
//! two as their scale, and nothing is shared between two positions.
//!
//! * [`prepare`](fn@prepare) turns a Hugging Face checkpoint into a [`Prepared`] model (`.lmzm`);
//! * [`Engine`] runs it: many known positions at once, or one position of many lanes, with the same bits;
//! * [`Kernel`] picks the instruction set; all give the same bits.
#![deny(unsafe_code)]

mod engine;
mod error;
mod fixed;
mod kernel;
mod prepare;
mod prepared;
pub mod tables;

pub use engine::{Cache, Engine, MAX_CONTEXT, Run, Scores, Scratch, Symbols};
pub use error::{ExactError, Result};
#[cfg(feature = "differential")]
#[doc(hidden)]
pub use kernel::differential;
pub use kernel::{Isa, Kernel, Linear};
pub use prepare::prepare;
pub use prepared::{LMZM_VERSION, NUMERICS_VERSION, Prepared, RECIPE};
