//! Queries, keys, values, and attention.

use cubecl::prelude::*;
use lmz_exact::parts::Softcap;
use lmz_exact::reference;
use lmz_exact::tables::sigmoid_table;

use super::super::add::BlockNormScalarsLaunch;
use super::super::attention::{
    AttendScalarsLaunch, HeadNormScalarsLaunch, StoreScalarsLaunch, attend, norm_heads, store,
};
use super::super::reduce::UNITS;
use super::{Check, Random, halves, on_devices, read, row, words};
use crate::buffer::Buffer;

struct Norms {
    heads: usize,
    dim: usize,
    whole: bool,
}

impl Check for Norms {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self { heads, dim, whole } = *self;
        let mut random = Random((heads * dim) as u64);
        // Something before and behind the part that is normed.
        let (before, rows) = (dim, 6);
        let part = heads * dim;
        let width = before + part + dim;
        let y: Vec<Vec<i32>> = (0..rows).map(|i| row(&mut random, i, width, 30)).collect();
        let e: Vec<i32> = (0..rows).map(|_| random.range(-60, 10)).collect();
        let block = if whole { part } else { dim };
        let gains = random.i32s(block, 21);
        let (exponent, eps) = (random.range(-30, 5), (1 << 30, random.range(-90, 5)));
        let on_y = Buffer::new(client, &y.concat());
        let exponents = Buffer::<i32>::room(client, rows * (heads + 1));
        norm_heads::launch::<R>(
            client,
            CubeCount::Static((part / block) as u32, rows as u32, 1),
            CubeDim::new_1d(UNITS),
            on_y.arg(),
            Buffer::new(client, &e).arg(),
            Buffer::new(client, &gains).arg(),
            exponents.arg(),
            HeadNormScalarsLaunch::new(block, dim, width, before, 1, heads + 1),
            BlockNormScalarsLaunch::new(exponent, eps.0, eps.1),
        );
        let ours = read(client, &on_y, rows * width);
        let exponents = read(client, &exponents, rows * (heads + 1));
        for (i, (mut y, e)) in y.into_iter().zip(e).enumerate() {
            let mut expected = Vec::new();
            for y in y[before..before + part].chunks_mut(block) {
                let mut p = vec![0; block];
                let e = exponent + reference::block_norm(y, e, &gains, eps, &mut p);
                for (y, p) in y.chunks_mut(dim).zip(p.chunks(dim)) {
                    expected.push(reference::quantise_wide(p, e, 29, y));
                }
            }
            assert_eq!(ours[i * width..][..width], y, "row {i}");
            assert_eq!(
                exponents[i * (heads + 1) + 1..][..heads],
                expected,
                "row {i}"
            );
        }
    }
}

#[test]
fn norms_of_heads() {
    for (heads, dim) in [(1, 2), (3, 64), (2, 130)] {
        on_devices(Norms {
            heads,
            dim,
            whole: false,
        });
        on_devices(Norms {
            heads,
            dim,
            whole: true,
        });
    }
}

/// The sizes of an attention.
#[derive(Clone, Copy)]
struct Sizes {
    heads: usize,
    kv_heads: usize,
    dim: usize,
    rotated: usize,
    room: usize,
}

struct Store(Sizes);

const BITS: [i32; 3] = [13, 12, 9];

