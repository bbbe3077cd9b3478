//! Kernels for x86-64, one file for each instruction set; all give the same bits.
//!
//! A tile is one panel of 16 rows against a few rows of activations, whose sums stay in registers; each weight is widened
//! once for all of them. `vpmaddwd` is exact: two products of at most 127 · 32767 (or of the attention's bounds) fit 32 bits.
//! (`vpmaddubsw` saturates, and is not.)

pub mod amx;
mod avx2;
mod avx512;
mod weights;

pub use avx2::{block_linear_avx2, linear_avx2, panel_dots_avx2, plane_dots_avx2};
pub use avx512::{block_linear_avx512, linear_avx512, panel_dots_avx512, plane_dots_avx512};

/// Instantiates the element-wise kernels for an instruction set.
macro_rules! instantiate {
    ($module:ident, $features:literal) => {
        pub mod $module {
            use crate::kernel::portable::{self, Nonlinearity, Softcap};

            instantiate!(@ $features
                rms_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32;
                activations(p: &mut [i64], groups: &[i32], c: &[u8], out: &mut [i16]) -> i32;
                add_residual(x: &mut [i32], y: &[i32], shift: i32) -> ();
                attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, w: &mut [i16]) -> (i32, u64);
                logits(y: &[i32], e: i32, z: &mut [i32], weights: &mut [u32]) -> i32;
                layer_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32;
                block_norm(y: &[i32], e: i32, g: &[i32], eps: (i32, i32), p: &mut [i64]) -> i32;
                add_fine(y: &mut [i32], low: &[i32], rows: &[u32]) -> ();
                add_bias(y: &mut [i32], e: i32, b: &[i32], b_exponent: i32) -> i32;
                add_bias_wide(p: &mut [i64], e: i32, b: &[i32], b_exponent: i32) -> i32;
                add_residual_wide(x: &mut [i32], p: &[i64], shift: i32) -> ();
                block_sums(x: &[i16], size: usize, high: &mut [i16], low: &mut [i16]) -> ();
                quantise(p: &[i32], e: i32, bits: i32, out: &mut [i16]) -> i32;
                quantise_wide(p: &[i64], e: i32, bits: i32, out: &mut [i32]) -> i32;
                gated_by(f: Nonlinearity, gate: &[i32], up: &[i32], e: i32, p: &mut [i64]) -> i32;
                activated(f: Nonlinearity, up: &[i32], e: i32, p: &mut [i64]) -> i32;
                capped_attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, cap: Softcap, w: &mut [i16]) -> (i32, u64);
                wide_attention_weights(exact: &[i64], ek: &[i32], ev: &[i32], eq: i32, cap: Option<Softcap>, z: &mut [i32], w: &mut [i16]) -> (i32, u64);
                capped_logits(y: &[i32], e: i32, cap: Softcap, z: &mut [i32], weights: &mut [u32]) -> i32;
            );
        }
    };
    (@ $features:literal $($name:ident($($arg:ident: $type:ty),*) -> $ret:ty;)*) => {
        $(
            #[allow(clippy::too_many_arguments)]
            #[target_feature(enable = $features)]
            pub fn $name($($arg: $type),*) -> $ret {
                portable::$name($($arg),*)
            }
        )*
    };
}

instantiate!(avx2_elementwise, "avx2");
instantiate!(
    avx512_elementwise,
    "avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512cd"
);
