//! Attention over the integer cache (docs/numerics.md, 3.7).

use super::cache::LayerCache;
use super::layer::{BlockNorm, Layer};
use super::model::Engine;
use super::planes::{self, VALUE_PLANES, VALUE_SUM_SHIFT, WIDE_VALUE_BITS};
use super::shape::VALUE_BITS;
use crate::fixed::{bitlen, rshift};
use crate::kernel::{self, PANEL, TILE};

/// Positions whose weighted values fit a 32-bit sum: 2^15 · 2^9 · 128 = 2^31.
const VALUE_CHUNK: usize = 128;
/// The same of a plane of values: 2^15 · 2^7 · 512 = 2^31.
const PLANE_CHUNK: usize = 512;

/// Panels of keys that are asked for ahead of the one that is read.
const AHEAD: usize = 2;

/// Bits of a normed query or key before its rotation.
const NORMED_BITS: i32 = 29;

/// Buffers of one attention call.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// With wide scores, the high rows.
    pub(super) queries: Vec<i16>,
    /// With wide scores.
    pub(super) low_queries: Vec<i16>,
    pub(super) wide_dots: Vec<i64>,
    exponents: Vec<i32>,
    dots: Vec<i32>,
    weights: Vec<i16>,
    /// Exponents of one row's heads.
    head_exponents: Vec<i32>,
    /// Wide mantissas of a norm.
    wide: Vec<i64>,
    /// Exponents of keys and values around the end of a bounded cache.
    around: [Vec<i32>; 2],
}

/// The rows of one run in the forward pass's buffers: consecutive positions of one lane.
pub(crate) struct Rows<'a> {
    /// Position of the first row in its lane.
    pub start: usize,
    /// Output of the qkv layer, `stride` apart.
    pub qkv: &'a mut [i32],
    pub stride: usize,
    /// Exponent of each row of `qkv`.
    pub exponents: &'a [i32],
    /// Output: mantissas [row][head][dim].
    pub out: &'a mut [i64],
    /// Output: exponents [row][head].
    pub out_exponents: &'a mut [i32],
}

impl Engine {
    pub(crate) fn attention(
        &self,
        buffers: &mut Buffers,
        layer: &Layer,
        cache: &mut LayerCache,
        mut rows: Rows<'_>,
    ) {
        self.store(buffers, layer, cache, &mut rows);
        let group = self.parts.shape.heads / self.parts.shape.kv_heads;
        for kv in 0..self.parts.shape.kv_heads {
            // (row, head) pairs that read the same keys.
            let queries: Vec<(usize, usize)> = (0..rows.exponents.len())
                .flat_map(|row| (kv * group..(kv + 1) * group).map(move |head| (row, head)))
                .collect();
            for (number, tile) in queries.chunks(TILE).enumerate() {
                let mut tile = Tile::new(layer, cache, kv, tile, rows.start);
                tile.first_look = number == 0;
                match layer.wide {
                    false => self.dots(buffers, &tile),
                    true => self.wide_dots(buffers, &tile),
                }
                let factors = self.weights(buffers, &tile);
                self.sums(buffers, &tile, &factors, &mut rows);
            }
        }
    }

