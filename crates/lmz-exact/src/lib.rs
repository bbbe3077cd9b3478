//! The integer engine: a language model whose probabilities are the same bits on every machine.
//!
//! Floating-point sums depend on their order, so on the kernel, the batch and the device. Integer sums
//! do not. Here every value that can reach a probability is an integer; `docs/numerics.md` is the
//! normative text. Weights are int8 with a scale for each row, activations have 15 bits and a power of
//! two as their scale, and nothing is shared between two positions.
//!
//! * [`prepare`](fn@prepare) turns a Hugging Face checkpoint into a [`Prepared`] model (`.lmzm`);
//! * [`Engine`] runs it: many known positions at once, or one position of many lanes, with the same bits;
//! * [`Lanes`] is what a codec drives, on the CPU ([`CpuLanes`]) and on other devices ([`Accelerator`]) alike;
//! * [`Kernel`] picks the instruction set; all give the same bits.
#![deny(unsafe_code)]

mod engine;
mod error;
mod fixed;
mod kernel;
mod lanes;
mod prepare;
mod prepared;
pub mod tables;
mod team;

/// What an [`Engine`] is made of, for those who compute the same bits on another device.
pub mod parts {
    pub use crate::engine::{
        BlockNorm, Embedding, Layer, Norm, Parts, Rotary, Rules, Shape, VALUE_BITS, logits,
    };
    pub use crate::kernel::{Bias, CHUNK, Fine, Nonlinearity, Softcap};
    pub use crate::prepared::{Blocks, FineRows, MAX_FACTOR, MAX_OFFSET, Rows};
}

/// The operations of docs/numerics.md one by one, on the CPU: what kernels elsewhere are tested against.
pub mod reference {
    pub use crate::kernel::portable::{
        activated, activations, add_bias, add_bias_wide, add_fine, add_residual, add_residual_wide,
        attention_weights, block_norm, capped_attention_weights, capped_logits, gated_by,
        layer_norm, linear, logits, quantise, quantise_wide, rms_norm,
    };
    pub use crate::tables::cos_sin;
}

pub use engine::{Answer, Cache, Engine, MAX_CONTEXT, Run, Scores, Scratch, Symbols};
pub use error::{ExactError, Result};
pub use kernel::{Isa, Kernel, Linear};
#[cfg(feature = "differential")]
#[doc(hidden)]
pub use kernel::{differential, text};
pub use lanes::{Accelerator, CpuLanes, Lanes, Prediction, Prefix, Query, Row};
#[cfg(feature = "prepare")]
pub use prepare::{prepare, prepare_as};
pub use prepared::{
    BLOCK_RECIPE, LEVEL_RECIPE, LMZM_VERSION, NUMERICS, NUMERICS_VERSION, Prepared, RECIPE,
    RECIPES, WIDE_NUMERICS, WIDE_RECIPE,
};
pub use team::Team;
