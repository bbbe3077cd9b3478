//! Products, norms without a mean, activations, softmax.

use lmz_coder::exp2_weight;

use super::super::pack::Linear;
use super::super::panel::{CHUNK, PANEL};
use super::blocks::{block_panel, block_sums};
use super::scale::scale_sums;
use crate::fixed::{MAX32, bitlen, isqrt, rshift, shift_to};
use crate::tables::{Gate, SIGMOID_BITS, SIGMOID_INTERVALS, TABLE_MASK};

/// Logits and attention scores lie in ±2^30.
const MAX_LOGIT: i64 = 1 << 30;

/// A linear layer on rows of activations, `stride` apart (docs/numerics.md, 3.1); the exponents are the caller's.
#[inline(always)]
pub fn linear(layer: &Linear, x: &[i16], stride: usize, y: &mut [i32]) {
    let width = layer.out_padded();
    if let Some(blocks) = &layer.blocks {
        for (x, y) in x.chunks(stride).zip(y.chunks_exact_mut(width)) {
            let sums = blocks.sums(x, stride, 1, block_sums);
            for (p, y) in y.chunks_exact_mut(PANEL).take(layer.panels()).enumerate() {
                block_panel(layer, blocks, p, x, &sums, y);
            }
        }
        return;
    }
    for (x, y) in x.chunks(stride).zip(y.chunks_exact_mut(width)) {
        for (p, y) in y.chunks_exact_mut(PANEL).take(layer.panels()).enumerate() {
            linear_panel(layer, p, x, y);
        }
    }
}

/// Panel `p` of [`linear`], for one row.
pub fn linear_panel(layer: &Linear, p: usize, x: &[i16], y: &mut [i32]) {
    let mut sums = [0i64; PANEL];
    for (w, x) in layer
        .panel(p)
        .chunks(CHUNK / 2 * PANEL * 2)
        .zip(x.chunks(CHUNK))
    {
        let mut chunk = [0i32; PANEL];
        for (w, x) in w.chunks_exact(PANEL * 2).zip(x.chunks_exact(2)) {
            for r in 0..PANEL {
                let pair = i32::from(w[2 * r]) * i32::from(x[0])
                    + i32::from(w[2 * r + 1]) * i32::from(x[1]);
                chunk[r] += pair;
            }
        }
        for r in 0..PANEL {
            sums[r] += i64::from(chunk[r]);
        }
    }
    scale_sums(&sums, layer.scales(p), layer.sum_shift(), y);
}

/// Bits of the low plane of a fine row.
pub const FINE_BITS: i32 = 8;

/// docs/numerics.md, 3.17: adds to the rows of a linear layer's output that `rows` names what their low planes give.
#[inline(always)]
pub fn add_fine(y: &mut [i32], low: &[i32], rows: &[u32]) {
    let add = |y: &mut i32, low: &i32| *y += rshift(i64::from(*low), FINE_BITS) as i32;
    if rows
        .last()
        .is_some_and(|&last| last as usize + 1 == rows.len())
    {
        // All of them, up to the last: no row has to be looked up.
        return y
            .iter_mut()
            .zip(&low[..rows.len()])
            .for_each(|(y, low)| add(y, low));
    }
    for (low, &row) in low.iter().zip(rows) {
        add(&mut y[row as usize], low);
    }
}

/// See [`super::panel_dots`].
#[inline(always)]
pub fn panel_dots<W: Copy + Into<i32>>(
    panel: &[W],
    pairs: usize,
    rows: &[&[i16]],
    out: &mut [[i32; PANEL]],
) {
    for (row, out) in rows.iter().zip(out) {
        *out = [0; PANEL];
        for (w, x) in panel
            .chunks_exact(PANEL * 2)
            .zip(row.chunks_exact(2))
            .take(pairs)
        {
            for r in 0..PANEL {
                let w: [i32; 2] = [w[2 * r].into(), w[2 * r + 1].into()];
                out[r] += w[0] * i32::from(x[0]) + w[1] * i32::from(x[1]);
            }
        }
    }
}

