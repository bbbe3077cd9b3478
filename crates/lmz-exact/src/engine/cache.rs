//! The integer KV cache of one lane.

use super::model::Engine;
use super::shape::{MAX_CONTEXT, MAX_ROWS, Shape};
use crate::kernel::PANEL;

/// Keys and values of the positions of one block, as attention reads them.
///
/// Layers that see a window of positions keep little more than the window, so runs must follow each
/// other there: a run starts at position 0 or where the last one of its cache ended.
#[derive(Clone, Debug)]
pub struct Cache {
    positions: usize,
    /// One past the last position that was stored.
    pub(crate) end: usize,
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
    /// Slots, in whole panels. Where a window bounds what is read, position P has slot P mod room.
    room: usize,
    head_dim: usize,
}

/// Slots of a layer: all positions, or those of the window and of one pass, whose keys and values
/// are stored before any of its rows attends. The first panel of a row's window is read as a whole.
fn room(positions: usize, window: Option<usize>) -> usize {
    let bounded = window.map_or(usize::MAX, |window| window.saturating_add(MAX_ROWS + PANEL));
    positions.min(bounded).next_multiple_of(PANEL)
}

impl Cache {
    /// Room for `positions` positions.
    ///
    /// # Panics
    /// If that is more than [`MAX_CONTEXT`].
    pub fn new(engine: &Engine, positions: usize) -> Self {
        assert!(positions <= MAX_CONTEXT, "a context of {positions} tokens");
        let layer = |window| LayerCache::new(&engine.parts.shape, room(positions, window));
        Self {
            positions,
            end: 0,
            layers: engine
                .parts
                .layers
                .iter()
                .map(|l| layer(l.window))
                .collect(),
        }
    }

    /// How many positions fit.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// Takes over all that `from`, a cache of the same engine, holds; the next run starts behind it.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn copy(&mut self, from: &Self) {
        assert!(from.end <= self.positions, "the copy leaves its cache");
        self.end = from.end;
        for (layer, from) in self.layers.iter_mut().zip(&from.layers) {
            layer.copy(from, self.end);
        }
    }

    /// Bytes that a cache of `positions` takes.
    pub fn size(engine: &Engine, positions: usize) -> usize {
        let layers = engine.parts.layers.iter();
        let room: usize = layers.map(|layer| room(positions, layer.window)).sum();
        let dims = engine.parts.shape.head_dim.next_multiple_of(2)
            + engine.parts.shape.head_dim.next_multiple_of(PANEL);
        engine.parts.shape.kv_heads * room * (2 * dims + 8)
    }
}

impl LayerCache {
    fn new(shape: &Shape, room: usize) -> Self {
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

    /// Copies what `from` has of the first `positions` positions.
    fn copy(&mut self, from: &Self, positions: usize) {
        // Where a window bounds both, they have the same slots; otherwise no position has wrapped.
        let slots = positions.next_multiple_of(PANEL).min(from.room);
        assert!(slots <= self.room && (positions <= from.room || self.room == from.room));
        let keys = [self.room, from.room].map(|room| room * self.head_dim);
        copy_starts(&mut self.keys, &from.keys, keys, slots * self.head_dim);
        let values = [self.room, from.room].map(|room| room * PANEL);
        copy_starts(&mut self.values, &from.values, values, slots * PANEL);
        let rooms = [self.room, from.room];
        let exponents = [
            (&mut self.key_exponents, &from.key_exponents),
            (&mut self.value_exponents, &from.value_exponents),
        ];
        for (to, from) in exponents {
            copy_starts(to, from, rooms, slots);
        }
    }

    /// Slots, a multiple of a panel.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Where a position lies.
    #[inline(always)]
    pub fn slot(&self, position: usize) -> usize {
        // Nearly always below: a division for each panel would show.
        if position < self.room {
            position
        } else {
            position % self.room
        }
    }

    /// Writes one head's key of a position. `None` stands for a zero vector.
    pub fn put_key(&mut self, head: usize, position: usize, key: &[i16], exponent: i32) {
        let position = self.slot(position);
        self.key_exponents[head * self.room + position] = exponent;
        let size = self.room * self.head_dim;
        let panel = &mut self.keys[head * size..][position / PANEL * PANEL * self.head_dim..];
        for (i, &k) in key.iter().enumerate() {
            panel[i / 2 * PANEL * 2 + position % PANEL * 2 + i % 2] = k;
        }
    }

    /// Writes one head's value of a position.
    pub fn put_value(&mut self, head: usize, position: usize, value: &[i16], exponent: i32) {
        let position = self.slot(position);
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

    /// Keys of the 16 positions from a slot that is a multiple of 16.
    pub fn key_panel(&self, head: usize, slot: usize) -> &[i16] {
        let from = (head * self.room + slot) * self.head_dim;
        &self.keys[from..][..PANEL * self.head_dim]
    }

    /// Values of 16 dimensions from `16 * panel`, from an even slot on.
    pub fn value_panel(&self, head: usize, panel: usize, slot: usize) -> &[i16] {
        let size = self.room * PANEL;
        let heads = self.room * self.head_dim.next_multiple_of(PANEL);
        &self.values[head * heads + panel * size..][slot * PANEL..size]
    }

    /// Exponents of the keys and the values of positions `from..to`; `buffer` holds them where they
    /// do not lie in one piece.
    pub fn exponents<'a>(
        &'a self,
        head: usize,
        from: usize,
        to: usize,
        buffer: &'a mut [Vec<i32>; 2],
    ) -> (&'a [i32], &'a [i32]) {
        let all = head * self.room..(head + 1) * self.room;
        let (keys, values) = (&self.key_exponents[all.clone()], &self.value_exponents[all]);
        let (first, n) = (self.slot(from), to - from);
        if first + n <= self.room {
            return (&keys[first..first + n], &values[first..first + n]);
        }
        for (buffer, all) in buffer.iter_mut().zip([keys, values]) {
            buffer.clear();
            buffer.extend_from_slice(&all[first..]);
            buffer.extend_from_slice(&all[..first + n - self.room]);
        }
        (&buffer[0], &buffer[1])
    }
}

/// Copies the first `n` elements of each chunk; chunks have the two `sizes`.
fn copy_starts<T: Copy>(to: &mut [T], from: &[T], sizes: [usize; 2], n: usize) {
    let to = to.chunks_exact_mut(sizes[0]);
    for (to, from) in to.zip(from.chunks_exact(sizes[1])) {
        to[..n].copy_from_slice(&from[..n]);
    }
}
