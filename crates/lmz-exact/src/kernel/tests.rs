//! Every kernel of every instruction set of this machine against the text of docs/numerics.md, bit for
//! bit, at the bounds that the text names. The test profile checks for overflow on the way.

mod blocks;
mod families;
mod vectors;

use super::portable::quantise;
use super::*;
use crate::tables::{cos_sin, sigmoid_table};
use crate::team::Team;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in -limit..=limit.
    fn within(&mut self, limit: i64) -> i64 {
        (self.next() % (2 * limit as u64 + 1)) as i64 - limit
    }

    /// As [`Random::within`], of all magnitudes alike, with its extremes and zero often among them.
    fn wild(&mut self, limit: i64) -> i64 {
        match self.next() % 12 {
            0 => limit,
            1 => -limit,
            2 => 0,
            _ => self.within(limit) >> (self.next() % 64),
        }
    }

    /// Values of one of many kinds: all extreme, all zero, small, wild.
    fn values(&mut self, n: usize, limit: i64) -> Vec<i64> {
        let kind = self.next() % 7;
        let small = limit >> (self.next() % 64);
        (0..n)
            .map(|_| match kind {
                0 => limit,
                1 => -limit,
                2 => [limit, -limit][self.next() as usize % 2],
                3 => 0,
                4 => self.within(small.max(1)),
                _ => self.wild(limit),
            })
            .collect()
    }

    fn i32s(&mut self, n: usize, limit: i32) -> Vec<i32> {
        self.values(n, limit.into())
            .into_iter()
            .map(|x| x as i32)
            .collect()
    }
}

fn kernels() -> Vec<Kernel> {
    let kernels: Vec<Kernel> = Isa::available()
        .into_iter()
        .filter_map(Kernel::new)
        .collect();
    assert_eq!(kernels[0].isa(), Isa::Scalar);
    kernels
}

fn silu() -> Nonlinearity {
    Nonlinearity::Gate(crate::tables::padded_sigmoid_table())
}

fn wide<T: Copy + Into<i128>>(values: &[T]) -> Vec<i128> {
    values.iter().map(|&value| value.into()).collect()
}

const SIZES: [usize; 12] = [1, 2, 3, 7, 8, 15, 16, 17, 24, 40, 192, 515];

/// `y` of every kernel for 1 to 13 rows against the text.
fn check_linear(w: &[i8], m: &[i32], k: usize, x: &[Vec<i16>]) {
    check_fine(w, m, &[], &[], k, x);
}

/// As [`check_linear`], with low planes of some rows.
fn check_fine(w: &[i8], m: &[i32], fine: &[u32], low: &[i8], k: usize, x: &[Vec<i16>]) {
    let mut layer = Linear::new(w, m, k, 0, &[]);
    layer.refine(fine.to_vec(), low);
    let of = |x: &Vec<i16>| text::fine_linear(w, m, fine, low, x);
    let text: Vec<Vec<i128>> = x.iter().map(of).collect();
    assert!(text.iter().flatten().all(|y| y.abs() < 1 << 30));
    // A stride beyond what is read, filled with what must not be.
    let stride = 2 * layer.pairs() + 6;
    let rows = x.iter().flat_map(|x| {
        let zeros = 2 * layer.pairs() - k;
        x.iter()
            .copied()
            .chain(std::iter::repeat_n(0, zeros))
            .chain([i16::MAX; 6])
    });
    let rows: Vec<i16> = rows.collect();
    let mut buffer = Vec::new();
    let mut team = Team::new(3).unwrap();
    for kernel in kernels() {
        for n in 1..=x.len() {
            let mut y = vec![i32::MIN; n * layer.out_padded()];
            let x = &rows[..n * stride];
            linear_with_fine(kernel, &layer, x, stride, &mut y, &mut buffer);
            for (t, (y, text)) in y.chunks_exact(layer.out_padded()).zip(&text).enumerate() {
                let (y, padding) = y.split_at(layer.out);
                assert_eq!(
                    wide(y),
                    *text,
                    "{kernel:?}, [{}, {k}], row {t} of {n}",
                    layer.out
                );
                assert!(
                    padding.iter().all(|&y| y == 0),
                    "{kernel:?}: padding rows are not zero"
                );
            }
            let mut shared = vec![i32::MIN; y.len()];
            let mut low = vec![i32::MIN; n * layer.low_padded()];
            let team = Some(&mut team);
            linear_and_low(kernel, &layer, x, stride, &mut shared, &mut low, team);
            add_low(kernel, &layer, &mut shared, &low);
            assert!(
                shared == y,
                "{kernel:?}, [{}, {k}]: three threads",
                layer.out
            );
        }
    }
}

