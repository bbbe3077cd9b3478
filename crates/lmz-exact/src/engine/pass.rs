//! What a forward pass works on.

use super::model::Engine;
use super::run::{Piece, Run};
use super::shape::Shape;
use super::share::{Cut, Own, Share};
use crate::kernel::{self, Kernel, Linear};
use crate::team::Team;

/// Buffers of a forward pass, and the threads that share it; one for each pass that runs at the same time.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) team: Option<Team>,
    /// Rows of this pass.
    rows: usize,
    /// Residual stream [rows][width].
    pub(super) x: Vec<i32>,
    /// The residual stream before the attention, for parallel halves; else empty.
    before: Vec<i32>,
    /// Activations [rows][stride].
    pub(super) a: Vec<i16>,
    /// Exponents of the activations or of `y`.
    pub(super) e: Vec<i32>,
    /// A linear layer's output [rows][out_padded].
    pub(super) y: Vec<i32>,
    /// What the low planes of fine rows give [rows][low_padded].
    low: Vec<i32>,
    /// Attention's output [rows][heads][dim].
    heads: Vec<i64>,
    head_exponents: Vec<i32>,
    /// Of each thread.
    pub(super) own: Vec<Own>,
}

impl Scratch {
    /// Empty buffers, which grow with use, for the thread that runs the pass.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, for a team that shares each pass: worth it where passes have few rows and read more weights than the caches
    /// hold. The bits are the same.
    pub fn shared(team: Team) -> Self {
        Self {
            team: Some(team),
            ..Self::default()
        }
    }

    /// Bytes that they grow to, about.
    pub fn size(engine: &Engine) -> usize {
        let shape = &engine.parts.shape;
        let layers = engine.parts.layers.iter();
        let linears = layers.flat_map(|layer| [&layer.qkv, &layer.o, &layer.up, &layer.down]);
        let widest = linears
            .map(|linear| 4 * (linear.out_padded() + linear.low_padded()) + 4 * linear.pairs());
        let row = 8 * shape.width + widest.max().unwrap_or(0) + 8 * shape.queries();
        let outputs = engine.parts.head.out_padded();
        engine.rows() * row + (4 * engine.head_rows() + 8) * outputs
    }

    pub(super) fn threads(&self) -> usize {
        self.team.as_ref().map_or(1, Team::threads)
    }

    /// Begins to work on so many rows, which are in `x`.
    pub(super) fn begin(&mut self, rows: usize, shape: &Shape, parallel: bool) {
        self.rows = rows;
        self.e.resize(rows, 0);
        self.heads.resize(rows * shape.queries(), 0);
        self.head_exponents.resize(rows * shape.heads, 0);
        self.before
            .resize(if parallel { rows * shape.width } else { 0 }, 0);
        let threads = self.threads();
        self.own.resize_with(threads, Own::default);
    }

    /// Makes room for activations of `next`.
    pub(super) fn room_for(&mut self, next: &Linear) {
        self.a.resize(self.rows * 2 * next.pairs(), 0);
    }

    /// `y` = layer · `a`: the sums, without what [`Engine::finish`] does to each row.
    pub(super) fn linear(&mut self, kernel: Kernel, layer: &Linear) {
        self.y.resize(self.rows * layer.out_padded(), 0);
        self.low.resize(self.rows * layer.low_padded(), 0);
        let stride = 2 * layer.pairs();
        kernel::linear_and_low(
            kernel,
            layer,
            &self.a,
            stride,
            &mut self.y,
            &mut self.low,
            self.team.as_mut(),
        );
    }

    /// `work` on all rows, by the threads that share them as `cuts` say; without cuts by one.
    pub(super) fn each(
        &mut self,
        cuts: &[Cut],
        runs: &mut [Run<'_>],
        pieces: &[Piece],
        work: &(impl Fn(&mut Share<'_, '_>) + Sync),
    ) {
        let mut rest = Share {
            rows: self.rows,
            x: &mut self.x,
            before: &mut self.before,
            a: &mut self.a,
            e: &mut self.e,
            y: &mut self.y,
            low: &mut self.low,
            heads: &mut self.heads,
            head_exponents: &mut self.head_exponents,
            own: &mut self.own,
            runs,
            pieces,
            first_run: 0,
        };
        match &mut self.team {
            Some(team) if cuts.len() > 1 => {
                let mut shares: Vec<_> = cuts.iter().map(|cut| rest.take(cut)).collect();
                team.each(&mut shares, work);
            }
            _ => work(&mut rest),
        }
    }
}