/// docs/numerics.md, 3.5: mantissas into `p`; returns the exponent less that of the gains.
#[inline(always)]
pub fn rms_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32 {
    let or = x.iter().fold(0u32, |or, x| or | x.unsigned_abs());
    let s = (bitlen(u64::from(or)) - 24).max(0);
    let half = (1i64 << s) >> 1;
    let mut sum = 0u64;
    for ((p, &x), &g) in p.iter_mut().zip(x).zip(g) {
        let x = (i64::from(x) + half) >> s;
        sum = sum.wrapping_add(x.wrapping_mul(x) as u64);
        *p = x.wrapping_mul(i64::from(g));
    }
    let (rho, j) = reciprocal_root(sum + (eps_fixed >> (2 * s)));
    for p in p.iter_mut() {
        *p = p.wrapping_mul(rho);
    }
    j - 48
}

/// Step 3 of docs/numerics.md, 3.5: (ρ, j) of a sum of squares.
#[inline(always)]
pub fn reciprocal_root(n: u64) -> (i64, i32) {
    let n = n.max(1);
    let j = (64 - bitlen(n)) >> 1;
    (((1u64 << 48) / isqrt(n << (2 * j))) as i64, j)
}

/// docs/numerics.md, 3.2: quantises `p` (clobbered) to 15 bits. `groups` holds the exponent of each of
/// its equal parts. Returns the exponent of `out`; `out` beyond `p` becomes zero.
#[inline(always)]
pub fn activations(p: &mut [i64], groups: &[i32], c: &[u8], out: &mut [i16]) -> i32 {
    let size = p.len() / groups.len();
    let most = i32::from(c.iter().copied().max().unwrap_or(0));
    if most > 0 {
        for (p, &c) in p.iter_mut().zip(c) {
            *p = rshift(*p, most - i32::from(c));
        }
    }
    let mut top = None;
    for (part, &e) in p.chunks_exact(size).zip(groups) {
        let n = bitlen(or_magnitudes(part));
        if n > 0 {
            top = top.max(Some(n + e + most));
        }
    }
    out[p.len()..].fill(0);
    let Some(top) = top else {
        out.fill(0);
        return 0;
    };
    let target = top - 15;
    for ((part, &e), out) in p.chunks_exact(size).zip(groups).zip(out.chunks_mut(size)) {
        let s = target - (e + most);
        if s >= 63 {
            out.fill(0);
            continue;
        }
        // A group that is not all zero has s >= -14.
        let (left, right) = ((-s).clamp(0, 14), s.max(0));
        let half = (1i64 << right) >> 1;
        for (out, &p) in out.iter_mut().zip(part) {
            *out = ((p << left).wrapping_add(half) >> right).clamp(-32767, 32767) as i16;
        }
    }
    target
}

/// OR of the magnitudes: has the bit length of their maximum.
#[inline(always)]
pub fn or_magnitudes(p: &[i64]) -> u64 {
    p.iter().fold(0u64, |or, p| or | p.unsigned_abs())
}

/// Exponent of a block of zeros: so low that it never counts in a maximum of exponents.
pub const ZERO_EXPONENT: i32 = -(1 << 16);

/// docs/numerics.md, 1: `quantise` mantissas of exponent `e` to at most `bits`; returns the exponent.
#[inline(always)]
pub fn quantise(p: &[i32], e: i32, bits: i32, out: &mut [i16]) -> i32 {
    let or = p.iter().fold(0u32, |or, p| or | p.unsigned_abs());
    if or == 0 {
        out.fill(0);
        return ZERO_EXPONENT;
    }
    let s = bitlen(u64::from(or)) - bits;
    let limit = (1i64 << bits) - 1;
    let (left, right) = ((-s).max(0), s.max(0));
    let half = (1i64 << right) >> 1;
    for (out, &p) in out.iter_mut().zip(p) {
        *out = (((i64::from(p) << left) + half) >> right).clamp(-limit, limit) as i16;
    }
    e + s
}

/// docs/numerics.md, 3.4, with `shift` = e + F.
#[inline(always)]
pub fn add_residual(x: &mut [i32], y: &[i32], shift: i32) {
    if (-62..=0).contains(&shift) {
        let right = -shift;
        let half = (1i64 << right) >> 1;
        for (x, &y) in x.iter_mut().zip(y) {
            let y = (i64::from(y) + half) >> right;
            *x = (i64::from(*x) + y).clamp(-MAX32, MAX32) as i32;
        }
    } else {
        for (x, &y) in x.iter_mut().zip(y) {
            *x = (i64::from(*x) + shift_to(i64::from(y), shift)).clamp(-MAX32, MAX32) as i32;
        }
    }
}

