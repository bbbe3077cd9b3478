//! Attention over the integer cache (docs/numerics.md, 3.7).

use super::cache::LayerCache;
use super::{Engine, VALUE_BITS};
use crate::fixed::bitlen;
use crate::kernel::portable::quantise;
use crate::kernel::{self, PANEL, TILE};

/// Positions whose weighted values fit a 32-bit sum: 2^15 · 2^9 · 128 = 2^31.
const VALUE_CHUNK: usize = 128;

/// Buffers of one attention call.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    queries: Vec<i16>,
    exponents: Vec<i32>,
    dots: Vec<i32>,
    weights: Vec<i16>,
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
    pub(crate) fn attention(&self, buffers: &mut Buffers, cache: &mut LayerCache, rows: Rows<'_>) {
        self.store(
            buffers,
            cache,
            rows.start,
            rows.qkv,
            rows.stride,
            rows.exponents,
        );
        let group = self.shape.heads / self.shape.kv_heads;
        for kv in 0..self.shape.kv_heads {
            // (row, head) pairs that read the same keys.
            let queries: Vec<(usize, usize)> = (0..rows.exponents.len())
                .flat_map(|row| (kv * group..(kv + 1) * group).map(move |head| (row, head)))
                .collect();
            for tile in queries.chunks(TILE) {
                self.attend(
                    buffers,
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

    /// Rotates, quantises and stores: queries into the buffers, keys and values into the cache.
    fn store(
        &self,
        buffers: &mut Buffers,
        cache: &mut LayerCache,
        start: usize,
        qkv: &mut [i32],
        stride: usize,
        exponents: &[i32],
    ) {
        let s = &self.shape;
        let dim = s.head_dim;
        let rows = exponents.len();
        buffers.queries.resize(rows * s.queries(), 0);
        buffers.exponents.resize(rows * s.heads, 0);
        let mut packed = vec![0i16; dim];
        for (row, (y, &e)) in qkv.chunks_exact_mut(stride).zip(exponents).enumerate() {
            let position = start + row;
            let (queries, rest) = y.split_at_mut(s.queries());
            let (keys, values) = rest.split_at_mut(s.keys());
            for (head, x) in queries.chunks_exact_mut(dim).enumerate() {
                self.rotary.rotate(position, x);
                let at = row * s.heads + head;
                let out = &mut buffers.queries[at * dim..][..dim];
                buffers.exponents[at] = quantise(x, e, s.query_bits, out);
            }
            for (head, x) in keys.chunks_exact_mut(dim).enumerate() {
                self.rotary.rotate(position, x);
                let exponent = quantise(x, e, s.key_bits, &mut packed);
                cache.put_key(head, position, &packed, exponent);
            }
            for (head, x) in values.chunks_exact_mut(dim).take(s.kv_heads).enumerate() {
                let exponent = quantise(x, e, VALUE_BITS, &mut packed);
                cache.put_value(head, position, &packed, exponent);
            }
        }
    }

    /// Up to [`TILE`] queries of one key-value head.
    #[allow(clippy::too_many_arguments)]
    fn attend(
        &self,
        buffers: &mut Buffers,
        cache: &LayerCache,
        kv: usize,
        tile: &[(usize, usize)],
        start: usize,
        out: &mut [i64],
        out_exponents: &mut [i32],
    ) {
        let (heads, dim) = (self.shape.heads, self.shape.head_dim);
        let visible = |row: usize| start + row + 1;
        let most = tile.iter().map(|&(row, _)| visible(row)).max().unwrap_or(0);
        let room = most.next_multiple_of(PANEL);
        let Buffers {
            queries,
            exponents,
            dots,
            weights,
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
        for panel in 0..room / PANEL {
            kernel::panel_dots(
                self.kernel,
                cache.key_panel(kv, panel),
                dim / 2,
                rows,
                &mut sums,
            );
            for (dots, sums) in dots.chunks_exact_mut(room).zip(&sums[..rows.len()]) {
                dots[panel * PANEL..][..PANEL].copy_from_slice(sums);
            }
        }
        let mut factors = [(0i64, 0i32); TILE];
        for (t, &(row, head)) in tile.iter().enumerate() {
            let n = visible(row);
            let (key_exponents, value_exponents) = cache.exponents(kv, n);
            let weights = &mut weights[t * room..][..room];
            let exponent = exponents[row * heads + head];
            let dots = &mut dots[t * room..][..n];
            let (x, sum) = kernel::attention_weights(
                self.kernel,
                dots,
                key_exponents,
                value_exponents,
                exponent,
                &mut weights[..n],
            );
            weights[n..].fill(0);
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
            for from in (0..most).step_by(VALUE_CHUNK) {
                let n = (room - from).min(VALUE_CHUNK);
                let mut rows: [&[i16]; TILE] = [&[]; TILE];
                for (t, row) in rows.iter_mut().enumerate().take(tile.len()) {
                    *row = &weights[t * room + from..][..n];
                }
                let rows = &rows[..tile.len()];
                kernel::panel_dots(
                    self.kernel,
                    cache.value_panel(kv, panel, from),
                    n / 2,
                    rows,
                    &mut sums,
                );
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
