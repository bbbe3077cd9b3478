//! Rows through the layers: a row is one position of one lane.
//!
//! Encoding passes many positions of one lane at once, decoding one position of many lanes. Both are
//! lists of [`Run`]s, and both give the same bits, because no operation mixes two rows except
//! attention, which reads the cache.

use lmz_coder::{Cost, Distribution, Interval};

use super::attention::{Buffers, Rows};
use super::{Cache, Engine, Layer, Norm};
use crate::fixed::shift_to;
use crate::kernel::{self, Linear};

/// Rows of one pass: enough to reuse each weight, few enough for the caches of a processor.
const MAX_ROWS: usize = 64;
/// Logits that are held at once.
const MAX_LOGITS: usize = 1 << 19;

/// Consecutive known tokens of one lane.
#[derive(Debug)]
pub struct Run<'a> {
    /// The lane's cache.
    pub cache: &'a mut Cache,
    /// Position of the first token.
    pub start: usize,
    /// The tokens; all below the vocabulary's size.
    pub tokens: &'a [u32],
    /// The first of them whose next symbol's scores are wanted.
    pub wanted: usize,
}

/// What the model says of the symbol after a position.
#[derive(Debug)]
pub struct Scores<'a> {
    /// Logits by symbol: log2 units, 16 fractional bits.
    pub logits: &'a [i32],
    /// The largest of them.
    pub max: i32,
    /// Weights by symbol.
    pub weights: &'a [u32],
    escape_shift: u32,
}

impl Scores<'_> {
    /// The distribution of the next symbol.
    pub fn distribution(&self) -> Distribution<'_> {
        Distribution::new(self.weights, self.escape_shift)
    }

    /// Interval and ideal cost of a symbol, which may be the escape.
    pub fn code(&self, symbol: usize) -> (Interval, Cost) {
        let distribution = self.distribution();
        let cost = match self.logits.get(symbol) {
            Some(&logit) => distribution.cost(self.max.wrapping_sub(logit) as u32),
            None => distribution.escape_cost(),
        };
        (distribution.interval(symbol), cost)
    }
}

/// Buffers of a forward pass; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Residual stream [rows][width].
    x: Vec<i32>,
    /// Wide mantissas of one row.
    p: Vec<i64>,
    /// Activations [rows][stride].
    a: Vec<i16>,
    /// Exponents of the activations or of `y`.
    e: Vec<i32>,
    /// A linear layer's output [rows][out_padded].
    y: Vec<i32>,
    /// Attention's output [rows][heads][dim].
    heads: Vec<i64>,
    head_exponents: Vec<i32>,
    attention: Buffers,
    logits: Vec<i32>,
    weights: Vec<u32>,
}