/// docs/numerics.md, 3.8: gate · T(gate) · up, both with exponent `e`; returns the exponent of `p`.
#[inline(always)]
pub fn gated_with(table: &Gate, gate: &[i32], up: &[i32], e: i32, p: &mut [i64]) -> i32 {
    let shift = e + 16;
    if (-31..0).contains(&shift) {
        let right = -shift;
        for ((p, &gate), &up) in p.iter_mut().zip(gate).zip(up) {
            *p = gate_one(table, gate, up, gate_at_right(gate, right));
        }
    } else {
        for ((p, &gate), &up) in p.iter_mut().zip(gate).zip(up) {
            *p = gate_one(table, gate, up, gate_at(gate, shift));
        }
    }
    2 * e
}

/// Steps 2 and 3 of docs/numerics.md, 3.8, for one element: `t` is the gate in natural units.
#[inline(always)]
fn gate_one(table: &Gate, gate: i32, up: i32, t: i32) -> i64 {
    i64::from(gate_value(table, gate, t)) * i64::from(up)
}

/// Largest magnitude of step 1 of docs/numerics.md, 3.8.
const GATE_LIMIT: i32 = (SIGMOID_INTERVALS as i32) << 10;

/// Step 1 of docs/numerics.md, 3.8, for one element.
#[inline(always)]
pub fn gate_at(x: i32, shift: i32) -> i32 {
    let limit = i64::from(GATE_LIMIT);
    shift_to(i64::from(x), shift).clamp(-limit, limit) as i32
}

/// [`gate_at`] for a shift to the right by 1 to 31.
#[inline(always)]
pub fn gate_at_right(x: i32, right: i32) -> i32 {
    // The rounding shift in 32 bits: nothing is added before the shift, so nothing overflows.
    ((x >> right) + ((x >> (right - 1)) & 1)).clamp(-GATE_LIMIT, GATE_LIMIT)
}

/// Step 2 of docs/numerics.md, 3.8, for a magnitude of at most 2^20: the table between its entries.
#[inline(always)]
pub fn gate_entry(table: &Gate, a: u32) -> i32 {
    let (i, r) = ((a >> 10) as usize, (a & 1023) as i32);
    let (low, high) = (table[i & TABLE_MASK], table[(i + 1) & TABLE_MASK]);
    low + ((high.wrapping_sub(low).wrapping_mul(r)) >> 10)
}

/// Step 2 of docs/numerics.md, 3.8, and s of step 3.
#[inline(always)]
pub fn gate_value(table: &Gate, gate: i32, t: i32) -> i32 {
    let g = gate_entry(table, t.unsigned_abs());
    let g = if t < 0 { (1 << SIGMOID_BITS) - g } else { g };
    let product = i64::from(gate) * i64::from(g) + (1 << (SIGMOID_BITS - 1));
    // The result fits 32 bits: a logical shift has the same low half as an arithmetic one, and is
    // an instruction that AVX2 has.
    (product as u64 >> SIGMOID_BITS) as i32
}

/// docs/numerics.md, 3.7, steps 2 to 4: `dots` become scores, then the weights `w`. Returns (X, Λ).
#[inline(always)]
pub fn attention_weights(
    dots: &mut [i32],
    ek: &[i32],
    ev: &[i32],
    eq: i32,
    w: &mut [i16],
) -> (i32, u64) {
    let max = attention_scores(dots, ek, eq);
    attention_softmax(dots, max, ev, w)
}

/// docs/numerics.md, 3.7, step 2: `dots` become scores. Returns the largest.
#[inline(always)]
pub fn attention_scores(dots: &mut [i32], ek: &[i32], eq: i32) -> i32 {
    let shift = eq + 16;
    let mut max = i32::MIN;
    if ek.iter().fold(i32::MIN, |max, &ek| max.max(ek)) <= -shift {
        // Nearly always: the dot products have more fractional bits than a score.
        for (dot, &ek) in dots.iter_mut().zip(ek) {
            *dot = (*dot >> (-(shift + ek)).min(31)).clamp(-MAX_LOGIT as i32, MAX_LOGIT as i32);
            max = max.max(*dot);
        }
    } else {
        for (dot, &ek) in dots.iter_mut().zip(ek) {
            let t = shift + ek;
            let z = if t <= 0 {
                i64::from(*dot >> (-t).min(31))
            } else {
                i64::from(*dot) << t.min(31)
            };
            *dot = z.clamp(-MAX_LOGIT, MAX_LOGIT) as i32;
            max = max.max(*dot);
        }
    }
    max
}

