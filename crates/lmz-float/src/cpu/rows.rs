//! Norms, rotations and activations: one pass, rows spread over the threads.

use lmz_model::Activation;
use rayon::prelude::*;

use super::maths::{self, with_activation};
use super::view::Strided;
use crate::kernels::NormRule;

/// How many elements one task works on: enough to be worth a task, few enough for the cache.
const TASK: usize = 1 << 15;

/// Fills `length` new elements by tasks of whole rows of `width`; `fill` gets the first row's
/// index and the rows.
fn by_rows(length: usize, width: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut out = vec![0.0; length];
    let rows = (TASK / width.max(1)).max(1);
    out.par_chunks_mut(rows * width.max(1))
        .enumerate()
        .for_each(|(i, chunk)| {
            maths::vectorised(
                #[inline(always)]
                || fill(i * rows, chunk),
            );
        });
    out
}

pub(super) fn normalise(
    x: &[f32],
    width: usize,
    rule: NormRule,
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let offset = rule.weight_offset as f32;
    by_rows(
        x.len(),
        width,
        #[inline(always)]
        |first, out| {
            let from = x[first * width..].chunks_exact(width);
            for (to, from) in out.chunks_exact_mut(width).zip(from) {
                let mean = match rule.centred {
                    true => maths::sum(from, |x| x) / width as f32,
                    false => 0.0,
                };
                let square = maths::sum(from, |x| (x - mean) * (x - mean));
                // What is off here is off in all elements.
                let mean_square = f64::from(square) / width as f64;
                let factor = (1.0 / (mean_square + rule.eps).sqrt()) as f32;
                match weight {
                    Some(weight) => {
                        for ((to, x), w) in to.iter_mut().zip(from).zip(weight) {
                            *to = (x - mean) * factor * (w + offset);
                        }
                    }
                    None => {
                        for (to, x) in to.iter_mut().zip(from) {
                            *to = (x - mean) * factor;
                        }
                    }
                }
                if let Some(bias) = bias {
                    for (to, b) in to.iter_mut().zip(bias) {
                        *to += b;
                    }
                }
            }
        },
    )
}

/// `cos` and `sin` are `[tokens, half]`; the result is dense, `[batch, tokens, heads, width]`.
pub(super) fn rotate(x: Strided<'_>, cos: &[f32], sin: &[f32]) -> Vec<f32> {
    let [batch, tokens, heads, width] = x.shape;
    let half = cos.len() / tokens.max(1);
    let row = heads * width;
    by_rows(
        batch * tokens * row,
        row,
        #[inline(always)]
        |first, out| {
            for (i, to) in out.chunks_exact_mut(row).enumerate() {
                let (b, t) = ((first + i) / tokens, (first + i) % tokens);
                let cos = &cos[t * half..][..half];
                let sin = &sin[t * half..][..half];
                for (head, to) in to.chunks_exact_mut(width).enumerate() {
                    let from = &x.at(b, t, head)[..width];
                    let (low, rest) = from.split_at(half);
                    let (high, still) = rest.split_at(half);
                    let (to_low, to_rest) = to.split_at_mut(half);
                    let (to_high, to_still) = to_rest.split_at_mut(half);
                    for i in 0..half {
                        to_low[i] = low[i] * cos[i] - high[i] * sin[i];
                        to_high[i] = high[i] * cos[i] + low[i] * sin[i];
                    }
                    to_still.copy_from_slice(still);
                }
            }
        },
    )
}

pub(super) fn activate(x: &[f32], activation: Activation) -> Vec<f32> {
    with_activation!(activation, f => by_rows(
        x.len(),
        1,
        #[inline(always)]
        |first, out| {
            for (to, &x) in out.iter_mut().zip(&x[first..]) {
                *to = f(x);
            }
        },
    ))
}

/// Rows of `2 inner` elements, first the gates, to rows of `inner`.
pub(super) fn gated(x: &[f32], inner: usize, activation: Activation) -> Vec<f32> {
    with_activation!(activation, f => by_rows(
        x.len() / 2,
        inner,
        #[inline(always)]
        |first, out| {
            let from = x[first * 2 * inner..].chunks_exact(2 * inner);
            for (to, from) in out.chunks_exact_mut(inner).zip(from) {
                let (gate, up) = from.split_at(inner);
                for ((to, &g), &u) in to.iter_mut().zip(gate).zip(up) {
                    *to = f(g) * u;
                }
            }
        },
    ))
}

/// The gradients of [`normalise`] without mean and bias: of `x`, and of the weight.
pub(super) fn normalise_back(
    x: &[f32],
    width: usize,
    rule: NormRule,
    weight: &[f32],
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let offset = rule.weight_offset as f32;
    let eps = rule.eps as f32;
    let rows = (TASK / width.max(1)).max(1) * width.max(1);
    let mut dx = vec![0.0; x.len()];
    let parts: Vec<Vec<f32>> = dx
        .par_chunks_mut(rows)
        .zip(x.par_chunks(rows))
        .zip(gradient.par_chunks(rows))
        .map(|((dx, x), gradient)| {
            let mut dw = vec![0.0; width];
            maths::vectorised(
                #[inline(always)]
                || {
                    let pairs = x.chunks_exact(width).zip(gradient.chunks_exact(width));
                    for (dx, (x, g)) in dx.chunks_exact_mut(width).zip(pairs) {
                        let square = maths::sum(x, |x| x * x) / width as f32;
                        let factor = 1.0 / (square + eps).sqrt();
                        for (((dx, &x), &g), &w) in dx.iter_mut().zip(x).zip(g).zip(weight) {
                            *dx = g * (w + offset) * x;
                        }
                        let slope = maths::sum(dx, |d| d) / width as f32 * factor.powi(3);
                        for (((dx, &x), &g), &w) in dx.iter_mut().zip(x).zip(g).zip(weight) {
                            *dx = g * (w + offset) * factor - x * slope;
                        }
                        for ((dw, &x), &g) in dw.iter_mut().zip(x).zip(g) {
                            *dw += g * x * factor;
                        }
                    }
                },
            );
            dw
        })
        .collect();
    let mut dw = vec![0.0; width];
    for part in parts {
        for (to, from) in dw.iter_mut().zip(part) {
            *to += from;
        }
    }
    (dx, dw)
}

/// The gradient of [`gated`].
pub(super) fn gated_back(
    x: &[f32],
    inner: usize,
    activation: Activation,
    gradient: &[f32],
) -> Vec<f32> {
    with_activation!(activation, f => by_rows(
        x.len(),
        2 * inner,
        #[inline(always)]
        |first, out| {
            let from = x[first * 2 * inner..].chunks_exact(2 * inner);
            let gradients = gradient[first * inner..].chunks_exact(inner);
            for ((to, from), gradient) in out.chunks_exact_mut(2 * inner).zip(from).zip(gradients) {
                let (gate, up) = from.split_at(inner);
                let (to_gate, to_up) = to.split_at_mut(inner);
                for (((g, u), d), (to_g, to_u)) in
                    gate.iter().zip(up).zip(gradient).zip(to_gate.iter_mut().zip(to_up))
                {
                    *to_u = d * f(*g);
                    *to_g = d * u * maths::slope(activation, *g);
                }
            }
        },
    ))
}