    /// Norms, rotates, quantises and stores: queries into the buffers, keys and values into the cache.
    fn store(
        &self,
        buffers: &mut Buffers,
        layer: &Layer,
        cache: &mut LayerCache,
        rows: &mut Rows<'_>,
    ) {
        let s = &self.parts.shape;
        let dim = s.head_dim;
        let count = rows.exponents.len();
        buffers.queries.resize(count * s.queries(), 0);
        buffers.low_queries.resize(count * s.queries(), 0);
        buffers.exponents.resize(count * s.heads, 0);
        let rotary = match &self.parts.local_rotary {
            Some(local) if layer.local => Some(local),
            _ => self.parts.rotary.as_ref(),
        };
        let mut packed = vec![0i16; dim];
        let value_bits = match self.parts.rules.wide_values {
            false => VALUE_BITS,
            true => WIDE_VALUE_BITS,
        };
        let all = rows.qkv.chunks_exact_mut(rows.stride).zip(rows.exponents);
        for (row, (y, &e)) in all.enumerate() {
            let position = rows.start + row;
            let (queries, rest) = y.split_at_mut(s.queries());
            let (keys, values) = rest.split_at_mut(s.keys());
            buffers.head_exponents.clear();
            buffers.head_exponents.resize(s.heads + s.kv_heads, e);
            let (query_exponents, key_exponents) = buffers.head_exponents.split_at_mut(s.heads);
            if let Some([query_norm, key_norm]) = &layer.head_norms {
                self.norm_heads(query_norm, queries, e, query_exponents, &mut buffers.wide);
                self.norm_heads(key_norm, keys, e, key_exponents, &mut buffers.wide);
            }
            for (head, x) in queries.chunks_exact_mut(dim).enumerate() {
                if let Some(rotary) = rotary {
                    rotary.rotate(position, x);
                }
                let (at, e) = (row * s.heads + head, query_exponents[head]);
                let out = &mut buffers.queries[at * dim..][..dim];
                buffers.exponents[at] = if layer.wide {
                    let exponent = planes::quantise(self.kernel, x, e, &mut buffers.wide);
                    planes::split_query(x, out, &mut buffers.low_queries[at * dim..][..dim]);
                    exponent
                } else {
                    kernel::quantise(self.kernel, x, e, s.query_bits, out)
                };
            }
            for (head, x) in keys.chunks_exact_mut(dim).enumerate() {
                if let Some(rotary) = rotary {
                    rotary.rotate(position, x);
                }
                let e = key_exponents[head];
                if layer.wide {
                    let exponent = planes::quantise(self.kernel, x, e, &mut buffers.wide);
                    cache.put_key(head, position, x, exponent);
                } else {
                    let exponent = kernel::quantise(self.kernel, x, e, s.key_bits, &mut packed);
                    cache.put_key(head, position, &packed, exponent);
                }
            }
            for (head, x) in values.chunks_exact_mut(dim).take(s.kv_heads).enumerate() {
                let exponent = kernel::quantise(self.kernel, x, e, value_bits, &mut packed);
                cache.put_value(head, position, &packed, exponent);
            }
        }
    }

    /// The norm of one row's queries or keys, each head alone or all together; mantissas of at most
    /// [`NORMED_BITS`] bits with an exponent for each head.
    fn norm_heads(
        &self,
        norm: &BlockNorm,
        y: &mut [i32],
        e: i32,
        exponents: &mut [i32],
        wide: &mut Vec<i64>,
    ) {
        let dim = self.parts.shape.head_dim;
        wide.resize(y.len().max(wide.len()), 0);
        let wide = &mut wide[..y.len()];
        let block = if self.parts.rules.per_head {
            dim
        } else {
            y.len()
        };
        for (part, (y, p)) in y.chunks(block).zip(wide.chunks_mut(block)).enumerate() {
            let own = norm.e + kernel::block_norm(self.kernel, y, e, &norm.g, norm.eps, p);
            exponents[part * block / dim..][..block / dim].fill(own);
        }
        let heads = y.chunks_exact_mut(dim).zip(wide.chunks_exact(dim));
        for ((y, p), e) in heads.zip(exponents) {
            *e = kernel::quantise_wide(self.kernel, p, *e, NORMED_BITS, y);
        }
    }

    /// Every query of a tile times every key.
    fn dots(&self, buffers: &mut Buffers, tile: &Tile<'_>) {
        let (heads, dim) = (self.parts.shape.heads, self.parts.shape.head_dim);
        let Buffers { queries, dots, .. } = buffers;
        dots.resize(TILE * tile.room, 0);
        let mut rows: [&[i16]; TILE] = [&[]; TILE];
        for (slot, &(row, head)) in rows.iter_mut().zip(tile.pairs) {
            *slot = &queries[(row * heads + head) * dim..][..dim];
        }
        let rows = &rows[..tile.pairs.len()];
        let mut sums = [[0i32; PANEL]; TILE];
        let cache = tile.cache;
        let mut slot = cache.slot(tile.base);
        for panel in 0..tile.room / PANEL {
            kernel::panel_dots(
                self.kernel,
                cache.key_panel(tile.kv, slot),
                tile.soon(panel)
                    .map_or(&[], |soon| cache.key_panel(tile.kv, soon)),
                dim / 2,
                rows,
                &mut sums,
            );
            slot += PANEL;
            if slot == cache.room() {
                slot = 0;
            }
            let dots = dots.chunks_exact_mut(tile.room);
            for (dots, sums) in dots.zip(&sums[..rows.len()]) {
                dots[panel * PANEL..][..PANEL].copy_from_slice(sums);
            }
        }
    }

