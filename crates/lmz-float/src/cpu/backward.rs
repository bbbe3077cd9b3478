//! Backward passes as loops: what is not kept is computed again, strip by strip, in the cache.

use burn::tensor::Tensor;
use burn_flex::Flex;
use lmz_model::Activation;
use rayon::prelude::*;

use super::gemm::Matrix;
use super::product::{piece, product};
use super::view::{Strided, contiguous, primitive, tensor, values};
use super::{maths, rows};
use crate::kernels::{AttentionRule, Gradients, NormRule, Products};

/// How many queries of one head a task of attention works on at once.
const STRIP: usize = 128;

/// How many rows of logits a task of the loss holds.
const ROWS: usize = 128;

/// The CPU's backward passes.
pub(super) struct Loops;

impl Gradients<Flex> for Loops {
    fn linear(
        &self,
        x: Tensor<Flex, 2>,
        weight: Tensor<Flex, 2>,
        products: Products,
        gradient: Tensor<Flex, 2>,
    ) -> (Tensor<Flex, 2>, Tensor<Flex, 2>) {
        let ([count, inputs], [outputs, _]) = (x.dims(), weight.dims());
        let (x, weight, gradient) = (contiguous(x), contiguous(weight), contiguous(gradient));
        let mut dx = vec![0.0; count * inputs];
        let rows = Matrix::rows(values(&gradient), outputs);
        let right = Matrix::rows(values(&weight), inputs);
        product(&mut dx, [count, outputs, inputs], rows, right, products);
        let mut dw = vec![0.0; outputs * inputs];
        let left = Matrix::columns(values(&gradient), outputs);
        let right = Matrix::rows(values(&x), inputs);
        product(&mut dw, [outputs, count, inputs], left, right, products);
        (tensor(dx, [count, inputs]), tensor(dw, [outputs, inputs]))
    }

    fn normalise(
        &self,
        x: Tensor<Flex, 2>,
        rule: NormRule,
        weight: Tensor<Flex, 1>,
        gradient: Tensor<Flex, 2>,
    ) -> (Tensor<Flex, 2>, Tensor<Flex, 1>) {
        let [count, width] = x.dims();
        let (x, weight, gradient) = (contiguous(x), contiguous(weight), contiguous(gradient));
        let (dx, dw) =
            rows::normalise_back(values(&x), width, rule, values(&weight), values(&gradient));
        (tensor(dx, [count, width]), tensor(dw, [width]))
    }

    fn attend(
        &self,
        query: Tensor<Flex, 4>,
        key: Tensor<Flex, 4>,
        value: Tensor<Flex, 4>,
        rule: AttentionRule,
        gradient: Tensor<Flex, 3>,
    ) -> [Tensor<Flex, 4>; 3] {
        let (heads, kv) = (query.dims(), key.dims());
        let gradient = contiguous(gradient);
        let parts = [query, key, value].map(primitive);
        let dense = parts.map(|part| match Strided::new(&part) {
            Some(_) => part,
            None => part.to_contiguous(),
        });
        let [Some(q), Some(k), Some(v)] = dense.each_ref().map(Strided::new) else {
            unreachable!("a contiguous tensor of four dimensions has strides")
        };
        let [dq, dk, dv] = attend(q, k, v, rule, values(&gradient));
        [tensor(dq, heads), tensor(dk, kv), tensor(dv, kv)]
    }

    fn gated(
        &self,
        x: Tensor<Flex, 2>,
        activation: Activation,
        gradient: Tensor<Flex, 2>,
    ) -> Tensor<Flex, 2> {
        let shape = x.dims();
        let (x, gradient) = (contiguous(x), contiguous(gradient));
        let dx = rows::gated_back(values(&x), shape[1] / 2, activation, values(&gradient));
        tensor(dx, shape)
    }

    fn loss(
        &self,
        hidden: Tensor<Flex, 2>,
        head: Tensor<Flex, 2>,
        targets: &[u32],
        products: Products,
    ) -> (Tensor<Flex, 1>, Tensor<Flex, 2>, Tensor<Flex, 2>) {
        let ([count, width], [vocab_size, _]) = (hidden.dims(), head.dims());
        let (hidden, head) = (contiguous(hidden), contiguous(head));
        let (nats, dh, dw) = loss(values(&hidden), values(&head), width, targets, products);
        let mean = tensor(vec![nats as f32], [1]);
        (
            mean,
            tensor(dh, [count, width]),
            tensor(dw, [vocab_size, width]),
        )
    }
}

