//! Rows through the layers: a row is one position of one lane.
//!
//! Encoding passes many positions of one lane at once, decoding one position of many lanes. Both are
//! lists of [`Run`]s, and both give the same bits, because no operation mixes two rows except
//! attention, which reads the cache.

use super::attention::Rows;
use super::layer::{BlockNorm, Layer, Norm};
use super::model::Engine;
use super::parts::Embedding;
use super::pass::Scratch;
use super::run::{Piece, Run};
use super::scores::Scores;
use super::share::{Share, cuts};
use crate::fixed::{MAX32, shift_to};
use crate::kernel::{self, Linear};

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
        let (mut rows, most) = (0, self.rows());
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
                let n = (len - from).min(most - rows);
                pending.push(Piece {
                    run: index,
                    from,
                    n,
                });
                from += n;
                rows += n;
                if rows == most {
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
        let parallel = self.parts.rules.parallel;
        let rows = pieces.iter().map(|piece| piece.n).sum();
        scratch.begin(rows, &self.parts.shape, parallel);
        let cuts = cuts(pieces, scratch.threads());
        let mut before: Option<&Layer> = None;
        for (index, layer) in self.parts.layers.iter().enumerate() {
            scratch.room_for(&layer.qkv);
            scratch.each(&cuts, runs, pieces, &|share| {
                if let Some(before) = before {
                    self.leave(share, before);
                }
                self.enter(share, layer.attn_norm.as_ref(), &layer.qkv);
            });
            scratch.linear(self.kernel, &layer.qkv);
            scratch.room_for(&layer.o);
            scratch.each(&cuts, runs, pieces, &|share| {
                self.finish(share, &layer.qkv);
                self.attend_runs(share, index);
                self.head_activations(share, &layer.o);
            });
            scratch.linear(self.kernel, &layer.o);
            scratch.room_for(&layer.up);
            scratch.each(&cuts, runs, pieces, &|share| {
                self.finish(share, &layer.o);
                if parallel {
                    share.before.copy_from_slice(share.x);
                }
                self.add(share, &layer.o, layer.attn_post_norm.as_ref());
                if parallel {
                    // Both halves read what the first has read.
                    std::mem::swap(&mut share.x, &mut share.before);
                    let own = layer.ffn_norm.as_ref().or(layer.attn_norm.as_ref());
                    self.enter(share, own, &layer.up);
                    std::mem::swap(&mut share.x, &mut share.before);
                } else {
                    self.enter(share, layer.ffn_norm.as_ref(), &layer.up);
                }
            });
            scratch.linear(self.kernel, &layer.up);
            scratch.room_for(&layer.down);
            scratch.each(&cuts, runs, pieces, &|share| {
                self.finish(share, &layer.up);
                self.between(share, layer);
            });
            scratch.linear(self.kernel, &layer.down);
            before = Some(layer);
        }
        if let Some(layer) = before {
            scratch.each(&cuts, runs, pieces, &|share| self.leave(share, layer));
        }
        self.scores(scratch, runs, pieces, visit);
    }

    /// The end of a layer's second half.
    fn leave(&self, share: &mut Share<'_, '_>, layer: &Layer) {
        self.finish(share, &layer.down);
        self.add(share, &layer.down, layer.ffn_post_norm.as_ref());
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
        let (weights, below) = table.rows.row(row, x.len());
        for (j, (x, weight)) in x.iter_mut().zip(weights).enumerate() {
            let shift = table.c.get(j).map_or(0, |&c| i32::from(c));
            let value = shift_to(i64::from(weight) * m, e + below + shift);
            *x = (i64::from(*x) + value).clamp(-MAX32, MAX32) as i32;
        }
    }

    /// The residual stream as activations of `next`, through a norm if there is one.
    fn enter(&self, share: &mut Share<'_, '_>, norm: Option<&Norm>, next: &Linear) {
        if let Some(norm) = norm {
            return self.norm(share, norm, next);
        }
        let (width, stride) = (self.parts.shape.width, 2 * next.pairs());
        let p = &mut share.own[0].p;
        let rows = share.x.chunks_exact(width).zip(&mut *share.e);
        for ((x, e), a) in rows.zip(share.a.chunks_exact_mut(stride)) {
            p.clear();
            p.extend(x.iter().map(|&x| i64::from(x)));
            let exponent = -self.parts.residual_frac_bits;
            *e = kernel::activations(self.kernel, p, &[exponent], &next.c, a);
        }
    }

    /// Norm of every row, as activations of `next`.
    pub(super) fn norm(&self, share: &mut Share<'_, '_>, norm: &Norm, next: &Linear) {
        let (width, stride) = (self.parts.shape.width, 2 * next.pairs());
        let p = &mut share.own[0].p;
        p.resize(width, 0);
        let rows = share.x.chunks_exact(width).zip(&mut *share.e);
        for ((x, e), a) in rows.zip(share.a.chunks_exact_mut(stride)) {
            let own = if self.parts.rules.centred {
                kernel::layer_norm(self.kernel, x, &norm.g, self.parts.eps_fixed, p)
            } else {
                kernel::rms_norm(self.kernel, x, &norm.g, self.parts.eps_fixed, p)
            };
            let mut exponent = norm.e + own;
            if let Some(bias) = &norm.bias {
                exponent = kernel::add_bias_wide(self.kernel, p, exponent, &bias.b, bias.e);
            }
            *e = kernel::activations(self.kernel, p, &[exponent], &next.c, a);
        }
    }

    /// What is left to do for each row after [`Scratch::linear`]: low planes, exponents, biases.
    pub(super) fn finish(&self, share: &mut Share<'_, '_>, layer: &Linear) {
        kernel::add_low(self.kernel, layer, share.y, share.low);
        let rows = share.y.chunks_exact_mut(layer.out_padded());
        for (y, e) in rows.zip(&mut *share.e) {
            *e = layer.out_exponent(*e);
            if let Some(bias) = &layer.bias {
                *e = kernel::add_bias(self.kernel, &mut y[..layer.out], *e, &bias.b, bias.e);
            }
        }
    }

    fn attend_runs(&self, share: &mut Share<'_, '_>, index: usize) {
        let s = &self.parts.shape;
        let stride = self.parts.layers[index].qkv.out_padded();
        let mut row = 0;
        for piece in share.pieces {
            let run = &mut share.runs[piece.run - share.first_run];
            let rows = Rows {
                start: run.start + piece.from,
                qkv: &mut share.y[row * stride..][..piece.n * stride],
                stride,
                exponents: &share.e[row..row + piece.n],
                out: &mut share.heads[row * s.queries()..][..piece.n * s.queries()],
                out_exponents: &mut share.head_exponents[row * s.heads..][..piece.n * s.heads],
            };
            let cache = &mut run.cache.layers[index];
            let buffers = &mut share.own[0].attention;
            self.attention(buffers, &self.parts.layers[index], cache, rows);
            row += piece.n;
        }
    }

    /// Attention's output as activations of the output projection.
    fn head_activations(&self, share: &mut Share<'_, '_>, next: &Linear) {
        let (shape, stride) = (&self.parts.shape, 2 * next.pairs());
        let heads = share.heads.chunks_exact_mut(shape.queries());
        let heads = heads.zip(share.head_exponents.chunks_exact(shape.heads));
        let rows = share.e.iter_mut().zip(share.a.chunks_exact_mut(stride));
        for ((e, a), (p, groups)) in rows.zip(heads) {
            *e = kernel::activations(self.kernel, p, groups, &next.c, a);
        }
    }

    /// Adds `y`, through a norm if there is one, to the residual stream.
    fn add(&self, share: &mut Share<'_, '_>, layer: &Linear, norm: Option<&BlockNorm>) {
        let width = self.parts.shape.width;
        let p = &mut share.own[0].p;
        let rows = share.x.chunks_exact_mut(width);
        let rows = rows.zip(share.y.chunks_exact(layer.out_padded()));
        for ((x, y), &e) in rows.zip(share.e.iter()) {
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
    fn between(&self, share: &mut Share<'_, '_>, layer: &Layer) {
        let (inner, stride) = (self.parts.shape.inner, 2 * layer.down.pairs());
        let p = &mut share.own[0].p;
        p.resize(inner, 0);
        let rows = share.y.chunks_exact(layer.up.out_padded());
        let rows = rows.zip(share.a.chunks_exact_mut(stride));
        let f = self.parts.rules.nonlinearity;
        for (e, (y, a)) in share.e.iter_mut().zip(rows) {
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
