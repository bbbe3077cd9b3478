//! The inner loops, once in portable Rust and once for each instruction set, with the same bits.
//!
//! Two shapes of product carry the engine: int8 weights by 15-bit activations ([`linear`]), and
//! panels of 16 bits, or of planes of 8, by 16 bits in attention ([`panel_dots`], [`plane_dots`]). All sum in
//! 32 bits, in chunks that cannot overflow, so the order of the sum does not matter. Everything else is element-wise code in
//! [`portable`], compiled again for each instruction set so that the compiler can vectorise it.

#![allow(unsafe_code)]

mod blocks;
#[cfg(feature = "differential")]
pub mod differential;
mod dispatch;
mod isa;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod loops;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod panel;
pub(crate) mod portable;
mod share;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "differential"))]
pub mod text;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use blocks::OFFSET_BITS;
pub(crate) use dispatch::{
    activated, activations, add_bias, add_bias_wide, add_residual, add_residual_wide,
    attention_weights, block_norm, capped_attention_weights, capped_logits, gated_by, layer_norm,
    logits, panel_dots, plane_dots, quantise, quantise_wide, rms_norm, wide_attention_weights,
};
pub use isa::{Isa, Kernel, TILE};
pub use pack::{Bias, Fine, Linear};
pub use panel::{CHUNK, PANEL, Steps};
pub use portable::{FINE_BITS, Nonlinearity, Softcap};
#[cfg(any(test, feature = "differential"))]
pub(crate) use share::linear_with_fine;
pub(crate) use share::{add_low, linear_and_low};