/// docs/numerics.md, 3.16: scores `z` from exact dot products. Returns the largest.
#[inline(always)]
pub fn wide_attention_scores(exact: &[i64], ek: &[i32], eq: i32, z: &mut [i32]) -> i32 {
    let shift = eq + 16;
    let mut max = i32::MIN;
    for ((z, &exact), &ek) in z.iter_mut().zip(exact).zip(ek) {
        let t = shift + ek;
        // A shift to the left may start from a number that is clamped already.
        let right = (exact >> (-t).clamp(0, 63)).clamp(-MAX_LOGIT, MAX_LOGIT);
        *z = (right << t.clamp(0, 31)).clamp(-MAX_LOGIT, MAX_LOGIT) as i32;
        max = max.max(*z);
    }
    max
}

/// docs/numerics.md, 3.7, steps 3 and 4, for scores of which `max` is the largest. Returns (X, Λ).
#[inline(always)]
pub fn attention_softmax(dots: &mut [i32], max: i32, ev: &[i32], w: &mut [i16]) -> (i32, u64) {
    let mut x = i32::MIN;
    // The sum in two halves of 32-bit lanes: 2^16 positions cannot overflow them.
    let mut sum = 0u64;
    for (dots, ev) in dots.chunks_mut(1 << 16).zip(ev.chunks(1 << 16)) {
        let (mut low, mut high) = (0u32, 0u32);
        for (dot, &ev) in dots.iter_mut().zip(ev) {
            let n = max.wrapping_sub(*dot) as u32;
            let p = exp2_weight(n);
            *dot = p as i32;
            low = low.wrapping_add(p & 0xffff);
            high = high.wrapping_add(p >> 16);
            // bitlen(p) is 31 - ceil(n / 2^16) wherever p > 0, that is for a ceiling of at most 30.
            let k = ((n >> 16) + u32::from(n & 0xffff != 0)) as i32;
            x = x.max(if k <= 30 {
                (31 - k).wrapping_add(ev)
            } else {
                i32::MIN
            });
        }
        sum += (u64::from(high) << 16) + u64::from(low);
    }
    for ((w, &p), &ev) in w.iter_mut().zip(dots.iter()).zip(ev) {
        let s = x.wrapping_sub(15).wrapping_sub(ev);
        let (left, right) = (s.wrapping_neg().clamp(0, 14) as u32, s.clamp(0, 31) as u32);
        let half = (1u32 << right) >> 1;
        let shifted = ((p as u32) << left).wrapping_add(half) >> right;
        *w = if s < 32 { shifted.min(32767) as i16 } else { 0 };
    }
    (x, sum)
}

/// docs/numerics.md, 4 and 6: `y` with exponent `e` to logits and weights; returns the largest logit.
#[inline(always)]
pub fn logits(y: &[i32], e: i32, z: &mut [i32], weights: &mut [u32]) -> i32 {
    let max = logit_values(y, e, z);
    for (weight, &z) in weights.iter_mut().zip(z.iter()) {
        *weight = exp2_weight(max.wrapping_sub(z) as u32);
    }
    max
}

/// docs/numerics.md, 4: `y` with exponent `e` to logits; returns the largest.
#[inline(always)]
pub fn logit_values(y: &[i32], e: i32, z: &mut [i32]) -> i32 {
    let shift = e + 16;
    let mut max = i32::MIN;
    if (-62..=0).contains(&shift) {
        let right = -shift;
        let half = (1i64 << right) >> 1;
        for (z, &y) in z.iter_mut().zip(y) {
            *z = ((i64::from(y) + half) >> right).clamp(-MAX_LOGIT, MAX_LOGIT) as i32;
            max = max.max(*z);
        }
    } else {
        for (z, &y) in z.iter_mut().zip(y) {
            *z = shift_to(i64::from(y), shift).clamp(-MAX_LOGIT, MAX_LOGIT) as i32;
            max = max.max(*z);
        }
    }
    max
}
