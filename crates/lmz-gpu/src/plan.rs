//! How a device's memory is shared out.

use lmz_exact::parts::{Parts, Shape};

/// Most rows of one pass: enough for the largest card, and launches stay short.
const MAX_ROWS: usize = 2048;
/// Fewest rows of a pass that are worth a launch.
const MIN_ROWS: usize = 16;

/// What of a model decides how much memory its forward pass takes.
#[derive(Clone, Debug)]
pub struct Sizes {
    shape: Shape,
    /// Of each layer.
    windows: Vec<Option<usize>>,
    /// Elements of the widest output of a layer's maps.
    pub widest_output: usize,
    /// Columns of the widest input of a layer's maps, in whole words.
    pub widest_input: usize,
    symbols: usize,
}

impl Sizes {
    /// Those of a model.
    pub fn new(parts: &Parts<'_>) -> Self {
        let maps = parts
            .layers
            .iter()
            .flat_map(|l| [&l.qkv, &l.o, &l.up, &l.down]);
        let (outs, ks) = (maps.clone().map(|l| l.out), maps.map(|l| l.k));
        Self {
            shape: parts.shape,
            windows: parts.layers.iter().map(|l| l.window).collect(),
            widest_output: outs.max().unwrap_or(1),
            widest_input: ks.max().unwrap_or(1).next_multiple_of(4),
            symbols: parts.head.out,
        }
    }

    /// Fits lanes and rows into `budget` bytes beside the weights, no buffer above `page` bytes.
    /// `None` if not even one lane and a few rows fit.
    pub fn plan(&self, budget: u64, page: u64, lanes: usize, positions: usize) -> Option<Plan> {
        let shape = &self.shape;
        // What a row reads in a windowed layer must survive the writes of its own pass.
        let room = |window: &Option<usize>| {
            window.map_or(positions, |w| positions.min(w.saturating_add(MAX_ROWS)))
        };
        let rooms: Vec<usize> = self.windows.iter().map(room).collect();
        let seen = |window: &Option<usize>| window.map_or(positions, |w| positions.min(w));
        let span = self.windows.iter().map(seen).max().unwrap_or(1);
        let slot = shape.kv_heads * 2 * shape.head_dim;
        let slots: usize = rooms.iter().sum();
        let lane = (slots * (2 * slot + 8 * shape.kv_heads)).max(1) as u64;
        let widest_room = rooms.iter().copied().max().unwrap_or(1);
        let page_lanes = page / (widest_room * slot).max(1) as u64;

        let queries = shape.heads * shape.head_dim;
        let scores = 4 * shape.heads * span;
        let parallel_and_own = 4 * self.widest_input;
        let row = 4 * shape.width
            + 4 * self.widest_output
            + parallel_and_own
            + 10 * queries
            + scores
            + 12 * (shape.heads + shape.kv_heads)
            + 32;
        let largest = scores.max(8 * queries).max(4 * self.widest_output);
        let logits = 4 * self.symbols + 2 * shape.width.next_multiple_of(4) + 8;

        let fit = |bytes: u64, each: u64, most: usize| (bytes / each).min(most as u64) as usize;
        let lanes = fit(budget / 2, lane, lanes.min(page_lanes as usize));
        let rest = budget.checked_sub(lanes as u64 * lane)?;
        let rows = fit(rest / 2, row as u64, fit(page, largest as u64, MAX_ROWS));
        let head_rows = fit(rest / 4, logits as u64, fit(page, logits as u64, rows));
        (lanes > 0 && rows >= MIN_ROWS && head_rows > 0).then_some(Plan {
            lanes,
            rows,
            head_rows,
            rooms,
            span,
        })
    }
}

/// What a session takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Lanes that have a cache.
    pub lanes: usize,
    /// Rows of one pass.
    pub rows: usize,
    /// Rows whose logits are held at once.
    pub head_rows: usize,
    /// Slots of each layer's cache.
    pub rooms: Vec<usize>,
    /// Scores of one row and head.
    pub span: usize,
}