/// The mean surprisal, and its gradients: of the hidden states and of the head.
fn loss(
    hidden: &[f32],
    head: &[f32],
    width: usize,
    targets: &[u32],
    products: Products,
) -> (f64, Vec<f32>, Vec<f32>) {
    let vocab_size = head.len() / width;
    let share = 1.0 / targets.len() as f32;
    let mut nats = 0.0;
    let mut dh = vec![0.0; hidden.len()];
    let mut dw = vec![0.0; head.len()];
    // Larger parts would not fit into a shared cache, smaller ones read `dw` too often.
    let part = 8 * ROWS;
    let mut shares = vec![0.0; part.min(targets.len()) * vocab_size];
    let parts = targets.chunks(part).zip(hidden.chunks(part * width));
    for ((targets, hidden), dh) in parts.zip(dh.chunks_mut(part * width)) {
        let shares = &mut shares[..targets.len() * vocab_size];
        let logs: Vec<f64> = shares
            .par_chunks_mut(ROWS * vocab_size)
            .zip(targets.par_chunks(ROWS))
            .zip(hidden.par_chunks(ROWS * width))
            .zip(dh.par_chunks_mut(ROWS * width))
            .map(|(((shares, targets), hidden), dh)| {
                let size = [targets.len(), width, vocab_size];
                let rows = Matrix::rows(hidden, width);
                let columns = Matrix::columns(head, width);
                piece(shares, vocab_size, size, rows, columns, false, products);
                let mut sum = 0.0;
                maths::vectorised(
                    #[inline(always)]
                    || {
                        for (row, &target) in shares.chunks_exact_mut(vocab_size).zip(targets) {
                            let max = maths::max(row);
                            let own = row[target as usize];
                            let total = maths::exponentiate(row, max);
                            sum += f64::from(total.ln() + max - own);
                            let scale = share / total;
                            for x in row.iter_mut() {
                                *x *= scale;
                            }
                            row[target as usize] -= share;
                        }
                    },
                );
                let size = [targets.len(), vocab_size, width];
                let (rows, head) = (Matrix::rows(shares, vocab_size), Matrix::rows(head, width));
                piece(dh, width, size, rows, head, false, products);
                sum
            })
            .collect();
        nats += logs.iter().sum::<f64>();
        dw.par_chunks_mut(ROWS * width)
            .enumerate()
            .for_each(|(i, dw)| {
                let size = [dw.len() / width, targets.len(), width];
                let columns = Matrix::columns(&shares[i * ROWS..], vocab_size);
                piece(
                    dw,
                    width,
                    size,
                    columns,
                    Matrix::rows(hidden, width),
                    true,
                    products,
                );
            });
    }
    (nats / targets.len() as f64, dh, dw)
}

/// The gradients of query, key and value, dense.
fn attend(
    query: Strided<'_>,
    key: Strided<'_>,
    value: Strided<'_>,
    rule: AttentionRule,
    gradient: &[f32],
) -> [Vec<f32>; 3] {
    let [batch, tokens, heads, width] = query.shape;
    let kv_heads = key.shape[2];
    let group = heads / kv_heads.max(1);
    // One task for each key head, since its query heads share its gradient.
    let tasks: Vec<[Vec<f32>; 3]> = (0..batch * kv_heads)
        .into_par_iter()
        .map(|task| {
            let (b, kv) = (task / kv_heads, task % kv_heads);
            let mut work = HeadBack {
                query,
                rule,
                tokens,
                width,
                key: Matrix {
                    values: key.at(b, 0, kv),
                    row: key.strides[1],
                    column: 1,
                },
                value: Matrix {
                    values: value.at(b, 0, kv),
                    row: value.strides[1],
                    column: 1,
                },
                dq: vec![0.0; group * tokens * width],
                dk: vec![0.0; tokens * width],
                dv: vec![0.0; tokens * width],
                weights: Vec::new(),
                slopes: Vec::new(),
            };
            for index in 0..group {
                let head = kv * group + index;
                let gradient = &gradient[(b * tokens * heads + head) * width..];
                for start in (0..tokens).step_by(STRIP) {
                    work.strip(b, head, index, start, gradient, heads * width);
                }
            }
            [work.dq, work.dk, work.dv]
        })
        .collect();
    let mut dq = vec![0.0; batch * tokens * heads * width];
    let mut dk = vec![0.0; batch * tokens * kv_heads * width];
    let mut dv = vec![0.0; dk.len()];
    for (task, [q, k, v]) in tasks.iter().enumerate() {
        let (b, kv) = (task / kv_heads, task % kv_heads);
        for index in 0..group {
            let from = &q[index * tokens * width..][..tokens * width];
            spread(
                &mut dq,
                from,
                [b * tokens, heads, kv * group + index, width],
            );
        }
        spread(&mut dk, k, [b * tokens, kv_heads, kv, width]);
        spread(&mut dv, v, [b * tokens, kv_heads, kv, width]);
    }
    [dq, dk, dv]
}

