//! Attention over the integer cache (docs/numerics.md, 3.7).

use super::cache::LayerCache;
use super::layer::{BlockNorm, Layer};
use super::{Engine, VALUE_BITS};
use crate::fixed::bitlen;
use crate::kernel::portable::quantise;
use crate::kernel::{self, PANEL, TILE};

/// Positions whose weighted values fit a 32-bit sum: 2^15 · 2^9 · 128 = 2^31.
const VALUE_CHUNK: usize = 128;

/// Bits of a normed query or key before its rotation.
const NORMED_BITS: i32 = 29;

/// Buffers of one attention call.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    queries: Vec<i16>,
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
    /// First position.
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
        let group = self.shape.heads / self.shape.kv_heads;
        for kv in 0..self.shape.kv_heads {
            // (row, head) pairs that read the same keys.
            let queries: Vec<(usize, usize)> = (0..rows.exponents.len())
                .flat_map(|row| (kv * group..(kv + 1) * group).map(move |head| (row, head)))
                .collect();
            for tile in queries.chunks(TILE) {
                self.attend(
                    buffers,
                    layer,
                    cache,
                    kv,
                    tile,
                    rows.start,
                    rows.out,
                    rows.out_exponents,
                );
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
        let s = &self.shape;
        let dim = s.head_dim;
        let count = rows.exponents.len();
        buffers.queries.resize(count * s.queries(), 0);
        buffers.exponents.resize(count * s.heads, 0);
        let rotary = match &self.local_rotary {
            Some(local) if layer.local => Some(local),
            _ => self.rotary.as_ref(),
        };
        let mut packed = vec![0i16; dim];
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
                let at = row * s.heads + head;
                let out = &mut buffers.queries[at * dim..][..dim];
                buffers.exponents[at] = quantise(x, query_exponents[head], s.query_bits, out);
            }
            for (head, x) in keys.chunks_exact_mut(dim).enumerate() {
                if let Some(rotary) = rotary {
                    rotary.rotate(position, x);
                }
                let exponent = quantise(x, key_exponents[head], s.key_bits, &mut packed);
                cache.put_key(head, position, &packed, exponent);
            }
            for (head, x) in values.chunks_exact_mut(dim).take(s.kv_heads).enumerate() {
                let exponent = quantise(x, e, VALUE_BITS, &mut packed);
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
        let dim = self.shape.head_dim;
        wide.resize(y.len().max(wide.len()), 0);
        let wide = &mut wide[..y.len()];
        let block = if self.rules.per_head { dim } else { y.len() };
        for (part, (y, p)) in y.chunks(block).zip(wide.chunks_mut(block)).enumerate() {
            let own = norm.e + kernel::block_norm(self.kernel, y, e, &norm.g, norm.eps, p);
            exponents[part * block / dim..][..block / dim].fill(own);
        }
        let heads = y.chunks_exact_mut(dim).zip(wide.chunks_exact(dim));
        for ((y, p), e) in heads.zip(exponents) {
            *e = kernel::quantise_wide(self.kernel, p, *e, NORMED_BITS, y);
        }
    }

    /// Up to [`TILE`] queries of one key-value head.
    #[allow(clippy::too_many_arguments)]
    fn attend(
        &self,
        buffers: &mut Buffers,
        layer: &Layer,
        cache: &LayerCache,
        kv: usize,
        tile: &[(usize, usize)],
        start: usize,
        out: &mut [i64],
        out_exponents: &mut [i32],
    ) {
        let (heads, dim) = (self.shape.heads, self.shape.head_dim);
        // A row sees `first(row)..end(row)`; what is computed starts with a whole panel.
        let end = |row: usize| start + row + 1;
        let first = |row: usize| {
            layer
                .window
                .map_or(0, |window| end(row).saturating_sub(window))
        };
        let most = tile.iter().map(|&(row, _)| end(row)).max().unwrap_or(0);
        let base = tile.iter().map(|&(row, _)| first(row)).min().unwrap_or(0) / PANEL * PANEL;
        let room = (most - base).next_multiple_of(PANEL);
        let Buffers {
            queries,
            exponents,
            dots,
            weights,
            around,
            ..
        } = buffers;
        dots.resize(TILE * room, 0);
        weights.resize(TILE * room, 0);
        let query = |&(row, head): &(usize, usize)| &queries[(row * heads + head) * dim..][..dim];
        let mut rows: [&[i16]; TILE] = [&[]; TILE];
        for (slot, pair) in rows.iter_mut().zip(tile) {
            *slot = query(pair);
        }
        let rows = &rows[..tile.len()];
        let mut sums = [[0i32; PANEL]; TILE];
        let mut slot = cache.slot(base);
        for panel in 0..room / PANEL {
            kernel::panel_dots(
                self.kernel,
                cache.key_panel(kv, slot),
                dim / 2,
                rows,
                &mut sums,
            );
            slot += PANEL;
            if slot == cache.room() {
                slot = 0;
            }
            for (dots, sums) in dots.chunks_exact_mut(room).zip(&sums[..rows.len()]) {
                dots[panel * PANEL..][..PANEL].copy_from_slice(sums);
            }
        }
        let mut factors = [(0i64, 0i32); TILE];
        for (t, &(row, head)) in tile.iter().enumerate() {
            let (from, to) = (first(row), end(row));
            let (ek, ev) = cache.exponents(kv, from, to, around);
            let seen = from - base..to - base;
            let weights = &mut weights[t * room..][..room];
            let exponent = exponents[row * heads + head];
            let dots = &mut dots[t * room..][seen.clone()];
            weights[..seen.start].fill(0);
            weights[seen.end..].fill(0);
            let weights = &mut weights[seen];
            let (x, sum) = match self.rules.score_cap {
                None => kernel::attention_weights(self.kernel, dots, ek, ev, exponent, weights),
                Some(cap) => kernel::capped_attention_weights(
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
            factors[t] = (((1u64 << 52) / top) as i64, x - 35 - l);
        }
        for panel in 0..dim.div_ceil(PANEL) {
            let mut wide = [[0i64; PANEL]; TILE];
            let mut from = 0;
            while from < room {
                let slot = cache.slot(base + from);
                let n = (room - from).min(VALUE_CHUNK).min(cache.room() - slot);
                let mut rows: [&[i16]; TILE] = [&[]; TILE];
                for (t, row) in rows.iter_mut().enumerate().take(tile.len()) {
                    *row = &weights[t * room + from..][..n];
                }
                let rows = &rows[..tile.len()];
                kernel::panel_dots(
                    self.kernel,
                    cache.value_panel(kv, panel, slot),
                    n / 2,
                    rows,
                    &mut sums,
                );
                from += n;
                for (wide, sums) in wide.iter_mut().zip(&sums[..tile.len()]) {
                    for (wide, &sum) in wide.iter_mut().zip(sums) {
                        *wide += i64::from(sum);
                    }
                }
            }
            for (t, &(row, head)) in tile.iter().enumerate() {
                let at = row * heads + head;
                let (factor, exponent) = factors[t];
                out_exponents[at] = exponent;
                let out = &mut out[at * dim..][..dim][panel * PANEL..];
                for (out, &wide) in out.iter_mut().zip(&wide[t]) {
                    *out = wide * factor;
                }
            }
        }
    }
}
