//! The inner loops, once in portable Rust and once for each instruction set, with the same bits.
//!
//! Two shapes of product carry the engine: int8 weights by 15-bit activations ([`linear`]), and
//! 16-bit by 16-bit panels in attention ([`panel_dots`]). Both sum in 32 bits, in chunks that cannot
//! overflow, so the order of the sum does not matter. Everything else is element-wise code in
//! [`portable`], compiled again for each instruction set so that the compiler can vectorise it.

#![allow(unsafe_code)]

#[cfg(feature = "differential")]
pub mod differential;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod loops;
#[cfg(target_arch = "aarch64")]
mod neon;
mod norms;
mod pack;
mod pointwise;
pub(crate) mod portable;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "differential"))]
pub mod text;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use pack::{Bias, CHUNK, Linear, PANEL};
pub use pointwise::{Cap, Nonlinearity};

/// Rows of activations that share one pass over a panel.
pub const TILE: usize = 6;

/// An instruction set that the engine has kernels for. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// Portable Rust.
    Scalar,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and VNNI.
    Avx512,
    /// aarch64.
    Neon,
}

impl Isa {
    /// Those that this machine can run, the slowest first.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                all.push(Self::Avx2);
                if std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512cd")
                    && std::arch::is_x86_feature_detected!("avx512vnni")
                {
                    all.push(Self::Avx512);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            all.push(Self::Neon);
        }
        all
    }

    /// The fastest that this machine can run.
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Scalar)
    }

    /// By its name: `scalar`, `avx2`, `avx512`, `neon`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "scalar" => Self::Scalar,
            "avx2" => Self::Avx2,
            "avx512" => Self::Avx512,
            "neon" => Self::Neon,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }
}

/// A proof that an [`Isa`] can run here. Only [`Kernel::new`] makes one, after asking the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Isa);

impl Kernel {
    /// `None` if this machine cannot run `isa`.
    pub fn new(isa: Isa) -> Option<Self> {
        Isa::available().contains(&isa).then_some(Self(isa))
    }

    /// The fastest kernels of this machine.
    pub fn detect() -> Self {
        Self(Isa::detect())
    }

    /// Which instruction set it is.
    pub fn isa(self) -> Isa {
        self.0
    }

    /// A linear layer alone (docs/numerics.md, 3.1), for measurements: `y` (n × out_padded) = `layer` ·
    /// `x` (n × stride). Rows of `x` hold `2 * layer.pairs()` values, the last one zero where k is odd.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn linear(self, layer: &Linear, x: &[i16], stride: usize, y: &mut [i32]) {
        linear(self, layer, x, stride, y);
    }
}

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
                Isa::Avx512 => unsafe { x86::avx512_elementwise::$name($($arg),*) },
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
    /// See [`portable::add_bias_wide`].
    add_bias_wide(p: &mut [i64], e: i32, b: &[i32], b_exponent: i32) -> i32
);
elementwise!(
    /// See [`portable::add_residual_wide`].
    add_residual_wide(x: &mut [i32], p: &[i64], shift: i32)
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
    capped_attention_weights(dots: &mut [i32], ek: &[i32], ev: &[i32], eq: i32, cap: Cap, w: &mut [i16]) -> (i32, u64)
);
elementwise!(
    /// See [`portable::capped_logits`].
    capped_logits(y: &[i32], e: i32, cap: Cap, z: &mut [i32], weights: &mut [u32]) -> i32
);

/// `y` [n, out_padded] = `layer` · `x` [n, stride] as docs/numerics.md, 3.1; exponents are the
/// caller's. Rows of `x` hold `2 * pairs` values, zero after `k`.
pub(crate) fn linear(kernel: Kernel, layer: &Linear, x: &[i16], stride: usize, y: &mut [i32]) {
    let n = y.len() / layer.out_padded();
    assert!(
        stride >= 2 * layer.pairs() && x.len() >= n * stride && y.len() == n * layer.out_padded()
    );
    match kernel.0 {
        Isa::Scalar => portable::linear(layer, x, stride, y),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX2 is there (see `Kernel`), and the lengths were checked above.
        Isa::Avx2 => unsafe { x86::linear_avx2(layer, x, stride, y) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX-512 is there (see `Kernel`), and the lengths were checked above.
        Isa::Avx512 => unsafe { x86::linear_avx512(layer, x, stride, y) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: NEON is there (see `Kernel`), and the lengths were checked above.
        Isa::Neon => unsafe { neon::linear(layer, x, stride, y) },
        _ => portable::linear(layer, x, stride, y),
    }
}

/// 32-bit dot products of one 16-row panel of 16-bit values with up to [`TILE`] rows:
/// `out[t][r] = Σ_j panel[j / 2][r][j % 2] · rows[t][j]` over `2 * pairs` columns.
///
/// The caller knows that no sum leaves 32 bits.
pub(crate) fn panel_dots(
    kernel: Kernel,
    panel: &[i16],
    pairs: usize,
    rows: &[&[i16]],
    out: &mut [[i32; PANEL]],
) {
    assert!(panel.len() >= pairs * PANEL * 2 && rows.len() <= TILE && out.len() >= rows.len());
    assert!(rows.iter().all(|row| row.len() >= 2 * pairs));
    match kernel.0 {
        Isa::Scalar => portable::panel_dots(panel, pairs, rows, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX2 is there (see `Kernel`), and the lengths were checked above.
        Isa::Avx2 => unsafe { x86::panel_dots_avx2(panel, pairs, rows, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX-512 is there (see `Kernel`), and the lengths were checked above.
        Isa::Avx512 => unsafe { x86::panel_dots_avx512(panel, pairs, rows, out) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: NEON is there (see `Kernel`), and the lengths were checked above.
        Isa::Neon => unsafe { neon::panel_dots(panel, pairs, rows, out) },
        _ => portable::panel_dots(panel, pairs, rows, out),
    }
}
