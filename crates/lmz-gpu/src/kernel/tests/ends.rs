//! Embedding tables, and answers about a distribution.

use cubecl::prelude::*;
use lmz_coder::{Distribution, Shares};
use lmz_exact::parts::{Embedding, Rows, Softcap};
use lmz_exact::reference;
use lmz_exact::tables::sigmoid_table;

use super::super::ends::{ANSWER_WORDS, EmbedScalarsLaunch, SymbolScalarsLaunch, embed, symbols};
use super::super::reduce::UNITS;
use super::{Check, Random, on_devices, read, row};
use crate::buffer::Buffer;
use crate::weights::EmbedOn;

struct Tables {
    width: usize,
    shifted: bool,
}

impl Check for Tables {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self { width, shifted } = *self;
        let mut random = Random(width as u64);
        let entries = 9;
        let table = Embedding {
            rows: Rows {
                w: (0..entries * width)
                    .map(|_| random.signed(7) as i8)
                    .collect(),
                ..Rows::default()
            },
            m: (0..entries)
                .map(|i| {
                    if i == 0 {
                        i32::MAX
                    } else {
                        random.signed(31).unsigned_abs() as i32
                    }
                })
                .collect(),
            e: 0,
            c: (0..width)
                .map(|_| if shifted { random.below(21) as u8 } else { 0 })
                .collect(),
        };
        let on = EmbedOn::new(client, &table, width);
        // The last stands for all beyond it.
        let indices: Vec<u32> = vec![0, 5, 8, 9, u32::MAX];
        for e in [-60, -25, -3, 0, 20] {
            let before = row(&mut random, 0, indices.len() * width, 31);
            for add in [false, true] {
                let x = Buffer::new(client, &before);
                embed::launch::<R>(
                    client,
                    CubeCount::Static(indices.len() as u32, 1, 1),
                    CubeDim::new_1d(UNITS),
                    Buffer::new(client, &indices).arg(),
                    on.w.arg(),
                    on.m.arg(),
                    on.shifts.c.arg(),
                    x.arg(),
                    EmbedScalarsLaunch::new(width, on.words, e, on.rows - 1),
                    on.shifts.some(),
                    add,
                );
                let ours = read(client, &x, indices.len() * width);
                for (i, ours) in ours.iter().enumerate() {
                    let index = (indices[i / width] as usize).min(entries - 1);
                    let j = i % width;
                    let r =
                        i128::from(table.rows.w[index * width + j]) * i128::from(table.m[index]);
                    let shift = e + i32::from(table.c[j]);
                    let most = i128::from(i32::MAX);
                    let value = match shift {
                        0.. => r << shift,
                        _ => (r + (1 << (-shift - 1))) >> -shift,
                    };
                    let value = value.clamp(-most, most);
                    let sum = if add {
                        i128::from(before[i]) + value
                    } else {
                        value
                    };
                    assert_eq!(
                        i128::from(*ours),
                        sum.clamp(-most, most),
                        "{i} with {e}, {add}"
                    );
                }
            }
        }
    }
}

#[test]
fn embedding_tables() {
    for width in [1, 6, 200] {
        on_devices(Tables {
            width,
            shifted: false,
        });
        on_devices(Tables {
            width,
            shifted: true,
        });
    }
}

struct Asked {
    count: usize,
    escape_shift: u32,
    cap: Option<Softcap>,
}

