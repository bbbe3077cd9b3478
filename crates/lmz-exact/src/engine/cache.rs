//! The integer KV cache of one lane.

use std::ops::Range;

use super::layer::Layer;
use super::model::Engine;
use super::planes::{KEY_PLANES, VALUE_PLANES, plane_of};
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
    keys: Numbers,
    /// [kv head][panel of dimensions][pair of positions][16][2].
    values: Numbers,
    /// [kv head][slot].
    key_exponents: Vec<i32>,
    /// [kv head][slot].
    value_exponents: Vec<i32>,
    /// Slots, in whole panels. Where a window bounds what is read, position P has slot P mod room.
    room: usize,
    head_dim: usize,
}

/// Mantissas in the order of panels.
#[derive(Clone, Debug)]
enum Numbers {
    Narrow(Vec<i16>),
    /// In planes of eight bits, the highest first.
    Wide(Vec<Vec<i8>>),
}

impl Numbers {
    /// `len` zeros, in so many planes if there are any.
    fn new(len: usize, planes: Option<usize>) -> Self {
        match planes {
            None => Self::Narrow(vec![0; len]),
            Some(planes) => Self::Wide(vec![vec![0; len]; planes]),
        }
    }

    /// Puts element `i` of `x` at `at(i)`.
    fn put<T: Copy + Into<i32>>(&mut self, x: &[T], at: impl Fn(usize) -> usize) {
        match self {
            Self::Narrow(all) => {
                for (i, &x) in x.iter().enumerate() {
                    all[at(i)] = x.into() as i16;
                }
            }
            Self::Wide(planes) => {
                let last = planes.len() - 1;
                for (p, plane) in planes.iter_mut().enumerate() {
                    for (i, &x) in x.iter().enumerate() {
                        plane[at(i)] = plane_of(x.into(), p, last);
                    }
                }
            }
        }
    }

    /// A part of narrow numbers.
    fn narrow(&self, range: Range<usize>) -> &[i16] {
        match self {
            Self::Narrow(all) => &all[range],
            Self::Wide(_) => unreachable!("the numbers are wide"),
        }
    }

    /// A part of one plane of wide numbers.
    fn plane(&self, plane: usize, range: Range<usize>) -> &[i8] {
        match self {
            Self::Narrow(_) => unreachable!("the numbers are narrow"),
            Self::Wide(planes) => &planes[plane][range],
        }
    }

    /// [`copy_starts`] of all of them.
    fn copy(&mut self, from: &Self, sizes: [usize; 2], n: usize) {
        match (self, from) {
            (Self::Narrow(to), Self::Narrow(from)) => copy_starts(to, from, sizes, n),
            (Self::Wide(to), Self::Wide(from)) => {
                for (to, from) in to.iter_mut().zip(from) {
                    copy_starts(to, from, sizes, n);
                }
            }
            _ => panic!("caches of different engines"),
        }
    }
}

/// Slots of a layer: all positions, or those of the window and of one pass, whose keys and values
/// are stored before any of its rows attends. The first panel of a row's window is read as a whole.
fn room(positions: usize, window: Option<usize>) -> usize {
    let bounded = window.map_or(usize::MAX, |window| window.saturating_add(MAX_ROWS + PANEL));
    positions.min(bounded).next_multiple_of(PANEL)
}