#[test]
fn linear_layers() {
    let mut random = Random(1);
    for k in [1, 2, 15, 16, 511, 512, 513, 1024, 1025, 3000] {
        for out in [1, 15, 16, 17, 100] {
            for extreme in [false, true] {
                let mut draw = |n: usize, limit: i64| -> Vec<i64> {
                    // One sign throughout, or signs that agree between weights and activations: the largest sums.
                    if extreme {
                        vec![limit; n]
                    } else {
                        (0..n).map(|_| random.wild(limit)).collect()
                    }
                };
                let w: Vec<i8> = draw(out * k, 127).into_iter().map(|w| w as i8).collect();
                let m: Vec<i32> = draw(out, i32::MAX.into())
                    .into_iter()
                    .map(|m| m.abs() as i32)
                    .collect();
                // More than two tiles of rows, too.
                let rows = if k < 512 { 35 } else { 13 };
                let x: Vec<Vec<i16>> = (0..rows)
                    .map(|t| {
                        let sign = if extreme && t % 2 == 1 { -1 } else { 1 };
                        draw(k, 32767)
                            .into_iter()
                            .map(|x| (sign * x) as i16)
                            .collect()
                    })
                    .collect();
                check_linear(&w, &m, k, &x);
            }
        }
    }
}

#[test]
fn rows_of_more_sums_than_32_bits_hold() {
    for sign in [1, -1] {
        let (k, out) = (70_001, 3);
        let x = vec![vec![32767 * sign; k]; 6];
        check_linear(&vec![127; k * out], &[i32::MAX; 3], k, &x);
    }
}

#[test]
fn signs_that_agree_and_that_alternate() {
    let mut random = Random(2);
    for k in [2, 513, 1025] {
        let x: Vec<i16> = (0..k)
            .map(|_| [32767, -32767][random.next() as usize % 2])
            .collect();
        let agree = x.iter().map(|&x| if x > 0 { 127i8 } else { -127 });
        let w: Vec<i8> = agree
            .clone()
            .chain(agree.clone().map(|w| -w))
            .chain(agree.rev())
            .collect();
        check_linear(&w, &[i32::MAX, i32::MAX, 1], k, &vec![x; 7]);
    }
}

/// Weights of all 16 bits, 256 · 127 + 127, with activations of all 15: the sums are the largest that there can be.
#[test]
fn fine_rows() {
    let mut random = Random(5);
    for k in [1, 2, 17, 512, 513, 1024, 3000] {
        for out in [1, 16, 40] {
            for (fine, extreme) in [(1, true), (2, true), (1, false), (3, false)] {
                let rows: Vec<u32> = (0..out as u32).filter(|row| row % fine == 0).collect();
                let mut draw = |n: usize, limit: i64| -> Vec<i64> {
                    match extreme {
                        true => vec![limit; n],
                        false => random.values(n, limit),
                    }
                };
                let mut bytes = |n| -> Vec<i8> { draw(n, 127).iter().map(|&w| w as i8).collect() };
                let (w, low) = (bytes(out * k), bytes(rows.len() * k));
                let m = draw(out, i32::MAX.into()).into_iter();
                let m: Vec<i32> = m.map(|m| m.abs() as i32).collect();
                let x: Vec<Vec<i16>> = (0..7)
                    .map(|t| {
                        let sign = if t % 2 == 1 { -1 } else { 1 };
                        let x = draw(k, 32767).into_iter();
                        x.map(|x| (sign * x) as i16).collect()
                    })
                    .collect();
                check_fine(&w, &m, &rows, &low, k, &x);
            }
        }
    }
}