    /// The softmax of each query: weights, and what the weighted sum of values is multiplied by, with its exponent.
    fn weights(&self, buffers: &mut Buffers, tile: &Tile<'_>) -> [(i64, i32); TILE] {
        let heads = self.parts.shape.heads;
        let Buffers {
            exponents,
            dots,
            wide_dots,
            weights,
            around,
            ..
        } = buffers;
        dots.resize(TILE * tile.room, 0);
        weights.resize(TILE * tile.room, 0);
        let mut factors = [(0i64, 0i32); TILE];
        for (t, &(row, head)) in tile.pairs.iter().enumerate() {
            let (from, to) = (tile.first(row), tile.end(row));
            let (ek, ev) = tile.cache.exponents(tile.kv, from, to, around);
            let seen = from - tile.base..to - tile.base;
            let weights = &mut weights[t * tile.room..][..tile.room];
            let exponent = exponents[row * heads + head];
            let dots = &mut dots[t * tile.room..][seen.clone()];
            let wide = tile.wide.then(|| &wide_dots[t * tile.room..][seen.clone()]);
            weights[..seen.start].fill(0);
            weights[seen.end..].fill(0);
            let weights = &mut weights[seen];
            let (x, sum) = match (wide, self.parts.rules.attention_softcap) {
                (Some(exact), cap) => kernel::wide_attention_weights(
                    self.kernel,
                    exact,
                    ek,
                    ev,
                    exponent,
                    cap,
                    dots,
                    weights,
                ),
                (None, None) => {
                    kernel::attention_weights(self.kernel, dots, ek, ev, exponent, weights)
                }
                (None, Some(cap)) => kernel::capped_attention_weights(
                    self.kernel,
                    dots,
                    ek,
                    ev,
                    exponent,
                    cap,
                    weights,
                ),
            };
            let l = bitlen(sum);
            let top = if l <= 32 {
                sum << (32 - l)
            } else {
                sum >> (l - 32)
            };
            let shift = match self.parts.rules.wide_values {
                false => 0,
                true => VALUE_SUM_SHIFT,
            };
            factors[t] = (((1u64 << 52) / top) as i64, x - 35 - l + shift);
        }
        factors
    }