impl Cache {
    /// An empty cache with room for `positions` positions.
    ///
    /// # Panics
    /// If that is more than [`MAX_CONTEXT`].
    pub fn new(engine: &Engine, positions: usize) -> Self {
        assert!(positions <= MAX_CONTEXT, "a context of {positions} tokens");
        let (shape, wide_values) = (&engine.parts.shape, engine.parts.rules.wide_values);
        let layer = |l: &Layer| {
            let planes = (
                l.wide.then_some(KEY_PLANES),
                wide_values.then_some(VALUE_PLANES),
            );
            LayerCache::new(shape, room(positions, l.window), planes)
        };
        Self {
            positions,
            end: 0,
            layers: engine.parts.layers.iter().map(layer).collect(),
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
        let dim = engine.parts.shape.head_dim;
        let layer = |layer: &Layer| {
            let key = if layer.wide { KEY_PLANES } else { 2 } * dim.next_multiple_of(2);
            room(positions, layer.window) * (key + 2 * dim.next_multiple_of(PANEL) + 8)
        };
        engine.parts.shape.kv_heads * engine.parts.layers.iter().map(layer).sum::<usize>()
    }
}

impl LayerCache {
    /// With so many planes of keys and of values; `None` for narrow ones.
    fn new(shape: &Shape, room: usize, planes: (Option<usize>, Option<usize>)) -> Self {
        let (kv, dim) = (shape.kv_heads, shape.head_dim);
        Self {
            keys: Numbers::new(kv * room * dim, planes.0),
            values: Numbers::new(kv * room * dim.next_multiple_of(PANEL), planes.1),
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
        self.keys.copy(&from.keys, keys, slots * self.head_dim);
        let values = [self.room, from.room].map(|room| room * PANEL);
        self.values.copy(&from.values, values, slots * PANEL);
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

    /// The slot of a position.
    #[inline(always)]
    pub fn slot(&self, position: usize) -> usize {
        // Nearly always below: a division for each panel would show.
        if position < self.room {
            position
        } else {
            position % self.room
        }
    }

    /// Writes one head's key of a position.
    pub fn put_key<T: Copy + Into<i32>>(
        &mut self,
        head: usize,
        position: usize,
        key: &[T],
        exponent: i32,
    ) {
        let position = self.slot(position);
        self.key_exponents[head * self.room + position] = exponent;
        let (size, dim) = (self.room * self.head_dim, self.head_dim);
        let from = head * size + position / PANEL * PANEL * dim + position % PANEL * 2;
        self.keys.put(key, |i| from + i / 2 * PANEL * 2 + i % 2);
    }

    /// Writes one head's value of a position.
    pub fn put_value(&mut self, head: usize, position: usize, value: &[i16], exponent: i32) {
        let position = self.slot(position);
        self.value_exponents[head * self.room + position] = exponent;
        let panel = self.room * PANEL;
        let size = self.room * self.head_dim.next_multiple_of(PANEL);
        let from = head * size + position / 2 * PANEL * 2 + position % 2;
        let at = |i| from + i / PANEL * panel + i % PANEL * 2;
        self.values.put(value, at);
    }

    fn key_range(&self, head: usize, slot: usize) -> Range<usize> {
        let from = (head * self.room + slot) * self.head_dim;
        from..from + PANEL * self.head_dim
    }

    /// Keys of the 16 positions from a slot that is a multiple of 16.
    pub fn key_panel(&self, head: usize, slot: usize) -> &[i16] {
        self.keys.narrow(self.key_range(head, slot))
    }

    /// As [`LayerCache::key_panel`], one plane of wide keys.
    pub fn key_plane(&self, head: usize, plane: usize, slot: usize) -> &[i8] {
        self.keys.plane(plane, self.key_range(head, slot))
    }

    fn value_range(&self, head: usize, panel: usize, slot: usize) -> Range<usize> {
        let size = self.room * PANEL;
        let heads = self.room * self.head_dim.next_multiple_of(PANEL);
        let from = head * heads + panel * size;
        from + slot * PANEL..from + size
    }

    /// Values of 16 dimensions from `16 * panel`, from an even slot on.
    pub fn value_panel(&self, head: usize, panel: usize, slot: usize) -> &[i16] {
        self.values.narrow(self.value_range(head, panel, slot))
    }

    /// As [`LayerCache::value_panel`], one plane of wide values.
    pub fn value_plane(&self, head: usize, panel: usize, plane: usize, slot: usize) -> &[i8] {
        self.values
            .plane(plane, self.value_range(head, panel, slot))
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