#[test]
fn panels_of_attention() {
    let mut random = Random(3);
    // (columns, bound of the panel, bound of a row): keys and queries by head size, values and weights.
    for (columns, panel_limit, row_limit) in [
        (2, 32767, 32767),
        (6, 8191, 16383),
        (32, 8191, 8191),
        (64, 4095, 8191),
        (512, 2047, 2047),
        (128, 511, 32767),
    ] {
        for rows in 0..=TILE {
            for _ in 0..6 {
                let panel: Vec<i16> = random
                    .values(columns * PANEL, panel_limit)
                    .into_iter()
                    .map(|v| v as i16)
                    .collect();
                let x: Vec<Vec<i16>> = (0..rows)
                    .map(|_| {
                        random
                            .values(columns, row_limit)
                            .into_iter()
                            .map(|v| v as i16)
                            .collect()
                    })
                    .collect();
                let x: Vec<&[i16]> = x.iter().map(Vec::as_slice).collect();
                for kernel in kernels() {
                    let mut out = [[i32::MIN; PANEL]; TILE];
                    panel_dots(kernel, &panel, &panel, columns / 2, &x, &mut out);
                    for (out, x) in out.iter().zip(&x) {
                        for (r, &dot) in out.iter().enumerate() {
                            let term = |j: usize| {
                                i128::from(panel[j / 2 * PANEL * 2 + 2 * r + j % 2])
                                    * i128::from(x[j])
                            };
                            assert_eq!(
                                i128::from(dot),
                                (0..columns).map(term).sum(),
                                "{kernel:?}, {columns} columns"
                            );
                        }
                    }
                    assert!(
                        out[rows..].iter().flatten().all(|&dot| dot == i32::MIN),
                        "{kernel:?} wrote too much"
                    );
                }
            }
        }
    }
}

#[test]
fn norms() {
    let mut random = Random(4);
    for size in SIZES.into_iter().chain([1 << 15]) {
        for _ in 0..if size > 1000 { 10 } else { 60 } {
            let (x, g) = (
                random.i32s(size, i32::MAX),
                random.i32s(size, (1 << 21) - 1),
            );
            let eps = [0, 1, 63, 1 << 40, 1 << 62, random.next() >> 3][random.next() as usize % 6];
            let (text, exponent) = text::rms_norm(&x, &g, eps);
            for kernel in kernels() {
                let mut p = vec![i64::MIN; size];
                assert_eq!(
                    rms_norm(kernel, &x, &g, eps, &mut p),
                    exponent,
                    "{kernel:?}, {size}"
                );
                assert_eq!(wide(&p), text, "{kernel:?}, {size}, eps {eps}");
            }
        }
    }
}

#[test]
fn activation_blocks() {
    let mut random = Random(5);
    for size in SIZES {
        for round in 0..120 {
            let groups = if size % 8 == 0 {
                [1, 2, 4, 8][round % 4]
            } else {
                1
            };
            let limit = (1i64 << 62) >> (random.next() % 62);
            let part = size / groups;
            let p: Vec<i64> = (0..groups)
                .flat_map(|_| random.values(part, limit))
                .collect();
            let spread = [0, 3, 20, 80, 5000, 70_000][round % 6];
            let exponents: Vec<i32> = (0..groups).map(|_| random.within(spread) as i32).collect();
            let c: Vec<u8> = match round % 3 {
                0 => Vec::new(),
                1 => (0..size).map(|_| (random.next() % 21) as u8).collect(),
                _ => (0..size)
                    .map(|j| if j == size / 2 { 20 } else { 0 })
                    .collect(),
            };
            let (text, exponent) = text::activations(&wide(&p), &exponents, &c);
            for kernel in kernels() {
                let (mut p, mut out) = (p.clone(), vec![i16::MIN; size + 3]);
                assert_eq!(
                    activations(kernel, &mut p, &exponents, &c, &mut out),
                    exponent,
                    "{kernel:?}, {size}"
                );
                assert_eq!(
                    wide(&out[..size]),
                    text,
                    "{kernel:?}, {size}, {exponents:?}, {c:?}"
                );
                assert!(out[size..].iter().all(|&x| x == 0), "{kernel:?}: padding");
            }
        }
    }
}

