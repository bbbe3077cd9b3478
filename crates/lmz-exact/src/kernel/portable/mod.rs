//! Every kernel in portable Rust. It defines what the others compute, and is the code that the compiler vectorises.
//!
//! All functions are `#[inline(always)]` so that they take on the instruction set of the caller.

mod basic;
mod blocks;
mod norms;
mod pointwise;
mod scale;

#[cfg(feature = "differential")]
pub use basic::ZERO_EXPONENT;
pub use basic::{
    FINE_BITS, activations, add_fine, add_residual, attention_weights, linear, linear_panel,
    logits, panel_dots, quantise, rms_norm,
};
pub use blocks::{block_panel, block_sums};
pub use norms::{block_norm, layer_norm};
pub use pointwise::{
    Nonlinearity, Softcap, activated, add_bias, add_bias_wide, add_residual_wide,
    capped_attention_weights, capped_logits, gated_by, quantise_wide, wide_attention_weights,
};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub use scale::scale_sums;
