//! The integer KV cache of one lane.

use super::{Engine, MAX_CONTEXT, Shape};
use crate::kernel::PANEL;

/// Keys and values of the positions of one block, as attention reads them.
#[derive(Clone, Debug)]
pub struct Cache {
    positions: usize,
    pub(crate) layers: Vec<LayerCache>,
}

/// One layer's keys and values.
///
/// Keys are panels of 16 positions × pairs of dimensions, so that a panel times a query gives 16 scores.
/// Values are panels of 16 dimensions × pairs of positions, so that a panel times weights gives 16 sums.
#[derive(Clone, Debug)]
pub(crate) struct LayerCache {
    /// [kv head][panel of positions][pair of dimensions][16][2].
    keys: Vec<i16>,
    /// [kv head][panel of dimensions][pair of positions][16][2].
    values: Vec<i16>,
    /// [kv head][position].
    key_exponents: Vec<i32>,
    /// [kv head][position].
    value_exponents: Vec<i32>,
    /// Positions rounded up to whole panels.
    room: usize,
    head_dim: usize,
}

impl Cache {
    /// Room for `positions` positions.
    ///
    /// # Panics
    /// If that is more than [`MAX_CONTEXT`].
    pub fn new(engine: &Engine, positions: usize) -> Self {
        assert!(positions <= MAX_CONTEXT, "a context of {positions} tokens");
        let layer = LayerCache::new(&engine.shape, positions);
        Self {
            positions,
            layers: vec![layer; engine.layers.len()],
        }
    }

    /// How many positions fit.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// Bytes that a cache of `positions` takes.
    pub fn size(engine: &Engine, positions: usize) -> usize {
        let room = positions.next_multiple_of(PANEL);
        let dims = engine.shape.head_dim.next_multiple_of(2)
            + engine.shape.head_dim.next_multiple_of(PANEL);
        engine.layers.len() * engine.shape.kv_heads * room * (2 * dims + 8)
    }
}

impl LayerCache {
    fn new(shape: &Shape, positions: usize) -> Self {
        let room = positions.next_multiple_of(PANEL);
        let (kv, dim) = (shape.kv_heads, shape.head_dim);
        Self {
            keys: vec![0; kv * room * dim],
            values: vec![0; kv * room * dim.next_multiple_of(PANEL)],
            key_exponents: vec![0; kv * room],
            value_exponents: vec![0; kv * room],
            room,
            head_dim: dim,
        }
    }

    /// Writes one head's key of a position. `None` stands for a zero vector.
    pub fn put_key(&mut self, head: usize, position: usize, key: &[i16], exponent: i32) {
        self.key_exponents[head * self.room + position] = exponent;
        let size = self.room * self.head_dim;
        let panel = &mut self.keys[head * size..][position / PANEL * PANEL * self.head_dim..];
        for (i, &k) in key.iter().enumerate() {
            panel[i / 2 * PANEL * 2 + position % PANEL * 2 + i % 2] = k;
        }
    }

    /// Writes one head's value of a position.
    pub fn put_value(&mut self, head: usize, position: usize, value: &[i16], exponent: i32) {
        self.value_exponents[head * self.room + position] = exponent;
        let size = self.room * self.head_dim.next_multiple_of(PANEL);
        let panels = &mut self.values[head * size..][..size];
        for (i, &v) in value.iter().enumerate() {
            panels[i / PANEL * self.room * PANEL
                + position / 2 * PANEL * 2
                + i % PANEL * 2
                + position % 2] = v;
        }
    }

    /// Keys of 16 positions from `16 * panel`.
    pub fn key_panel(&self, head: usize, panel: usize) -> &[i16] {
        let size = PANEL * self.head_dim;
        &self.keys[head * self.room * self.head_dim + panel * size..][..size]
    }

    /// Values of 16 dimensions from `16 * panel`, from an even position on.
    pub fn value_panel(&self, head: usize, panel: usize, position: usize) -> &[i16] {
        let size = self.room * PANEL;
        let heads = self.room * self.head_dim.next_multiple_of(PANEL);
        &self.values[head * heads + panel * size..][position * PANEL..size]
    }

    /// Exponents of the keys and the values of the first `n` positions.
    pub fn exponents(&self, head: usize, n: usize) -> (&[i32], &[i32]) {
        let from = head * self.room;
        (
            &self.key_exponents[from..from + n],
            &self.value_exponents[from..from + n],
        )
    }
}
