//! From a [`Kernel`] to the code for its instruction set.

use super::isa::{Isa, Kernel, TILE};
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::panel::PANEL;
use super::portable::{self, Nonlinearity, Softcap};
#[cfg(target_arch = "x86_64")]
use super::x86;

/// Runs `portable::$name`, compiled for the kernel's instruction set.
macro_rules! elementwise {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)?) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(crate) fn $name(kernel: Kernel, $($arg: $type),*) $(-> $ret)? {
            match kernel.0 {
                Isa::Scalar => portable::$name($($arg),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Kernel` of this kind exists only where the processor has AVX2.
                Isa::Avx2 => unsafe { x86::avx2_elementwise::$name($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Kernel` of this kind exists only where the processor has AVX-512.
                Isa::Avx512 | Isa::Amx => unsafe { x86::avx512_elementwise::$name($($arg),*) },
                // NEON is part of aarch64: the compiler uses it here too.
                _ => portable::$name($($arg),*),
            }
        }
    };
}

elementwise!(
    /// See [`portable::rms_norm`].
    rms_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32
);
elementwise!(
    /// See [`portable::activations`].
    activations(p: &mut [i64], groups: &[i32], c: &[u8], out: &mut [i16]) -> i32
);
elementwise!(
    /// See [`portable::add_residual`].
    add_residual(x: &mut [i32], y: &[i32], shift: i32)
);
elementwise!(
    /// See [`portable::attention_weights`].
    attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, w: &mut [i16]) -> (i32, u64)
);
elementwise!(
    /// See [`portable::logits`].
    logits(y: &[i32], e: i32, z: &mut [i32], weights: &mut [u32]) -> i32
);
elementwise!(
    /// See [`portable::layer_norm`].
    layer_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32
);
elementwise!(
    /// See [`portable::block_norm`].
    block_norm(y: &[i32], e: i32, g: &[i32], eps: (i32, i32), p: &mut [i64]) -> i32
);
elementwise!(
    /// See [`portable::add_bias`].
    add_bias(y: &mut [i32], e: i32, b: &[i32], b_exponent: i32) -> i32
);
elementwise!(
    /// See [`portable::add_fine`].
    add_fine(y: &mut [i32], low: &[i32], rows: &[u32])
);
elementwise!(
    /// See [`portable::add_bias_wide`].
    add_bias_wide(p: &mut [i64], e: i32, b: &[i32], b_exponent: i32) -> i32
);
elementwise!(
    /// See [`portable::add_residual_wide`].
    add_residual_wide(x: &mut [i32], p: &[i64], shift: i32)
);
elementwise!(
    /// See [`portable::block_sums`].
    block_sums(x: &[i16], size: usize, high: &mut [i16], low: &mut [i16])
);
elementwise!(
    /// See [`portable::quantise`].
    quantise(p: &[i32], e: i32, bits: i32, out: &mut [i16]) -> i32
);
elementwise!(
    /// See [`portable::quantise_wide`].
    quantise_wide(p: &[i64], e: i32, bits: i32, out: &mut [i32]) -> i32
);
elementwise!(
    /// See [`portable::gated_by`].
    gated_by(f: Nonlinearity, gate: &[i32], up: &[i32], e: i32, p: &mut [i64]) -> i32
);
elementwise!(
    /// See [`portable::activated`].
    activated(f: Nonlinearity, up: &[i32], e: i32, p: &mut [i64]) -> i32
);
elementwise!(
    /// See [`portable::capped_attention_weights`].
    capped_attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, cap: Softcap, w: &mut [i16]) -> (i32, u64)
);
elementwise!(
    /// See [`portable::wide_attention_weights`].
    wide_attention_weights(exact: &[i64], ek: &[i32], ev: &[i32], eq: i32, cap: Option<Softcap>, z: &mut [i32], w: &mut [i16]) -> (i32, u64)
);
elementwise!(
    /// See [`portable::capped_logits`].
    capped_logits(y: &[i32], e: i32, cap: Softcap, z: &mut [i32], weights: &mut [u32]) -> i32
);

/// A function that multiplies panels of one type.
macro_rules! panel_products {
    ($(#[$doc:meta])* $name:ident, $weight:ty, $avx2:ident, $avx512:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(
            kernel: Kernel,
            panel: &[$weight],
            soon: &[$weight],
            pairs: usize,
            rows: &[&[i16]],
            out: &mut [[i32; PANEL]],
        ) {
            assert!(
                panel.len() >= pairs * PANEL * 2 && rows.len() <= TILE && out.len() >= rows.len()
            );
            assert!(rows.iter().all(|row| row.len() >= 2 * pairs));
            // In elements, which lie behind or before; 0 where nothing is to be asked for.
            let ahead = match soon.is_empty() {
                true => 0,
                false => {
                    let bytes = soon.as_ptr().addr().wrapping_sub(panel.as_ptr().addr());
                    bytes.cast_signed() / size_of::<$weight>().cast_signed()
                }
            };
            match kernel.0 {
                Isa::Scalar => portable::panel_dots(panel, pairs, rows, out),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: AVX2 is there (see `Kernel`), and the lengths were checked above.
                Isa::Avx2 => unsafe { x86::$avx2(panel, ahead, pairs, rows, out) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: AVX-512 is there (see `Kernel`), and the lengths were checked above.
                Isa::Avx512 | Isa::Amx => unsafe { x86::$avx512(panel, ahead, pairs, rows, out) },
                #[cfg(target_arch = "aarch64")]
                // SAFETY: NEON is there (see `Kernel`), and the lengths were checked above.
                Isa::Neon => unsafe { neon::$name(panel, ahead, pairs, rows, out) },
                _ => portable::panel_dots(panel, pairs, rows, out),
            }
        }
    };
}

panel_products!(
    /// 32-bit dot products of one 16-row panel of 16-bit values with up to [`TILE`] rows:
    /// `out[t][r] = Σ_j panel[j / 2][r][j % 2] · rows[t][j]` over `2 * pairs` columns.
    ///
    /// The caller knows that no sum leaves 32 bits. What is read `soon`, as much or nothing, is asked for meanwhile: the processor's own
    /// guesses come late, as it makes none across pages.
    panel_dots, i16, panel_dots_avx2, panel_dots_avx512
);
panel_products!(
    /// As [`panel_dots`], of a panel of 8-bit values: one plane of wide keys. 512 columns of
    /// 15 bits by 8 fit 32 bits.
    plane_dots, i8, plane_dots_avx2, plane_dots_avx512
);