impl Check for Store {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Sizes {
            heads,
            kv_heads,
            dim,
            rotated,
            room,
        } = self.0;
        let mut random = Random(dim as u64);
        let (lanes, rows) = (3, 8);
        let all = heads + 2 * kv_heads;
        let y: Vec<Vec<i32>> = (0..rows * all)
            .map(|i| row(&mut random, i, dim, 30))
            .collect();
        let e: Vec<i32> = (0..rows).map(|_| random.range(-60, 10)).collect();
        let lane: Vec<u32> = (0..rows).map(|i| (i % lanes) as u32).collect();
        // Far beyond the slots: they are used in turns.
        let position: Vec<u32> = (0..rows)
            .map(|i| [0, 7, 5000, 130_000][i / 2] + i as u32)
            .collect();
        let turns: Vec<u32> = (0..rotated / 2).map(|_| random.next() as u32).collect();
        let slots = lanes * kv_heads * room;
        let queries = Buffer::<u32>::room(client, rows * heads * dim / 2);
        let query_exponents = Buffer::<i32>::room(client, rows * heads);
        let keys = Buffer::<u32>::room(client, slots * dim / 2);
        let values = Buffer::<u32>::room(client, slots * dim / 2);
        let (ke, ve) = (
            Buffer::<i32>::room(client, slots),
            Buffer::<i32>::room(client, slots),
        );
        store::launch::<R>(
            client,
            CubeCount::Static(all as u32, rows as u32, 1),
            CubeDim::new_1d(UNITS),
            Buffer::new(client, &y.concat()).arg(),
            Buffer::new(client, &e).arg(),
            Buffer::new(client, &e).arg(),
            Buffer::new(client, &lane).arg(),
            Buffer::new(client, &position).arg(),
            Buffer::new(client, &turns).arg(),
            queries.arg(),
            query_exponents.arg(),
            keys.arg(),
            ke.arg(),
            values.arg(),
            ve.arg(),
            StoreScalarsLaunch::new(
                heads, kv_heads, dim, rotated, room, BITS[0], BITS[1], BITS[2],
            ),
            false,
        );
        let queries = halves(&read(client, &queries, rows * heads * dim / 2));
        let query_exponents = read(client, &query_exponents, rows * heads);
        let keys = halves(&read(client, &keys, slots * dim / 2));
        let values = halves(&read(client, &values, slots * dim / 2));
        let (ke, ve) = (read(client, &ke, slots), read(client, &ve, slots));
        for (i, vector) in y.iter().enumerate() {
            let (r, head) = (i / all, i % all);
            let is_value = head >= heads + kv_heads;
            let turned = if is_value {
                vector.clone()
            } else {
                rotate(vector, &turns, position[r])
            };
            let kind = usize::from(head >= heads) + usize::from(is_value);
            let mut expected = vec![0i16; dim];
            let exponent = reference::quantise(&turned, e[r], BITS[kind], &mut expected);
            let at = |head: usize| {
                (lane[r] as usize * kv_heads + head) * room + position[r] as usize % room
            };
            let (ours, own) = match kind {
                0 => (
                    &queries[(r * heads + head) * dim..],
                    query_exponents[r * heads + head],
                ),
                1 => (&keys[at(head - heads) * dim..], ke[at(head - heads)]),
                _ => {
                    let slot = at(head - heads - kv_heads);
                    (&values[slot * dim..], ve[slot])
                }
            };
            assert_eq!(
                (own, &ours[..dim]),
                (exponent, &expected[..]),
                "row {r}, head {head}"
            );
        }
    }
}

/// docs/numerics.md, 3.6.
fn rotate(y: &[i32], turns: &[u32], position: u32) -> Vec<i32> {
    let mut out = y.to_vec();
    let half = turns.len();
    for (i, turn) in turns.iter().enumerate() {
        let (cos, sin) = reference::cos_sin(position.wrapping_mul(*turn));
        let (a, b) = (i64::from(y[i]), i64::from(y[i + half]));
        let (cos, sin) = (i64::from(cos), i64::from(sin));
        out[i] = ((a * cos - b * sin + (1 << 29)) >> 30) as i32;
        out[i + half] = ((b * cos + a * sin + (1 << 29)) >> 30) as i32;
    }
    out
}

#[test]
fn queries_keys_and_values() {
    let sizes = Sizes {
        heads: 3,
        kv_heads: 1,
        dim: 6,
        rotated: 6,
        room: 17,
    };
    on_devices(Store(sizes));
    on_devices(Store(Sizes {
        heads: 4,
        kv_heads: 2,
        dim: 64,
        rotated: 32,
        ..sizes
    }));
    on_devices(Store(Sizes {
        heads: 1,
        dim: 512,
        rotated: 0,
        room: 40,
        ..sizes
    }));
}

struct Attend {
    sizes: Sizes,
    window: usize,
    cap: Option<Softcap>,
}