impl Check for Asked {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self {
            count,
            escape_shift,
            cap,
        } = *self;
        let mut random = Random(count as u64);
        let rows = 12;
        let y: Vec<Vec<i32>> = (0..rows).map(|i| row(&mut random, i, count, 30)).collect();
        // From logits that are all alike to those that leave one symbol.
        let e: Vec<i32> = (0..rows as i32)
            .map(|i| [-50, -32, -28, -26, -16, 4][i as usize % 6])
            .collect();
        let (z, weights, largest): (Vec<_>, Vec<_>, Vec<_>) = distributions(&y, &e, cap);
        let shares = |r: usize| {
            let sum = weights[r].iter().map(|&w: &u32| u64::from(w)).sum();
            Shares::new(count, sum, escape_shift)
        };
        let ask = |queries: &[u32], search: bool| -> Vec<u64> {
            let answers = Buffer::<u64>::room(client, rows * ANSWER_WORDS);
            symbols::launch::<R>(
                client,
                CubeCount::Static(rows as u32, 1, 1),
                CubeDim::new_1d(UNITS),
                Buffer::new(client, &y.concat()).arg(),
                Buffer::new(client, &e).arg(),
                Buffer::new(client, queries).arg(),
                Buffer::new(client, &sigmoid_table()[..]).arg(),
                answers.arg(),
                SymbolScalarsLaunch::new(
                    count,
                    count.div_ceil(UNITS as usize),
                    u64::from(escape_shift),
                    cap.map_or(1, |cap| cap.inverse),
                    cap.map_or(1, |cap| cap.cap),
                ),
                search,
                cap.is_some(),
            );
            read(client, &answers, rows * ANSWER_WORDS)
        };
        let check = |r: usize, symbol: usize, answer: &[u64]| {
            let distribution = Distribution::new(&weights[r], escape_shift);
            let wanted = distribution.interval(symbol);
            assert_eq!(answer[0] as u32 as usize, symbol, "row {r}");
            assert_eq!(
                shares(r).interval(symbol, answer[1], answer[2]),
                wanted,
                "row {r}"
            );
            assert_eq!(
                answer[3],
                weights[r].iter().map(|&w| u64::from(w)).sum::<u64>(),
                "row {r}"
            );
            if symbol < count {
                let distance = i64::from(largest[r]) - i64::from(z[r][symbol]);
                assert_eq!((answer[0] >> 32) as i64, distance, "row {r}");
            }
        };
        for symbol in [0, 1, count / 2, count.saturating_sub(1), count] {
            let symbol = symbol.min(count);
            let answers = ask(&vec![symbol as u32; rows], false);
            for (r, answer) in answers.chunks(ANSWER_WORDS).enumerate() {
                check(r, symbol, answer);
            }
            // Both ends of its interval, and the points beside them.
            for offset in [0u32, 1, u32::MAX] {
                for end in [false, true] {
                    let points: Vec<u32> = (0..rows)
                        .map(|r| {
                            let own = Distribution::new(&weights[r], escape_shift).interval(symbol);
                            let at = if end {
                                own.start.wrapping_add(own.width)
                            } else {
                                own.start
                            };
                            at.wrapping_add(offset)
                        })
                        .collect();
                    let answers = ask(&points, true);
                    for (r, answer) in answers.chunks(ANSWER_WORDS).enumerate() {
                        let found = Distribution::new(&weights[r], escape_shift)
                            .find(points[r])
                            .0;
                        check(r, found, answer);
                    }
                }
            }
        }
    }
}

/// Logits, weights and the largest logit of every row.
#[allow(clippy::type_complexity)]
fn distributions(
    y: &[Vec<i32>],
    e: &[i32],
    cap: Option<Softcap>,
) -> (Vec<Vec<i32>>, Vec<Vec<u32>>, Vec<i32>) {
    let (mut zs, mut weights, mut largest) = (Vec::new(), Vec::new(), Vec::new());
    for (y, &e) in y.iter().zip(e) {
        let (mut z, mut w) = (vec![0; y.len()], vec![0; y.len()]);
        largest.push(match cap {
            None => reference::logits(y, e, &mut z, &mut w),
            Some(cap) => reference::capped_logits(y, e, cap, &mut z, &mut w),
        });
        zs.push(z);
        weights.push(w);
    }
    (zs, weights, largest)
}

#[test]
fn symbols_and_points() {
    let cap = Some(Softcap {
        inverse: 198_000_000,
        cap: 2_836_000,
    });
    for count in [1, 5, 127, 1000, 4099] {
        on_devices(Asked {
            count,
            escape_shift: 0,
            cap: None,
        });
        on_devices(Asked {
            count,
            escape_shift: 12,
            cap: if count > 100 { cap } else { None },
        });
    }
}
