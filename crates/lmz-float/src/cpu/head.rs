//! The head: logits by tiles of rows and vocabulary, of which only sums are kept.

use rayon::prelude::*;

use super::gemm::Matrix;
use super::maths;
use super::product::forward;
use crate::kernels::Products;

/// Rows of one task, and vocabulary entries of one tile: 1 MiB of logits.
const ROWS: usize = 256;
const TILE: usize = 1024;

/// `-ln softmax` of each row at its target. `hidden` is `[rows, width]`, `head`
/// `[vocab_size, width]`.
pub(super) fn surprisals(
    hidden: &[f32],
    head: &[f32],
    width: usize,
    bias: Option<&[f32]>,
    softcap: Option<f64>,
    targets: &[u32],
    products: Products,
) -> Vec<f32> {
    let vocab_size = head.len() / width;
    let mut out = vec![0.0; targets.len()];
    // Few rows still make a task for each thread.
    let rows = targets
        .len()
        .div_ceil(rayon::current_num_threads())
        .clamp(1, ROWS);
    out.par_chunks_mut(rows)
        .zip(targets.par_chunks(rows))
        .zip(hidden.par_chunks(rows * width))
        .for_each_init(Vec::new, |logits, ((out, targets), hidden)| {
            let count = targets.len();
            let mut sums = vec![Sum::default(); count];
            let mut at_target = vec![0.0_f32; count];
            for first in (0..vocab_size).step_by(TILE) {
                let tile = TILE.min(vocab_size - first);
                logits.resize(count * tile, 0.0);
                forward(
                    logits,
                    tile,
                    [count, width, tile],
                    Matrix {
                        values: hidden,
                        row: width,
                        column: 1,
                    },
                    Matrix {
                        values: &head[first * width..],
                        row: 1,
                        column: width,
                    },
                    products,
                );
                maths::vectorised(
                    #[inline(always)]
                    || {
                        for (i, logits) in logits.chunks_exact_mut(tile).enumerate() {
                            if let Some(bias) = bias {
                                for (l, b) in logits.iter_mut().zip(&bias[first..]) {
                                    *l += b;
                                }
                            }
                            if let Some(cap) = softcap {
                                let cap = cap as f32;
                                for l in logits.iter_mut() {
                                    *l = cap * maths::tanh(*l / cap);
                                }
                            }
                            let target = (targets[i] as usize).wrapping_sub(first);
                            if let Some(&logit) = logits.get(target) {
                                at_target[i] = logit;
                            }
                            sums[i].add(logits);
                        }
                    },
                );
            }
            for ((out, sum), logit) in out.iter_mut().zip(&sums).zip(&at_target) {
                *out = (sum.sum.ln() + f64::from(sum.max) - f64::from(*logit)) as f32;
            }
        });
    out
}

/// The sum of exponentials of all that came so far, relative to their maximum.
#[derive(Clone, Copy)]
struct Sum {
    max: f32,
    sum: f64,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            max: f32::NEG_INFINITY,
            sum: 0.0,
        }
    }
}

impl Sum {
    /// Leaves the exponentials in `logits`.
    #[inline(always)]
    fn add(&mut self, logits: &mut [f32]) {
        let max = maths::max(logits).max(self.max);
        let kept = f64::from(maths::exp(self.max - max)) * self.sum;
        self.max = max;
        self.sum = kept + f64::from(maths::exponentiate(logits, max));
    }
}
