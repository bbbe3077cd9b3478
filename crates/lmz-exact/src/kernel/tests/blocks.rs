//! Layers in blocks (docs/numerics.md, 3.18): every kernel against the text.

use super::*;
use crate::prepared::{MAX_FACTOR, MAX_OFFSET};

/// What a layer in blocks is made of, and what goes into it.
struct Case {
    out: usize,
    k: usize,
    size: usize,
    half_bytes: bool,
    q: Vec<i8>,
    factors: Vec<i16>,
    offsets: Vec<i16>,
    m: Vec<i32>,
    x: Vec<Vec<i16>>,
}

impl Case {
    fn steps(&self) -> Steps<'_> {
        Steps {
            size: self.size,
            half_bytes: self.half_bytes,
            factors: &self.factors,
            offsets: &self.offsets,
        }
    }

    /// So many rows: of a few every number, of more those where kernels change their ways.
    fn counts(&self) -> impl Iterator<Item = usize> {
        let all = self.x.len();
        (1..=all).filter(move |&n| n < 20 || n == all || matches!(n, 31..34))
    }

    /// `y` of every kernel for 1 row to all of them, alone and by a team, against the text.
    fn check(&self, team: &mut Team) {
        let layer = Linear::in_blocks(&self.q, self.steps(), &self.m, self.k, 0, &[]);
        let of = |x: &Vec<i16>| text::block_linear(&self.q, self.steps(), &self.m, x);
        let text: Vec<Vec<i128>> = self.x.iter().map(of).collect();
        assert!(text.iter().flatten().all(|y| y.abs() < 1 << 30));
        let stride = self.k + 6;
        // What lies between the rows must not be read.
        let rows = self
            .x
            .iter()
            .flat_map(|x| x.iter().copied().chain([i16::MAX; 6]));
        let rows: Vec<i16> = rows.collect();
        for kernel in kernels() {
            for n in self.counts() {
                let mut y = vec![i32::MIN; n * layer.out_padded()];
                kernel.linear(&layer, &rows[..n * stride], stride, &mut y);
                for (t, (y, text)) in y.chunks_exact(layer.out_padded()).zip(&text).enumerate() {
                    let (y, padding) = y.split_at(self.out);
                    let Self { out, k, size, .. } = self;
                    assert_eq!(
                        wide(y),
                        *text,
                        "{kernel:?}, [{out}, {k}] by {size}, row {t} of {n}"
                    );
                    assert!(
                        padding.iter().all(|&y| y == 0),
                        "{kernel:?}: padding rows are not zero"
                    );
                }
                let (mut shared, mut low) = (vec![i32::MIN; y.len()], Vec::new());
                linear_and_low(
                    kernel,
                    &layer,
                    &rows,
                    stride,
                    &mut shared,
                    &mut low,
                    Some(team),
                );
                assert!(shared == y, "{kernel:?}: three threads");
            }
        }
    }
}

/// The largest integers, factors, offsets and activations of signs that agree and that do not, and values of all kinds.
#[test]
fn layers_in_blocks() {
    let (mut random, mut team) = (Random(12), Team::new(3).unwrap());
    for (k, out) in [
        (32, 1),
        (32, 40),
        (64, 16),
        (96, 17),
        (512, 33),
        (544, 16),
        (1536, 20),
        (8256, 5),
    ] {
        for (size, half_bytes) in [(32, true), (16, true), (32, false), (16, false)] {
            for kind in 0..6 {
                let blocks = out * (k / size);
                let sign = |n: u64| if n.is_multiple_of(2) { 1 } else { -1 };
                let mut draw = |n: usize, limit: i64| -> Vec<i64> {
                    match kind {
                        0 => vec![limit; n],
                        1 => vec![-limit; n],
                        2 => (0..n as u64).map(|i| limit * sign(i)).collect(),
                        3 => (0..n).map(|_| limit * sign(random.next())).collect(),
                        _ => random.values(n, limit),
                    }
                };
                // Integers of 4 bits reach -8.
                let (least, most) = if half_bytes { (-8, 7) } else { (-127, 127) };
                let q = draw(out * k, -least).into_iter();
                let q = q.map(|q| q.clamp(least, most) as i8).collect();
                let mut small = |n, limit: i16| -> Vec<i16> {
                    draw(n, limit.into())
                        .into_iter()
                        .map(|v| v as i16)
                        .collect()
                };
                let factors = small(blocks, MAX_FACTOR);
                let offsets = match kind {
                    5 => Vec::new(),
                    _ => small(blocks, MAX_OFFSET),
                };
                let rows = if kind % 2 == 0 && k < 600 { 50 } else { 7 };
                let x = (0..rows).map(|_| small(k, 32767)).collect();
                let m = draw(out, i32::MAX.into()).into_iter();
                let m = m.map(|m| m.abs() as i32).collect();
                let case = Case {
                    out,
                    k,
                    size,
                    half_bytes,
                    q,
                    factors,
                    offsets,
                    m,
                    x,
                };
                case.check(&mut team);
            }
        }
    }
}

/// The bounds of the text: the largest weights and activations of one sign.
#[test]
fn the_largest_sums_fit() {
    for (half_bytes, q) in [(true, -8), (false, -127)] {
        for k in [512, 1024, 1 << 14, (1 << 14) + 96] {
            let blocks = k / 32;
            let case = Case {
                out: 16,
                k,
                size: 32,
                half_bytes,
                q: vec![q; 16 * k],
                factors: vec![-MAX_FACTOR; 16 * blocks],
                offsets: vec![MAX_OFFSET; 16 * blocks],
                m: vec![i32::MAX; 16],
                // Enough for every way.
                x: (0..33)
                    .map(|row| vec![if row % 2 == 0 { 32767 } else { -32767 }; k])
                    .collect(),
            };
            let largest = text::block_linear(&case.q, case.steps(), &case.m, &case.x[0])[0];
            assert!(largest > 1 << 28);
            case.check(&mut Team::new(3).unwrap());
        }
    }
}
