//! docs/numerics.md, sections 1 and 3, word for word in wide integers: slow, and with nothing to
//! overflow. Vectors are made from this, so that no kernel is compared with itself.

use super::panel::Steps;

/// 2^31 - 1.
pub const MAX32: i128 = (1 << 31) - 1;

/// The bits of |x|; 0 of zero.
pub fn bitlen(x: i128) -> i32 {
    128 - x.unsigned_abs().leading_zeros() as i32
}

/// x / 2^n to the nearest, halves up; a shift to the left where n is negative.
pub fn rshift(x: i128, n: i32) -> i128 {
    match n {
        63.. => 0,
        1..63 => (x + (1 << (n - 1))) >> n,
        _ if x == 0 => 0,
        _ => {
            assert!(
                bitlen(x) - n < 127,
                "{x} · 2^{} is beyond this transcription",
                -n
            );
            x << -n
        }
    }
}

/// x · 2^e to the nearest, saturating at ±(2^31 - 1).
pub fn shift_to(x: i128, e: i32) -> i128 {
    // Beyond 2^40 everything but zero saturates.
    rshift(x, -e.min(40)).clamp(-MAX32, MAX32)
}

fn most_bits<'a>(p: impl IntoIterator<Item = &'a i128>) -> i32 {
    p.into_iter().map(|&p| bitlen(p)).max().unwrap_or(0)
}

/// A vector of p · 2^e in `bits` bits and a sign: the numbers, and their exponent.
pub fn quantise(p: &[i128], e: i32, bits: i32) -> (Vec<i128>, i32) {
    let n = most_bits(p);
    if n == 0 {
        return (vec![0; p.len()], -(1 << 16));
    }
    let (s, limit) = (n - bits, (1 << bits) - 1);
    (
        p.iter()
            .map(|&p| rshift(p, s).clamp(-limit, limit))
            .collect(),
        e + s,
    )
}

/// 3.1 for one row of activations; `w` is [out, x.len()].
pub fn linear(w: &[i8], m: &[i32], x: &[i16]) -> Vec<i128> {
    let k = x.len();
    let g = (0..).find(|&g| 1usize << g >= k.div_ceil(512)).unwrap_or(0);
    let rows = w.chunks_exact(k).zip(m);
    rows.map(|(w, &m)| {
        let sum: i64 = w
            .iter()
            .zip(x)
            .map(|(&w, &x)| i64::from(w) * i64::from(x))
            .sum();
        rshift(rshift(sum.into(), g) * i128::from(m), 32)
    })
    .collect()
}

/// 3.17: 3.1 with low planes [rows.len(), x.len()] of the rows that `rows` names.
pub fn fine_linear(w: &[i8], m: &[i32], rows: &[u32], low: &[i8], x: &[i16]) -> Vec<i128> {
    let mut y = linear(w, m, x);
    for (&row, low) in rows.iter().zip(low.chunks_exact(x.len())) {
        let row = row as usize;
        y[row] += rshift(linear(low, &m[row..=row], x)[0], 8);
    }
    y
}

/// 3.18: 3.1 with integers `q` [out, x.len()] in blocks.
pub fn block_linear(q: &[i8], steps: Steps<'_>, m: &[i32], x: &[i16]) -> Vec<i128> {
    let k = x.len();
    let g = (0..).find(|&g| 1usize << g >= k.div_ceil(512)).unwrap_or(0);
    let weight = |row: usize, j: usize, q: i8| {
        let block = row * (k / steps.size) + j / steps.size;
        let offset = steps
            .offsets
            .get(block)
            .map_or(0, |&offset| i128::from(offset));
        i128::from(steps.factors[block]) * i128::from(q) + 8 * offset
    };
    let places = q.iter().enumerate();
    let largest = most_bits(
        &places
            .map(|(i, &q)| weight(i / k, i % k, q))
            .collect::<Vec<_>>(),
    );
    let h = (largest - 7).max(0);
    let rows = q.chunks_exact(k).zip(m).enumerate();
    rows.map(|(row, (q, &m))| {
        let terms = q.iter().zip(x).enumerate();
        let terms = terms.map(|(j, (&q, &x))| weight(row, j, q) * i128::from(x));
        rshift(rshift(terms.sum(), g + h) * i128::from(m), 32)
    })
    .collect()
}

/// 3.2: activations in 15 bits, and their exponent.
pub fn activations(p: &[i128], groups: &[i32], c: &[u8]) -> (Vec<i128>, i32) {
    let most = i32::from(c.iter().copied().max().unwrap_or(0));
    let p: Vec<i128> = p
        .iter()
        .enumerate()
        .map(|(j, &p)| {
            if most > 0 {
                rshift(p, most - i32::from(c[j]))
            } else {
                p
            }
        })
        .collect();
    let size = p.len() / groups.len();
    let parts = || p.chunks_exact(size).zip(groups.iter().map(|e| e + most));
    let Some(top) = parts()
        .filter(|(p, _)| most_bits(*p) > 0)
        .map(|(p, e)| most_bits(p) + e)
        .max()
    else {
        return (vec![0; p.len()], 0);
    };
    let t = top - 15;
    let out = parts().flat_map(|(p, e)| {
        p.iter()
            .map(move |&p| rshift(p, t - e).clamp(-32767, 32767))
    });
    (out.collect(), t)
}