/// Copies the rows of one head to where they stand among the others.
fn spread(to: &mut [f32], from: &[f32], [first, heads, head, width]: [usize; 4]) {
    let to = to[first * heads * width..].chunks_exact_mut(heads * width);
    for (to, from) in to.zip(from.chunks_exact(width)) {
        to[head * width..][..width].copy_from_slice(from);
    }
}

/// The work on one key head.
struct HeadBack<'a> {
    query: Strided<'a>,
    rule: AttentionRule,
    tokens: usize,
    width: usize,
    key: Matrix<'a>,
    value: Matrix<'a>,
    /// `[group, tokens, width]`.
    dq: Vec<f32>,
    /// `[tokens, width]`.
    dk: Vec<f32>,
    dv: Vec<f32>,
    /// `[rows, seen]`: attention weights, and the gradients of scores.
    weights: Vec<f32>,
    slopes: Vec<f32>,
}

impl HeadBack<'_> {
    fn strip(
        &mut self,
        b: usize,
        head: usize,
        index: usize,
        start: usize,
        gradient: &[f32],
        stride: usize,
    ) {
        let (width, rule, products) = (self.width, self.rule, self.rule.products);
        let rows = STRIP.min(self.tokens - start);
        let (first, last) = rule.visible(0, start, start + rows);
        let seen = last - first;
        let from = |matrix: Matrix<'_>| matrix.row * first;
        let (key, value) = (
            &self.key.values[from(self.key)..],
            &self.value.values[from(self.value)..],
        );
        let (key_row, value_row) = (self.key.row, self.value.row);
        let query = Matrix {
            values: self.query.at(b, start, head),
            row: self.query.strides[1],
            column: 1,
        };
        let gradient = Matrix {
            values: &gradient[start * stride..],
            row: stride,
            column: 1,
        };
        let turned = |values, row| Matrix {
            values,
            row: 1,
            column: row,
        };
        let plain = |values, row| Matrix {
            values,
            row,
            column: 1,
        };
        self.weights.resize(rows * seen, 0.0);
        self.slopes.resize(rows * seen, 0.0);
        let (weights, slopes) = (&mut self.weights, &mut self.slopes);
        let size = [rows, width, seen];
        piece(
            weights,
            seen,
            size,
            query,
            turned(key, key_row),
            false,
            products,
        );
        piece(
            slopes,
            seen,
            size,
            gradient,
            turned(value, value_row),
            false,
            products,
        );
        maths::vectorised(
            #[inline(always)]
            || {
                let pairs = weights
                    .chunks_exact_mut(seen)
                    .zip(slopes.chunks_exact_mut(seen));
                for (i, (weights, slopes)) in pairs.enumerate() {
                    let own = start + i;
                    let low = rule.visible(own, 0, 1).0 - first;
                    let visible = low..own + 1 - first;
                    super::attention::softmax(weights, visible.clone(), rule);
                    slope(weights, slopes, visible, rule.scale as f32);
                }
            },
        );
        let dq = &mut self.dq[(index * self.tokens + start) * width..];
        let (dk, dv) = (&mut self.dk[first * width..], &mut self.dv[first * width..]);
        let size = [rows, seen, width];
        piece(
            dq,
            width,
            size,
            plain(slopes, seen),
            plain(key, key_row),
            false,
            products,
        );
        let size = [seen, rows, width];
        piece(dk, width, size, turned(slopes, seen), query, true, products);
        piece(
            dv,
            width,
            size,
            turned(weights, seen),
            gradient,
            true,
            products,
        );
    }
}

/// From the gradients of a row's weights to those of its scores.
#[inline(always)]
fn slope(weights: &mut [f32], slopes: &mut [f32], visible: std::ops::Range<usize>, scale: f32) {
    slopes[..visible.start].fill(0.0);
    slopes[visible.end..].fill(0.0);
    let (weights, slopes) = (&mut weights[visible.clone()], &mut slopes[visible]);
    // The smallest would be denormal in products, which some processors take long over.
    for w in weights.iter_mut() {
        *w = if *w < 1e-20 { 0.0 } else { *w };
    }
    for (s, w) in slopes.iter_mut().zip(weights.iter()) {
        *s *= w;
    }
    let mean = maths::sum(slopes, |s| s);
    for (s, w) in slopes.iter_mut().zip(weights.iter()) {
        *s = (*s - mean * w) * scale;
    }
}
