//! Attention of version 2 of the numerics: values of 15 bits, and wide scores, of queries and keys of 22 bits, in
//! the layers that need them (docs/numerics.md, 3.16).
//!
//! Wide numbers are kept in planes of eight bits, so that products with a plane fit 32 bits; their sum is exact in
//! 64.

use super::attention::{Buffers, Tile};
use super::model::Engine;
use super::planes::{KEY_PLANES, LOWERED, sum};
use crate::kernel::{self, PANEL, TILE};

impl Engine {
    /// As [`Engine::dots`], of a layer with wide scores.
    pub(super) fn wide_dots(&self, buffers: &mut Buffers, tile: &Tile<'_>) {
        let (heads, dim) = (self.parts.shape.heads, self.parts.shape.head_dim);
        let Buffers {
            queries,
            low_queries,
            wide_dots,
            ..
        } = buffers;
        wide_dots.resize(TILE * tile.room, 0);
        let count = tile.pairs.len();
        let mut rows: [[&[i16]; TILE]; 2] = [[&[]; TILE]; 2];
        let mut missing = [0i64; TILE];
        for (t, &(row, head)) in tile.pairs.iter().enumerate() {
            let at = (row * heads + head) * dim;
            let (high, low) = (&queries[at..][..dim], &low_queries[at..][..dim]);
            (rows[0][t], rows[1][t]) = (high, low);
            // By what the low planes were lowered.
            missing[t] = (256 * sum(high) + sum(low)) * i64::from(LOWERED) * 257;
        }
        let cache = tile.cache;
        let mut slot = cache.slot(tile.base);
        let mut sums = [[0i32; PANEL]; TILE];
        for panel in 0..tile.room / PANEL {
            let mut exact = [[0i64; PANEL]; TILE];
            for plane in 0..KEY_PLANES {
                let keys = cache.key_plane(tile.kv, plane, slot);
                let soon = tile
                    .soon(panel)
                    .map_or(&[][..], |soon| cache.key_plane(tile.kv, plane, soon));
                for (half, (rows, soon)) in rows.iter().zip([soon, &[]]).enumerate() {
                    let rows = &rows[..count];
                    kernel::plane_dots(self.kernel, keys, soon, dim / 2, rows, &mut sums);
                    let shift = 8 * (KEY_PLANES - 1 - plane) + 8 * (1 - half);
                    for (exact, sums) in exact.iter_mut().zip(&sums[..count]) {
                        for (exact, &sum) in exact.iter_mut().zip(sums) {
                            *exact += i64::from(sum) << shift;
                        }
                    }
                }
            }
            let into = wide_dots.chunks_exact_mut(tile.room);
            for ((into, exact), missing) in into.zip(&exact[..count]).zip(missing) {
                for (into, exact) in into[panel * PANEL..][..PANEL].iter_mut().zip(exact) {
                    *into = exact + missing;
                }
            }
            slot += PANEL;
            if slot == cache.room() {
                slot = 0;
            }
        }
    }
}