/// 3.4: the residual stream with `y` added.
pub fn add_residual(x: &[i32], y: &[i32], shift: i32) -> Vec<i128> {
    x.iter()
        .zip(y)
        .map(|(&x, &y)| (i128::from(x) + shift_to(y.into(), shift)).clamp(-MAX32, MAX32))
        .collect()
}

fn isqrt(n: i128) -> i128 {
    (0..64).rev().fold(0, |root, bit| {
        let next = root | 1i128 << bit;
        if next * next <= n { next } else { root }
    })
}

/// 3.5, with E_g = 0.
pub fn rms_norm(x: &[i32], g: &[i32], eps_fixed: u64) -> (Vec<i128>, i32) {
    let x: Vec<i128> = x.iter().map(|&x| x.into()).collect();
    let s = (most_bits(&x) - 24).max(0);
    let x: Vec<i128> = x.iter().map(|&x| rshift(x, s)).collect();
    let n = (x.iter().map(|x| x * x).sum::<i128>() + (i128::from(eps_fixed) >> (2 * s))).max(1);
    let j = (64 - bitlen(n)) >> 1;
    let h = isqrt(n << (2 * j));
    assert_eq!(bitlen(h), 32);
    let rho = (1 << 48) / h;
    let p: Vec<i128> = x
        .iter()
        .zip(g)
        .map(|(x, &g)| x * i128::from(g) * rho)
        .collect();
    assert!(most_bits(&p) <= 63);
    (p, j - 48)
}

/// 3.6: (cos, sin).
pub fn cos_sin(phase: u32) -> (i128, i128) {
    let sinq = |f: i128| {
        let u = (f * f) >> 30;
        let mut r = 122i128;
        for a in [-7728, 344545, -10053990, 171138612, -1387197337, 3373259426] {
            r = a + ((r * u) >> 30);
        }
        ((r * f) >> 31).min(1 << 30)
    };
    let f = i128::from(phase % (1 << 30));
    let (s, k) = (sinq(f), sinq((1 << 30) - f));
    [(k, s), (-s, k), (-k, -s), (s, -k)][(phase >> 30) as usize]
}

/// 3.9: 2^(-n / 2^16) with 30 fractional bits.
pub fn exp2(n: u32) -> i128 {
    let n = i128::from(n);
    let f = (-n).rem_euclid(1 << 16);
    let k = (n + 65535) >> 16;
    let mut h = 896;
    for a in [3396, 15826, 45418] {
        h = a + ((h * f + (1 << 15)) >> 16);
    }
    ((1 << 30) + ((h * f) >> 2)) >> k.min(31)
}

/// 3.7, steps 2 to 4: (w, X, Λ).
pub fn attention_weights(dots: &[i32], ek: &[i32], ev: &[i32], eq: i32) -> (Vec<i128>, i32, i128) {
    let scores = dots.iter().zip(ek);
    let z: Vec<i128> = scores.map(|(&dot, ek)| score(dot, eq + ek + 16)).collect();
    softmax(&z, ev)
}

/// 3.16, and steps 3 and 4 of 3.7: (w, X, Λ).
#[cfg(feature = "differential")]
pub fn wide_attention_weights(
    dots: &[i64],
    ek: &[i32],
    ev: &[i32],
    eq: i32,
) -> (Vec<i128>, i32, i128) {
    let scores = dots.iter().zip(ek);
    let z: Vec<i128> = scores
        .map(|(&dot, ek)| wide_score(dot.into(), eq + ek + 16))
        .collect();
    softmax(&z, ev)
}

/// 3.7, step 2, of one score.
pub fn score(dot: i32, t: i32) -> i128 {
    shifted(dot.into(), t, 31)
}

/// 3.16: one score.
#[cfg(feature = "differential")]
pub fn wide_score(dot: i128, t: i32) -> i128 {
    shifted(dot, t, 63)
}

fn shifted(dot: i128, t: i32, most: i32) -> i128 {
    let limit = 1i128 << 30;
    let z = if t <= 0 {
        dot >> (-t).min(most)
    } else {
        dot << t.min(31)
    };
    z.clamp(-limit, limit)
}

/// 3.7, steps 3 and 4: (w, X, Λ).
pub fn softmax(z: &[i128], ev: &[i32]) -> (Vec<i128>, i32, i128) {
    let m = *z.iter().max().expect("a position sees itself");
    let p: Vec<i128> = z.iter().map(|z| exp2((m - z) as u32)).collect();
    let x = p
        .iter()
        .zip(ev)
        .filter(|(p, _)| **p > 0)
        .map(|(&p, ev)| bitlen(p) + ev)
        .max()
        .expect("exp2(0) > 0");
    let w = p.iter().zip(ev).map(|(&p, ev)| {
        if p == 0 {
            0
        } else {
            rshift(p, x - 15 - ev).min(32767)
        }
    });
    (w.collect(), x, p.iter().sum())
}

