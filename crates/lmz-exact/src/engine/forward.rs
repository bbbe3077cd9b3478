//! Rows through the layers: a row is one position of one lane.
//!
//! Encoding passes many positions of one lane at once, decoding one position of many lanes. Both are
//! lists of [`Run`]s, and both give the same bits, because no operation mixes two rows except
//! attention, which reads the cache.

use super::attention::Rows;
use super::layer::{BlockNorm, Layer, Norm};
use super::model::Engine;
use super::parts::Embedding;
use super::pass::{Piece, Run, Scratch};
use super::scores::Scores;
use super::shape::MAX_ROWS;
use crate::fixed::{MAX32, shift_to};
use crate::kernel::{self, FINE_BITS, Linear};

impl Engine {
    /// Runs known tokens through the model and shows the wanted scores: `visit(run, token, scores)`
    /// for each token of each run from its `wanted` on, in order within a run.
    ///
    /// # Panics
    /// If a token is not in the vocabulary or a run leaves its cache: errors of the caller.
    pub fn forward(
        &self,
        scratch: &mut Scratch,
        runs: &mut [Run<'_>],
        visit: &mut dyn FnMut(usize, usize, &Scores<'_>),
    ) {
        let mut pending: Vec<Piece> = Vec::new();
        let mut rows = 0;
        for index in 0..runs.len() {
            let (run, len) = (&runs[index], runs[index].tokens.len());
            assert!(
                run.start + len <= run.cache.positions(),
                "the run leaves its cache"
            );
            let follows = run.start == 0 || run.start == run.cache.end;
            assert!(follows || !self.parts.windowed(), "the run leaves a gap");
            let run = &mut runs[index];
            run.cache.end = run.start + len;
            let mut from = 0;
            while from < len {
                let n = (len - from).min(MAX_ROWS - rows);
                pending.push(Piece {
                    run: index,
                    from,
                    n,
                });
                from += n;
                rows += n;
                if rows == MAX_ROWS {
                    self.pass(scratch, runs, &pending, visit);
                    pending.clear();
                    rows = 0;
                }
            }
        }
        if rows > 0 {
            self.pass(scratch, runs, &pending, visit);
        }
    }

    fn pass(
        &self,
        scratch: &mut Scratch,
        runs: &mut [Run<'_>],
        pieces: &[Piece],
        visit: &mut dyn FnMut(usize, usize, &Scores<'_>),
    ) {
        scratch.x.clear();
        for piece in pieces {
            let run = &runs[piece.run];
            let tokens = run.tokens[piece.from..piece.from + piece.n].iter();
            for (&token, position) in tokens.zip(run.start + piece.from..) {
                self.embed(token, position, &mut scratch.x);
            }
        }
        for (index, layer) in self.parts.layers.iter().enumerate() {
            self.enter(scratch, layer.attn_norm.as_ref(), &layer.qkv);
            self.linear(scratch, &layer.qkv);
            self.attend_runs(scratch, runs, pieces, index);
            self.head_activations(scratch, &layer.o);
            self.linear(scratch, &layer.o);
            if self.parts.rules.parallel {
                scratch.before.clone_from(&scratch.x);
            }
            self.add(scratch, &layer.o, layer.attn_post_norm.as_ref());
            if self.parts.rules.parallel {
                std::mem::swap(&mut scratch.x, &mut scratch.before);
                let own = layer.ffn_norm.as_ref().or(layer.attn_norm.as_ref());
                self.enter(scratch, own, &layer.up);
                std::mem::swap(&mut scratch.x, &mut scratch.before);
            } else {
                self.enter(scratch, layer.ffn_norm.as_ref(), &layer.up);
            }
            self.linear(scratch, &layer.up);
            self.between(scratch, layer);
            self.linear(scratch, &layer.down);
            self.add(scratch, &layer.down, layer.ffn_post_norm.as_ref());
        }
        self.scores(scratch, runs, pieces, visit);
    }

    /// Appends a position to the residual stream: its token's row, plus its own where positions are learned (3.3).
    fn embed(&self, token: u32, position: usize, x: &mut Vec<i32>) {
        let width = self.parts.shape.width;
        let from = x.len();
        x.resize(from + width, 0);
        self.add_row(&self.parts.embed, token as usize, &mut x[from..]);
        if let Some(positions) = &self.parts.positions {
            let row = position.min(positions.m.len() - 1);
            self.add_row(positions, row, &mut x[from..]);
        }
    }

    /// Adds a row of a table to one position of the residual stream.
    fn add_row(&self, table: &Embedding, row: usize, x: &mut [i32]) {
        let m = i64::from(table.m[row]);
        let e = table.e + self.parts.residual_frac_bits;
        let weights = &table.w[row * x.len()..][..x.len()];
        let shift = |j: usize| table.c.get(j).map_or(0, |&c| i32::from(c));
        let mut add = |j: usize, weight: i64, e: i32| {
            let value = shift_to(weight * m, e + shift(j));
            x[j] = (i64::from(x[j]) + value).clamp(-MAX32, MAX32) as i32;
        };
        match table.fine.of(row, weights.len()) {
            None => {
                for (j, &w) in weights.iter().enumerate() {
                    add(j, i64::from(w), e);
                }
            }
            Some(low) => {
                for (j, (&w, &low)) in weights.iter().zip(low).enumerate() {
                    add(
                        j,
                        (i64::from(w) << FINE_BITS) + i64::from(low),
                        e - FINE_BITS,
                    );
                }
            }
        }
    }

    /// The residual stream as activations of `next`, through a norm if there is one.
    fn enter(&self, scratch: &mut Scratch, norm: Option<&Norm>, next: &Linear) {
        if let Some(norm) = norm {
            return self.norm(scratch, norm, next);
        }
        let Scratch { x, p, a, e, .. } = scratch;
        let (width, stride) = (self.parts.shape.width, 2 * next.pairs());
        a.resize(x.len() / width * stride, 0);
        e.clear();
        for (x, a) in x.chunks_exact(width).zip(a.chunks_exact_mut(stride)) {
            p.clear();
            p.extend(x.iter().map(|&x| i64::from(x)));
            let exponent = -self.parts.residual_frac_bits;
            e.push(kernel::activations(self.kernel, p, &[exponent], &next.c, a));
        }
    }

    /// Norm of every row, as activations of `next`.
    pub(super) fn norm(&self, scratch: &mut Scratch, norm: &Norm, next: &Linear) {
        let Scratch { x, p, a, e, .. } = scratch;
        let stride = 2 * next.pairs();
        let rows = x.len() / self.parts.shape.width;
        a.resize(rows * stride, 0);
        e.clear();
        p.resize(self.parts.shape.width, 0);
        for (x, a) in x
            .chunks_exact(self.parts.shape.width)
            .zip(a.chunks_exact_mut(stride))
        {
            let own = if self.parts.rules.centred {
                kernel::layer_norm(self.kernel, x, &norm.g, self.parts.eps_fixed, p)
            } else {
                kernel::rms_norm(self.kernel, x, &norm.g, self.parts.eps_fixed, p)
            };
            let mut exponent = norm.e + own;
            if let Some(bias) = &norm.bias {
                exponent = kernel::add_bias_wide(self.kernel, p, exponent, &bias.b, bias.e);
            }
            e.push(kernel::activations(self.kernel, p, &[exponent], &next.c, a));
        }
    }

    /// `y` = layer · `a`; the exponents follow.
    pub(super) fn linear(&self, scratch: &mut Scratch, layer: &Linear) {
        let rows = scratch.e.len();
        scratch.y.resize(rows * layer.out_padded(), 0);
        let Scratch { a, y, low, .. } = scratch;
        kernel::linear_with_fine(self.kernel, layer, a, 2 * layer.pairs(), y, low);
        for e in &mut scratch.e {
            *e = layer.out_exponent(*e);
        }
        if let Some(bias) = &layer.bias {
            let rows = scratch.y.chunks_exact_mut(layer.out_padded());
            for (y, e) in rows.zip(&mut scratch.e) {
                *e = kernel::add_bias(self.kernel, &mut y[..layer.out], *e, &bias.b, bias.e);
            }
        }
    }

    fn attend_runs(
        &self,
        scratch: &mut Scratch,
        runs: &mut [Run<'_>],
        pieces: &[Piece],
        index: usize,
    ) {
        let s = &self.parts.shape;
        let stride = self.parts.layers[index].qkv.out_padded();
        let Scratch {
            y,
            e,
            heads,
            head_exponents,
            attention,
            ..
        } = scratch;
        heads.resize(e.len() * s.queries(), 0);
        head_exponents.resize(e.len() * s.heads, 0);
        let mut row = 0;
        for piece in pieces {
            let run = &mut runs[piece.run];
            let rows = Rows {
                start: run.start + piece.from,
                qkv: &mut y[row * stride..][..piece.n * stride],
                stride,
                exponents: &e[row..row + piece.n],
                out: &mut heads[row * s.queries()..][..piece.n * s.queries()],
                out_exponents: &mut head_exponents[row * s.heads..][..piece.n * s.heads],
            };
            let cache = &mut run.cache.layers[index];
            self.attention(attention, &self.parts.layers[index], cache, rows);
            row += piece.n;
        }
    }

    /// Attention's output as activations of the output projection.
    fn head_activations(&self, scratch: &mut Scratch, next: &Linear) {
        let Scratch {
            a,
            e,
            heads,
            head_exponents,
            ..
        } = scratch;
        let stride = 2 * next.pairs();
        a.resize(e.len() * stride, 0);
        let rows = heads
            .chunks_exact_mut(self.parts.shape.queries())
            .zip(head_exponents.chunks_exact(self.parts.shape.heads));
        for ((e, a), (p, groups)) in e.iter_mut().zip(a.chunks_exact_mut(stride)).zip(rows) {
            *e = kernel::activations(self.kernel, p, groups, &next.c, a);
        }
    }

    /// Adds `y`, through a norm if there is one, to the residual stream.
    fn add(&self, scratch: &mut Scratch, layer: &Linear, norm: Option<&BlockNorm>) {
        let Scratch { x, p, y, e, .. } = scratch;
        let width = self.parts.shape.width;
        let rows = x
            .chunks_exact_mut(width)
            .zip(y.chunks_exact(layer.out_padded()));
        for ((x, y), &e) in rows.zip(e.iter()) {
            let y = &y[..width];
            let Some(norm) = norm else {
                kernel::add_residual(self.kernel, x, y, e + self.parts.residual_frac_bits);
                continue;
            };
            p.resize(width, 0);
            let e = norm.e + kernel::block_norm(self.kernel, y, e, &norm.g, norm.eps, p);
            kernel::add_residual_wide(self.kernel, x, p, e + self.parts.residual_frac_bits);
        }
    }

    /// From the feed-forward layer's first map to the activations of its second.
    fn between(&self, scratch: &mut Scratch, layer: &Layer) {
        let Scratch { p, a, e, y, .. } = scratch;
        let (inner, stride) = (self.parts.shape.inner, 2 * layer.down.pairs());
        a.resize(e.len() * stride, 0);
        p.resize(inner, 0);
        let rows = y
            .chunks_exact(layer.up.out_padded())
            .zip(a.chunks_exact_mut(stride));
        let f = self.parts.rules.nonlinearity;
        for (e, (y, a)) in e.iter_mut().zip(rows) {
            let exponent = if self.parts.rules.gated {
                let (gate, up) = (&y[..inner], &y[inner..2 * inner]);
                kernel::gated_by(self.kernel, f, gate, up, *e, p)
            } else {
                kernel::activated(self.kernel, f, &y[..inner], *e, p)
            };
            *e = kernel::activations(self.kernel, p, &[exponent], &layer.down.c, a);
        }
    }
}