    /// The weighted sums of values.
    fn sums(
        &self,
        buffers: &Buffers,
        tile: &Tile<'_>,
        factors: &[(i64, i32); TILE],
        into: &mut Rows<'_>,
    ) {
        let (heads, dim) = (self.parts.shape.heads, self.parts.shape.head_dim);
        let (cache, room, count) = (tile.cache, tile.room, tile.pairs.len());
        let mut sums = [[0i32; PANEL]; TILE];
        let wide_values = self.parts.rules.wide_values;
        let chunk = match wide_values {
            false => VALUE_CHUNK,
            true => PLANE_CHUNK,
        };
        let mut missing = [0i64; TILE];
        if wide_values {
            for (missing, row) in missing.iter_mut().zip(buffers.weights.chunks_exact(room)) {
                *missing = planes::missing_of_values(row);
            }
        }
        for panel in 0..dim.div_ceil(PANEL) {
            let mut wide = [[0i64; PANEL]; TILE];
            let mut from = 0;
            while from < room {
                let slot = cache.slot(tile.base + from);
                let n = (room - from).min(chunk).min(cache.room() - slot);
                let mut rows: [&[i16]; TILE] = [&[]; TILE];
                for (t, row) in rows.iter_mut().enumerate().take(count) {
                    *row = &buffers.weights[t * room + from..][..n];
                }
                let mut add = |sums: &[[i32; PANEL]], shift: usize| {
                    for (wide, sums) in wide.iter_mut().zip(sums) {
                        for (wide, &sum) in wide.iter_mut().zip(sums) {
                            *wide += i64::from(sum) << shift;
                        }
                    }
                };
                let (kernel, rows, pairs) = (self.kernel, &rows[..count], n / 2);
                // What comes next: the following positions, or the first ones of other dimensions.
                let (soon, of) = match from + n < room {
                    true => (from + n, panel),
                    false => (0, (panel + 1) % dim.div_ceil(PANEL)),
                };
                let soon_slot = cache.slot(tile.base + soon);
                let soon = match tile.first_look {
                    true => (room - soon).min(chunk).min(cache.room() - soon_slot) * PANEL,
                    false => 0,
                };
                if wide_values {
                    for plane in 0..VALUE_PLANES {
                        let of = cache.value_plane(tile.kv, of, plane, soon_slot);
                        let values = cache.value_plane(tile.kv, panel, plane, slot);
                        kernel::plane_dots(kernel, values, &of[..soon], pairs, rows, &mut sums);
                        add(&sums[..count], 8 * (VALUE_PLANES - 1 - plane));
                    }
                } else {
                    let of = cache.value_panel(tile.kv, of, soon_slot);
                    let values = cache.value_panel(tile.kv, panel, slot);
                    kernel::panel_dots(kernel, values, &of[..soon], pairs, rows, &mut sums);
                    add(&sums[..count], 0);
                }
                from += n;
            }
            for (t, &(row, head)) in tile.pairs.iter().enumerate() {
                let at = row * heads + head;
                let (factor, exponent) = factors[t];
                into.out_exponents[at] = exponent;
                let out = &mut into.out[at * dim..][..dim][panel * PANEL..];
                for (out, &wide) in out.iter_mut().zip(&wide[t]) {
                    *out = match wide_values {
                        false => wide,
                        true => rshift(wide + missing[t], VALUE_SUM_SHIFT),
                    } * factor;
                }
            }
        }
    }
}

/// Up to [`TILE`] queries of one key-value head, and the positions that any of them sees.
pub(super) struct Tile<'a> {
    pub cache: &'a LayerCache,
    pub kv: usize,
    /// Row and head of each query.
    pub pairs: &'a [(usize, usize)],
    /// Whether the layer's scores are wide.
    wide: bool,
    /// Whether nobody has read these keys and values just before.
    first_look: bool,
    /// Position of the first row.
    start: usize,
    window: Option<usize>,
    /// What is computed starts here, with a whole panel, ...
    pub base: usize,
    /// ... and has so many positions, in whole panels.
    pub room: usize,
}

impl<'a> Tile<'a> {
    fn new(
        layer: &Layer,
        cache: &'a LayerCache,
        kv: usize,
        pairs: &'a [(usize, usize)],
        start: usize,
    ) -> Self {
        let mut tile = Self {
            cache,
            kv,
            pairs,
            wide: layer.wide,
            first_look: true,
            start,
            window: layer.window,
            base: 0,
            room: 0,
        };
        let rows = || pairs.iter().map(|&(row, _)| row);
        let most = rows().map(|row| tile.end(row)).max().unwrap_or(0);
        let first = rows().map(|row| tile.first(row)).min().unwrap_or(0);
        tile.base = first / PANEL * PANEL;
        tile.room = (most - tile.base).next_multiple_of(PANEL);
        tile
    }

    /// The slot of the keys that are asked for while panel number `panel` is read, if it pays.
    pub(super) fn soon(&self, panel: usize) -> Option<usize> {
        let ahead = (panel + AHEAD) * PANEL;
        (self.first_look && ahead < self.room).then(|| self.cache.slot(self.base + ahead))
    }

    /// The first position that a row sees.
    fn first(&self, row: usize) -> usize {
        let window = |window| self.end(row).saturating_sub(window);
        self.window.map_or(0, window)
    }

    /// One past the last.
    fn end(&self, row: usize) -> usize {
        self.start + row + 1
    }
}
