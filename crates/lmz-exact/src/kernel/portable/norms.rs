//! Norms beyond the plain one of the residual stream (docs/numerics.md, 3.11 and 3.12).
//!
//! Inlined into the instruction sets as all of [`portable`](super::portable).

use super::basic::reciprocal_root;
use crate::fixed::bitlen;

/// docs/numerics.md, 3.11: mantissas into `p`; returns the exponent less that of the gains. The bias
/// is the caller's.
#[inline(always)]
pub fn layer_norm(x: &[i32], g: &[i32], eps_fixed: u64, p: &mut [i64]) -> i32 {
    let width = x.len() as i64;
    let sum: i64 = x.iter().map(|&x| i64::from(x)).sum();
    let mut or = 0u64;
    for (p, &x) in p.iter_mut().zip(x) {
        *p = (width * i64::from(x)).wrapping_sub(sum);
        or |= p.unsigned_abs();
    }
    let eps = u128::from(eps_fixed) * (width * width) as u128;
    let bits = 128 - eps.leading_zeros() as i32;
    let s = (bitlen(or) - 24).max((bits - 61) >> 1).max(0);
    let half = (1i64 << s) >> 1;
    let mut squares = 0u64;
    for (p, &g) in p.iter_mut().zip(g) {
        let x = p.wrapping_add(half) >> s;
        squares = squares.wrapping_add(x.wrapping_mul(x) as u64);
        *p = x.wrapping_mul(i64::from(g));
    }
    let (rho, j) = reciprocal_root(squares + (eps >> (2 * s)) as u64);
    for p in p.iter_mut() {
        *p = p.wrapping_mul(rho);
    }
    j - 48
}

/// docs/numerics.md, 3.12, of mantissas `y` with exponent `e`; `eps` is a mantissa and an exponent.
/// Mantissas into `p`; returns the exponent less that of the gains.
#[inline(always)]
pub fn block_norm(y: &[i32], e: i32, g: &[i32], eps: (i32, i32), p: &mut [i64]) -> i32 {
    let or = y.iter().fold(0u32, |or, y| or | y.unsigned_abs());
    let s = (bitlen(u64::from(or)) - 24)
        .max(((eps.1 - 30) >> 1) - e)
        .max(0);
    // A shift of 33 or more leaves nothing of 32 bits.
    let shift = s.min(62);
    let half = (1i64 << shift) >> 1;
    let mut squares = 0u64;
    for ((p, &y), &g) in p.iter_mut().zip(y).zip(g) {
        let y = (i64::from(y) + half) >> shift;
        squares = squares.wrapping_add(y.wrapping_mul(y) as u64);
        *p = y.wrapping_mul(i64::from(g));
    }
    // At most 31 by the choice of s.
    let u = eps.1 - 2 * (e + s);
    let eps = eps.0 as u64;
    let eps = if u >= 0 {
        eps << u
    } else {
        eps >> (-u).min(63)
    };
    let (rho, j) = reciprocal_root(squares + eps);
    for p in p.iter_mut() {
        *p = p.wrapping_mul(rho);
    }
    j - 48
}