impl Check for Attend {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self { sizes, window, cap } = *self;
        let Sizes {
            heads,
            kv_heads,
            dim,
            room,
            ..
        } = sizes;
        let mut random = Random((dim + window) as u64);
        let lanes = 2;
        let position = [0u32, 1, 40, 299];
        let rows = position.len();
        let lane: Vec<u32> = (0..rows as u32).map(|i| i % 2).collect();
        let slots = lanes * kv_heads * room;
        let vector = |random: &mut Random, kind: usize, bits: u32| -> Vec<i16> {
            let values = row(random, kind, dim, bits);
            values.iter().map(|&x| x as i16).collect()
        };
        // Whole bits only where a product of all extremes fits, as the engine's bounds see to.
        let bits = (30 - dim.next_power_of_two().trailing_zeros()) / 2;
        let queries: Vec<Vec<i16>> = (0..rows * heads)
            .map(|i| vector(&mut random, i, bits))
            .collect();
        let keys: Vec<Vec<i16>> = (0..slots)
            .map(|i| vector(&mut random, i / 3, bits))
            .collect();
        let values: Vec<Vec<i16>> = (0..slots).map(|i| vector(&mut random, i / 5, 9)).collect();
        let exponents = |random: &mut Random, vectors: &[Vec<i16>], low, high| -> Vec<i32> {
            let of = |v: &Vec<i16>| match v.iter().all(|&v| v == 0) {
                true => -(1 << 16),
                false => random.range(low, high),
            };
            vectors.iter().map(of).collect()
        };
        let qe = exponents(&mut random, &queries, -25, -5);
        let ke = exponents(&mut random, &keys, -20, 0);
        let ve = exponents(&mut random, &values, -60, 20);
        let pack =
            |vectors: &[Vec<i16>]| -> Vec<u32> { vectors.iter().flat_map(|v| words(v)).collect() };
        let span = if window > 0 { window } else { room };
        let out = Buffer::<i64>::room(client, rows * heads * dim);
        let oe = Buffer::<i32>::room(client, rows * heads);
        attend::launch::<R>(
            client,
            CubeCount::Static(heads as u32, rows as u32, 1),
            CubeDim::new_1d(UNITS),
            Buffer::new(client, &pack(&queries)).arg(),
            Buffer::new(client, &qe).arg(),
            Buffer::new(client, &pack(&keys)).arg(),
            Buffer::new(client, &ke).arg(),
            Buffer::new(client, &pack(&values)).arg(),
            Buffer::new(client, &ve).arg(),
            Buffer::new(client, &lane).arg(),
            Buffer::new(client, &position).arg(),
            Buffer::new(client, &sigmoid_table()[..]).arg(),
            Buffer::<i32>::room(client, rows * heads * span).arg(),
            out.arg(),
            oe.arg(),
            AttendScalarsLaunch::new(
                heads,
                kv_heads,
                dim,
                room,
                window,
                span,
                cap.map_or(1, |cap| cap.inverse),
                cap.map_or(1, |cap| cap.cap),
            ),
            cap.is_some(),
        );
        let (out, oe) = (
            read(client, &out, rows * heads * dim),
            read(client, &oe, rows * heads),
        );
        for r in 0..rows {
            for head in 0..heads {
                let at = r * heads + head;
                let kv = head / (heads / kv_heads);
                let base = (lane[r] as usize * kv_heads + kv) * room;
                let end = position[r] as usize + 1;
                let first = if window > 0 {
                    end.saturating_sub(window)
                } else {
                    0
                };
                let seen: Vec<usize> = (first..end).map(|p| base + p % room).collect();
                let (ek, ev): (Vec<_>, Vec<_>) = seen.iter().map(|&s| (ke[s], ve[s])).unzip();
                let dot = |&slot: &usize| -> i32 {
                    let products = queries[at].iter().zip(&keys[slot]);
                    products.map(|(&q, &k)| i32::from(q) * i32::from(k)).sum()
                };
                let mut dots: Vec<i32> = seen.iter().map(dot).collect();
                let mut w = vec![0; seen.len()];
                let (x, sum) = match cap {
                    None => reference::attention_weights(&mut dots, &ek, &ev, qe[at], &mut w),
                    Some(cap) => reference::capped_attention_weights(
                        &mut dots, &ek, &ev, qe[at], cap, &mut w,
                    ),
                };
                let l = 64 - sum.leading_zeros() as i32;
                let top = if l <= 32 {
                    sum << (32 - l)
                } else {
                    sum >> (l - 32)
                };
                let factor = ((1u64 << 52) / top) as i64;
                let expected: Vec<i64> = (0..dim)
                    .map(|i| {
                        let terms = seen.iter().zip(&w);
                        let total: i64 = terms
                            .map(|(&s, &w)| i64::from(w) * i64::from(values[s][i]))
                            .sum();
                        total * factor
                    })
                    .collect();
                assert_eq!(oe[at], x - 35 - l, "row {r}, head {head}");
                assert_eq!(out[at * dim..][..dim], expected, "row {r}, head {head}");
            }
        }
    }
}

#[test]
fn attention() {
    let sizes = Sizes {
        heads: 4,
        kv_heads: 2,
        dim: 64,
        rotated: 0,
        room: 300,
    };
    let cap = Some(Softcap {
        inverse: 119_080_000,
        cap: 4_728_000,
    });
    on_devices(Attend {
        sizes,
        window: 0,
        cap: None,
    });
    on_devices(Attend {
        sizes,
        window: 0,
        cap,
    });
    on_devices(Attend {
        sizes: Sizes { room: 50, ..sizes },
        window: 33,
        cap: None,
    });
    on_devices(Attend {
        sizes: Sizes {
            heads: 3,
            kv_heads: 1,
            dim: 6,
            ..sizes
        },
        window: 0,
        cap: None,
    });
    on_devices(Attend {
        sizes: Sizes {
            heads: 1,
            kv_heads: 1,
            dim: 512,
            ..sizes
        },
        window: 0,
        cap: None,
    });
}
