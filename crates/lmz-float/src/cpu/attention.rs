//! Attention by strips of queries: the scores of a strip stay in the cache.

use rayon::prelude::*;

use super::gemm::Matrix;
use super::maths;
use super::product::forward;
use super::view::Strided;
use crate::kernels::AttentionRule;

/// How many queries a strip has.
const STRIP: usize = 64;

/// As [`Kernels::attend`](crate::kernels::Kernels::attend), `[batch, queries, heads * width]`.
pub(super) fn attend(
    query: Strided<'_>,
    key: Strided<'_>,
    value: Strided<'_>,
    rule: AttentionRule,
) -> Vec<f32> {
    let [batch, queries, heads, width] = query.shape;
    let [_, keys, kv_heads, _] = key.shape;
    let group = heads / kv_heads.max(1);
    let row = heads * width;
    let mut out = vec![0.0; batch * queries * row];
    out.par_chunks_mut((queries * row).max(1))
        .enumerate()
        .for_each(|(b, out)| {
            out.par_chunks_mut(STRIP * row).enumerate().for_each_init(
                Vec::new,
                |scores, (strip, out)| {
                    let start = strip * STRIP;
                    let rows = out.len() / row;
                    let past = keys - queries;
                    let (first, last) = rule.visible(past, start, start + rows);
                    let seen = last - first;
                    scores.resize(rows * seen, 0.0);
                    for head in 0..heads {
                        let kv = head / group;
                        forward(
                            scores,
                            seen,
                            [rows, width, seen],
                            Matrix {
                                values: query.at(b, start, head),
                                row: query.strides[1],
                                column: 1,
                            },
                            Matrix {
                                values: key.at(b, first, kv),
                                row: 1,
                                column: key.strides[1],
                            },
                            rule.products,
                        );
                        maths::vectorised(
                            #[inline(always)]
                            || {
                                for (i, scores) in scores.chunks_exact_mut(seen).enumerate() {
                                    // Its own key is the last that it sees.
                                    let own = past + start + i;
                                    let low = rule.visible(own, 0, 1).0 - first;
                                    softmax(scores, low..own + 1 - first, rule);
                                }
                            },
                        );
                        forward(
                            &mut out[head * width..],
                            row,
                            [rows, seen, width],
                            Matrix {
                                values: scores,
                                row: seen,
                                column: 1,
                            },
                            Matrix {
                                values: value.at(b, first, kv),
                                row: value.strides[1],
                                column: 1,
                            },
                            rule.products,
                        );
                    }
                },
            );
        });
    out
}

/// Scores to weights: zero outside of what is visible.
#[inline(always)]
pub(super) fn softmax(scores: &mut [f32], visible: std::ops::Range<usize>, rule: AttentionRule) {
    let scale = rule.scale as f32;
    scores[..visible.start].fill(0.0);
    scores[visible.end..].fill(0.0);
    let scores = &mut scores[visible];
    match rule.softcap {
        Some(cap) => {
            let cap = cap as f32;
            for s in scores.iter_mut() {
                *s = cap * maths::tanh(*s * scale / cap);
            }
        }
        None => {
            for s in scores.iter_mut() {
                *s *= scale;
            }
        }
    }
    let max = maths::max(scores);
    let sum = maths::exponentiate(scores, max);
    let share = 1.0 / sum;
    for s in scores.iter_mut() {
        *s *= share;
    }
}