/// 3.10, in double precision.
pub fn sigmoid_table() -> Vec<i128> {
    let entry = |i| {
        if i < 1024 {
            16_777_216.0 / (1.0 + (-f64::from(i) / 64.0).exp())
        } else {
            16_777_216.0
        }
    };
    (0..1026).map(|i| entry(i).round() as i128).collect()
}

/// 3.8: (p, exponent).
pub fn gated(table: &[i128], gate: &[i32], up: &[i32], e: i32) -> (Vec<i128>, i32) {
    let p = gate.iter().zip(up).map(|(&gate, &up)| {
        let (gate, up) = (i128::from(gate), i128::from(up));
        let t = shift_to(gate, e + 16).clamp(-(1 << 20), 1 << 20);
        let (i, r) = ((t.abs() >> 10) as usize, t.abs() & 1023);
        let g = table[i] + (((table[i + 1] - table[i]) * r) >> 10);
        let g = if t < 0 { (1 << 24) - g } else { g };
        rshift(gate * g, 24) * up
    });
    (p.collect(), 2 * e)
}

/// Sections 4 and 6: logits and weights.
pub fn logits(y: &[i32], e: i32) -> (Vec<i128>, Vec<i128>) {
    let z: Vec<i128> = y
        .iter()
        .map(|&y| shift_to(y.into(), e + 16).clamp(-(1 << 30), 1 << 30))
        .collect();
    let m = *z.iter().max().expect("a symbol");
    let weights = z.iter().map(|z| exp2((m - z) as u32)).collect();
    (z, weights)
}

/// Step 3 of 3.5: (ρ, j).
fn reciprocal_root(n: i128) -> (i128, i32) {
    let n = n.max(1);
    let j = (64 - bitlen(n)) >> 1;
    ((1 << 48) / isqrt(n << (2 * j)), j)
}

/// 3.11 without the bias, with E_g = 0.
pub fn layer_norm(x: &[i32], g: &[i32], eps_fixed: u64) -> (Vec<i128>, i32) {
    let d = x.len() as i128;
    let sum: i128 = x.iter().map(|&x| i128::from(x)).sum();
    let c: Vec<i128> = x.iter().map(|&x| d * i128::from(x) - sum).collect();
    let eps = i128::from(eps_fixed) * d * d;
    // The least s >= 0 with eps / 4^s < 2^62.
    let least = (0..).find(|s| bitlen(eps) - 2 * s <= 62).unwrap_or(0);
    let s = (most_bits(&c) - 24).max(least);
    let c: Vec<i128> = c.iter().map(|&c| rshift(c, s)).collect();
    let (rho, j) = reciprocal_root(c.iter().map(|c| c * c).sum::<i128>() + (eps >> (2 * s)));
    let p = c.iter().zip(g).map(|(c, &g)| c * i128::from(g) * rho);
    (p.collect(), j - 48)
}

/// 3.12, with E_g = 0.
pub fn block_norm(y: &[i32], e: i32, g: &[i32], eps: (i32, i32)) -> (Vec<i128>, i32) {
    let y: Vec<i128> = y.iter().map(|&y| y.into()).collect();
    // The least s >= 0 that leaves the epsilon an exponent of at most 31.
    let least = (0..).find(|s| eps.1 - 2 * (e + s) <= 31).unwrap_or(0);
    let s = (most_bits(&y) - 24).max(least);
    let y: Vec<i128> = y.iter().map(|&y| rshift(y, s)).collect();
    let u = eps.1 - 2 * (e + s);
    let added = i128::from(eps.0);
    let added = if u >= 0 {
        added << u
    } else {
        added >> (-u).min(63)
    };
    let (rho, j) = reciprocal_root(y.iter().map(|y| y * y).sum::<i128>() + added);
    let p = y.iter().zip(g).map(|(y, &g)| y * i128::from(g) * rho);
    (p.collect(), j - 48)
}

/// 3.13: mantissas with the bias added, and their exponent.
pub fn add_bias(p: &[i128], e: i32, b: &[i32], b_exponent: i32) -> (Vec<i128>, i32) {
    let t = e.max(b_exponent) + 1;
    let sum = p
        .iter()
        .zip(b)
        .map(|(&p, &b)| rshift(p, t - e) + rshift(b.into(), t - b_exponent));
    (sum.collect(), t)
}

/// 3.14: (p, exponent).
pub fn activated(table: &[i128], up: &[i32], e: i32) -> (Vec<i128>, i32) {
    let ones = vec![1; up.len()];
    (gated(table, up, &ones, e).0, e)
}

/// 3.15: one score or logit, capped.
pub fn softcap(table: &[i128], inverse: i32, cap: i32, z: i128) -> i128 {
    let t = ((z.abs() * i128::from(inverse)) >> 32).min(1 << 20);
    let (i, r) = ((t >> 10) as usize, t & 1023);
    let g = table[i] + (((table[i + 1] - table[i]) * r) >> 10);
    let capped = rshift((2 * g - (1 << 24)) * i128::from(cap), 24);
    if z < 0 { -capped } else { capped }
}