#[test]
fn residual_sums_and_logits() {
    let mut random = Random(6);
    for size in SIZES {
        for shift in (-70..=40).chain([-2000, -300, 300, 2000]) {
            let (x, y) = (
                random.i32s(size, i32::MAX),
                random.i32s(size, (1 << 30) - 1),
            );
            let sums = text::add_residual(&x, &y, shift);
            let (z, weights) = text::logits(&y, shift - 16);
            for kernel in kernels() {
                let mut ours = x.clone();
                add_residual(kernel, &mut ours, &y, shift);
                assert_eq!(wide(&ours), sums, "{kernel:?}, {size}, shift {shift}");
                let (mut our_z, mut our_weights) = (vec![i32::MIN; size], vec![u32::MAX; size]);
                let max = logits(kernel, &y, shift - 16, &mut our_z, &mut our_weights);
                assert_eq!(wide(&our_z), z, "{kernel:?}, {size}, shift {shift}");
                assert_eq!(
                    wide(&our_weights),
                    weights,
                    "{kernel:?}, {size}, shift {shift}"
                );
                assert_eq!(i128::from(max), *z.iter().max().unwrap());
            }
        }
    }
}

#[test]
fn gates() {
    let (mut random, table) = (Random(7), text::sigmoid_table());
    assert_eq!(wide(sigmoid_table().as_slice()), table);
    for size in SIZES {
        for e in (-60..=20).chain([-2000, -500, 500, 2000]) {
            let (gate, up) = (
                random.i32s(size, (1 << 30) - 1),
                random.i32s(size, (1 << 30) - 1),
            );
            let (text, exponent) = text::gated(&table, &gate, &up, e);
            for kernel in kernels() {
                let mut p = vec![i64::MIN; size];
                assert_eq!(gated_by(kernel, silu(), &gate, &up, e, &mut p), exponent);
                assert_eq!(wide(&p), text, "{kernel:?}, {size}, e {e}");
            }
        }
    }
}

#[test]
fn attention_weights_of_all_kinds() {
    let mut random = Random(8);
    for round in 0..3000 {
        let n = 1 + (random.next() % [1, 7, 40, 200][round % 4]) as usize;
        let dots = random.i32s(n, i32::MAX);
        let spread = [0, 2, 12, 40, 2000][random.next() as usize % 5];
        let centre = [-46, -30, -16, 0, 20][random.next() as usize % 5];
        let mut exponents = |centre: i64| -> Vec<i32> {
            // Zero vectors have an exponent of their own.
            let zero = |random: &mut Random| random.next().is_multiple_of(9);
            (0..n)
                .map(|_| {
                    if zero(&mut random) {
                        -(1 << 16)
                    } else {
                        (centre + random.within(spread)) as i32
                    }
                })
                .collect()
        };
        let (ek, ev) = (exponents(0), exponents(-20));
        let eq = [centre, -(1 << 16)][usize::from(round % 29 == 0)];
        let (w, x, sum) = text::attention_weights(&dots, &ek, &ev, eq);
        for kernel in kernels() {
            let (mut dots, mut ours) = (dots.clone(), vec![i16::MIN; n]);
            let (our_x, our_sum) = attention_weights(kernel, &mut dots, &ek, &ev, eq, &mut ours);
            assert_eq!(
                (our_x, i128::from(our_sum)),
                (x, sum),
                "{kernel:?}: X and the sum"
            );
            assert_eq!(wide(&ours), w, "{kernel:?}, {ek:?}, {ev:?}, {eq}");
        }
    }
}

#[test]
fn blocks_of_heads() {
    let mut random = Random(9);
    for bits in [9, 11, 13, 15] {
        for size in SIZES {
            for _ in 0..40 {
                // One below 2^31 even after the rotation.
                let limit = i32::MAX >> (random.next() % 31);
                let (p, e) = (random.i32s(size, limit), random.within(3000) as i32);
                let (text, exponent) = text::quantise(&wide(&p), e, bits);
                let mut out = vec![i16::MIN; size];
                assert_eq!(quantise(&p, e, bits, &mut out), exponent);
                assert_eq!(wide(&out), text);
            }
        }
    }
}

#[test]
fn phases_and_powers() {
    let mut random = Random(10);
    for i in 0..20_000u32 {
        let x = if i < 64 {
            (i / 4) << 30 | (i % 4).wrapping_sub(2) >> 2
        } else {
            random.next() as u32
        };
        let (cos, sin) = cos_sin(x);
        assert_eq!((cos.into(), sin.into()), text::cos_sin(x), "phase {x}");
        let distance = x >> (i % 16);
        assert_eq!(
            i128::from(lmz_coder::exp2_weight(distance)),
            text::exp2(distance),
            "exp2 {distance}"
        );
    }
}
