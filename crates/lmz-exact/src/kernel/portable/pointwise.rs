//! Element by element: biases, gates by a table, soft caps (docs/numerics.md, 3.8 and 3.13 to 3.15).
//!
//! Inlined into the instruction sets as all of [`portable`](super::portable).

use super::basic::{
    ZERO_EXPONENT, attention_scores, attention_softmax, gate_at, gate_at_right, gate_entry,
    gate_value, gated_with, logit_values, or_magnitudes, wide_attention_scores,
};
use crate::fixed::{MAX32, bitlen, rshift, shift_to};
use crate::tables::{Gate, SIGMOID_BITS};

/// The function between a feed-forward half's two maps (docs/numerics.md, 3.8 and 3.14).
#[derive(Clone, Copy, Debug)]
pub enum Nonlinearity {
    /// `x · T(x)` with T from a table: SiLU, GELU, and GELU by the tanh formula.
    Gate(&'static Gate),
    /// `max(x, 0)`.
    Relu,
}

/// The constants of a soft cap (docs/numerics.md, 3.15).
#[derive(Clone, Copy, Debug)]
pub struct Softcap {
    /// κ: 2^33 over the cap in log2 units; at least 1.
    pub inverse: i32,
    /// K: the cap in log2 units, 16 fractional bits; 1 to 2^30.
    pub cap: i32,
}

/// docs/numerics.md, 3.13, on a linear layer's output; returns the new exponent.
#[inline(always)]
pub fn add_bias(y: &mut [i32], e: i32, b: &[i32], b_exponent: i32) -> i32 {
    let t = e.max(b_exponent) + 1;
    // A shift of 33 or more leaves nothing of 32 bits.
    let (right, b_right) = ((t - e).min(62), (t - b_exponent).min(62));
    let (half, b_half) = (1i64 << (right - 1), 1i64 << (b_right - 1));
    for (y, &b) in y.iter_mut().zip(b) {
        let sum = ((i64::from(*y) + half) >> right) + ((i64::from(b) + b_half) >> b_right);
        *y = sum as i32;
    }
    t
}

/// docs/numerics.md, 3.13, on the mantissas of a norm; returns the new exponent.
#[inline(always)]
pub fn add_bias_wide(p: &mut [i64], e: i32, b: &[i32], b_exponent: i32) -> i32 {
    let t = e.max(b_exponent) + 1;
    let b_right = (t - b_exponent).min(62);
    let b_half = 1i64 << (b_right - 1);
    if t - e >= 63 {
        p.fill(0);
    } else {
        let (right, half) = (t - e, 1i64 << (t - e - 1));
        for p in p.iter_mut() {
            *p = p.wrapping_add(half) >> right;
        }
    }
    for (p, &b) in p.iter_mut().zip(b) {
        *p += (i64::from(b) + b_half) >> b_right;
    }
    t
}

/// docs/numerics.md, 3.4, of wide mantissas (|p| < 2^62), with `shift` = e + F.
#[inline(always)]
pub fn add_residual_wide(x: &mut [i32], p: &[i64], shift: i32) {
    for (x, &p) in x.iter_mut().zip(p) {
        *x = (i64::from(*x) + shift_to(p, shift)).clamp(-MAX32, MAX32) as i32;
    }
}

/// docs/numerics.md, 1: `quantise` wide mantissas (|p| < 2^62) to at most `bits`; returns the exponent.
#[inline(always)]
pub fn quantise_wide(p: &[i64], e: i32, bits: i32, out: &mut [i32]) -> i32 {
    let or = or_magnitudes(p);
    if or == 0 {
        out.fill(0);
        return ZERO_EXPONENT;
    }
    let s = bitlen(or) - bits;
    let limit = (1i64 << bits) - 1;
    for (out, &p) in out.iter_mut().zip(p) {
        *out = rshift(p, s).clamp(-limit, limit) as i32;
    }
    e + s
}

/// docs/numerics.md, 3.8, with any non-linearity; returns the exponent of `p`.
#[inline(always)]
pub fn gated_by(f: Nonlinearity, gate: &[i32], up: &[i32], e: i32, p: &mut [i64]) -> i32 {
    match f {
        Nonlinearity::Gate(table) => gated_with(table, gate, up, e, p),
        Nonlinearity::Relu => {
            for ((p, &gate), &up) in p.iter_mut().zip(gate).zip(up) {
                *p = i64::from(gate.max(0)) * i64::from(up);
            }
            2 * e
        }
    }
}

/// docs/numerics.md, 3.14: a layer without a gate; the exponent stays.
#[inline(always)]
pub fn activated(f: Nonlinearity, up: &[i32], e: i32, p: &mut [i64]) -> i32 {
    let shift = e + 16;
    match f {
        Nonlinearity::Gate(table) if (-31..0).contains(&shift) => {
            for (p, &up) in p.iter_mut().zip(up) {
                *p = i64::from(gate_value(table, up, gate_at_right(up, -shift)));
            }
        }
        Nonlinearity::Gate(table) => {
            for (p, &up) in p.iter_mut().zip(up) {
                *p = i64::from(gate_value(table, up, gate_at(up, shift)));
            }
        }
        Nonlinearity::Relu => {
            for (p, &up) in p.iter_mut().zip(up) {
                *p = i64::from(up.max(0));
            }
        }
    }
    e
}

/// docs/numerics.md, 3.15, of one score or logit, |z| <= 2^30.
#[inline(always)]
fn softcap(table: &Gate, cap: Softcap, z: i32) -> i32 {
    let a = i64::from(z.unsigned_abs());
    let t = ((a * i64::from(cap.inverse)) >> 32).min(1 << 20) as u32;
    let tanh = 2 * i64::from(gate_entry(table, t)) - (1 << SIGMOID_BITS);
    let capped = ((tanh * i64::from(cap.cap) + (1 << (SIGMOID_BITS - 1))) >> SIGMOID_BITS) as i32;
    if z < 0 { -capped } else { capped }
}

/// As [`attention_weights`](super::basic::attention_weights), with a soft cap on the scores.
#[inline(always)]
pub fn capped_attention_weights(
    dots: &mut [i32],
    ek: &[i32],
    ev: &[i32],
    eq: i32,
    cap: Softcap,
    w: &mut [i16],
) -> (i32, u64) {
    attention_scores(dots, ek, eq);
    let max = capped(cap, dots);
    attention_softmax(dots, max, ev, w)
}

/// docs/numerics.md, 3.16, with steps 3 and 4 of 3.7: exact dot products become scores `z`, with a soft cap if
/// there is one, and those the weights `w`. `z` is left undefined. Returns (X, Λ).
#[allow(clippy::too_many_arguments)]
#[inline(always)]
pub fn wide_attention_weights(
    exact: &[i64],
    ek: &[i32],
    ev: &[i32],
    eq: i32,
    cap: Option<Softcap>,
    z: &mut [i32],
    w: &mut [i16],
) -> (i32, u64) {
    let mut max = wide_attention_scores(exact, ek, eq, z);
    if let Some(cap) = cap {
        max = capped(cap, z);
    }
    attention_softmax(z, max, ev, w)
}

/// docs/numerics.md, 3.15, of scores or logits; returns the largest.
#[inline(always)]
fn capped(cap: Softcap, z: &mut [i32]) -> i32 {
    let table = crate::tables::padded_sigmoid_table();
    let mut max = i32::MIN;
    for z in z.iter_mut() {
        *z = softcap(table, cap, *z);
        max = max.max(*z);
    }
    max
}

/// As [`logits`](super::basic::logits), with a soft cap; returns the largest logit.
#[inline(always)]
pub fn capped_logits(y: &[i32], e: i32, cap: Softcap, z: &mut [i32], weights: &mut [u32]) -> i32 {
    logit_values(y, e, z);
    let max = capped(cap, z);
    for (weight, &z) in weights.iter_mut().zip(z.iter()) {
        *weight = lmz_coder::exp2_weight(max.wrapping_sub(z) as u32);
    }
    max
}