impl Scratch {
    /// Empty buffers; they grow with use.
    pub fn new() -> Self {
        Self::default()
    }
}

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
            for &token in &runs[piece.run].tokens[piece.from..piece.from + piece.n] {
                self.embed(token, &mut scratch.x);
            }
        }
        for (index, layer) in self.layers.iter().enumerate() {
            self.norm(scratch, &layer.attn_norm, &layer.qkv);
            self.linear(scratch, &layer.qkv);
            self.attend_runs(scratch, runs, pieces, index);
            self.head_activations(scratch, &layer.o);
            self.linear(scratch, &layer.o);
            self.add(scratch, &layer.o);
            self.norm(scratch, &layer.ffn_norm, &layer.gate_up);
            self.linear(scratch, &layer.gate_up);
            self.gate(scratch, layer);
            self.linear(scratch, &layer.down);
            self.add(scratch, &layer.down);
        }
        self.scores(scratch, runs, pieces, visit);
    }

    /// docs/numerics.md, 3.3.
    fn embed(&self, token: u32, x: &mut Vec<i32>) {
        let (width, token) = (self.shape.width, token as usize);
        let m = i64::from(self.embed.m[token]);
        let e = self.embed.e + self.residual_frac_bits;
        let row = &self.embed.w[token * width..][..width];
        let shift = |j: usize| self.embed.c.get(j).map_or(0, |&c| i32::from(c));
        x.extend(
            row.iter()
                .enumerate()
                .map(|(j, &w)| shift_to(i64::from(w) * m, e + shift(j)) as i32),
        );
    }

    /// Norm of every row, as activations of `next`.
    fn norm(&self, scratch: &mut Scratch, norm: &Norm, next: &Linear) {
        let Scratch { x, p, a, e, .. } = scratch;
        let stride = 2 * next.pairs();
        let rows = x.len() / self.shape.width;
        a.resize(rows * stride, 0);
        e.clear();
        p.resize(self.shape.width, 0);
        for (x, a) in x
            .chunks_exact(self.shape.width)
            .zip(a.chunks_exact_mut(stride))
        {
            let exponent = norm.e + kernel::rms_norm(self.kernel, x, &norm.g, self.eps_fixed, p);
            e.push(kernel::activations(self.kernel, p, &[exponent], &next.c, a));
        }
    }

    /// `y` = layer · `a`; the exponents follow.
    fn linear(&self, scratch: &mut Scratch, layer: &Linear) {
        let rows = scratch.e.len();
        scratch.y.resize(rows * layer.out_padded(), 0);
        kernel::linear(
            self.kernel,
            layer,
            &scratch.a,
            2 * layer.pairs(),
            &mut scratch.y,
        );
        for e in &mut scratch.e {
            *e = layer.out_exponent(*e);
        }
    }

    fn attend_runs(
        &self,
        scratch: &mut Scratch,
        runs: &mut [Run<'_>],
        pieces: &[Piece],
        index: usize,
    ) {
        let s = &self.shape;
        let stride = self.layers[index].qkv.out_padded();
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
            self.attention(attention, &mut run.cache.layers[index], rows);
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
            .chunks_exact_mut(self.shape.queries())
            .zip(head_exponents.chunks_exact(self.shape.heads));
        for ((e, a), (p, groups)) in e.iter_mut().zip(a.chunks_exact_mut(stride)).zip(rows) {
            *e = kernel::activations(self.kernel, p, groups, &next.c, a);
        }
    }

    /// Adds `y` to the residual stream.
    fn add(&self, scratch: &mut Scratch, layer: &Linear) {
        let Scratch { x, y, e, .. } = scratch;
        let rows = x
            .chunks_exact_mut(self.shape.width)
            .zip(y.chunks_exact(layer.out_padded()));
        for ((x, y), &e) in rows.zip(e.iter()) {
            kernel::add_residual(
                self.kernel,
                x,
                &y[..self.shape.width],
                e + self.residual_frac_bits,
            );
        }
    }

    /// The gated activations of `down`.
    fn gate(&self, scratch: &mut Scratch, layer: &Layer) {
        let Scratch { p, a, e, y, .. } = scratch;
        let (inner, stride) = (self.shape.inner, 2 * layer.down.pairs());
        a.resize(e.len() * stride, 0);
        p.resize(inner, 0);
        let rows = y
            .chunks_exact(layer.gate_up.out_padded())
            .zip(a.chunks_exact_mut(stride));
        for (e, (y, a)) in e.iter_mut().zip(rows) {
            let (gate, up) = (&y[..inner], &y[inner..2 * inner]);
            let exponent = kernel::gated(self.kernel, gate, up, *e, p);
            *e = kernel::activations(self.kernel, p, &[exponent], &layer.down.c, a);
        }
    }

    /// Final norm, head and distribution of the wanted rows.
    fn scores(
        &self,
        scratch: &mut Scratch,
        runs: &[Run<'_>],
        pieces: &[Piece],
        visit: &mut dyn FnMut(usize, usize, &Scores<'_>),
    ) {
        let width = self.shape.width;
        let mut wanted = Vec::new();
        let mut row = 0;
        for piece in pieces {
            for token in piece.from..piece.from + piece.n {
                if token >= runs[piece.run].wanted {
                    wanted.push((row, piece.run, token));
                }
                row += 1;
            }
        }
        // Only those rows go on.
        for (to, &(from, ..)) in wanted.iter().enumerate() {
            scratch
                .x
                .copy_within(from * width..(from + 1) * width, to * width);
        }
        scratch.x.truncate(wanted.len() * width);
        let batch = (MAX_LOGITS / self.head.out_padded()).clamp(kernel::TILE, MAX_ROWS);
        let rest = std::mem::take(&mut scratch.x);
        for (x, wanted) in rest.chunks(batch * width).zip(wanted.chunks(batch)) {
            scratch.x.clear();
            scratch.x.extend_from_slice(x);
            self.norm(scratch, &self.norm, &self.head);
            self.linear(scratch, &self.head);
            let Scratch {
                y,
                e,
                logits,
                weights,
                ..
            } = &mut *scratch;
            logits.resize(self.symbols.len(), 0);
            weights.resize(self.symbols.len(), 0);
            let rows = y.chunks_exact(self.head.out_padded()).zip(e.iter());
            for ((y, &e), &(_, run, token)) in rows.zip(wanted) {
                let max = kernel::logits(self.kernel, &y[..self.symbols.len()], e, logits, weights);
                let scores = Scores {
                    logits,
                    max,
                    weights,
                    escape_shift: self.symbols.escape_shift(),
                };
                visit(run, token, &scores);
            }
        }
        scratch.x = rest;
    }
}

/// Part of a run in one pass.
struct Piece {
    run: usize,
    from: usize,
    n: usize,
}
