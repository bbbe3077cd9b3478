//! Norms with what is around them, additions to the residual stream, and the rotation-free parts.

use cubecl::prelude::*;
use lmz_exact::reference;

use super::super::add::{BlockNormScalarsLaunch, add};
use super::super::norm::{EnterKind, EnterScalarsLaunch, NormKind, enter};
use super::super::reduce::UNITS;
use super::{Check, Random, halves, on_devices, read, row};
use crate::buffer::Buffer;

const RESIDUAL_BITS: i32 = 12;
const ROWS: usize = 8;

struct Enter {
    width: usize,
    kind: EnterKind,
    eps: u64,
}

impl Check for Enter {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self { width, kind, eps } = *self;
        let mut random = Random(width as u64);
        let x: Vec<Vec<i32>> = (0..ROWS).map(|i| row(&mut random, i, width, 31)).collect();
        let y: Vec<Vec<i32>> = (0..ROWS)
            .map(|i| row(&mut random, i / 2, width, 30))
            .collect();
        let ye: Vec<i32> = (0..ROWS).map(|_| random.range(-60, 10)).collect();
        let gains = random.i32s(width, 21);
        let (exponent, bias_exponent) = (random.range(-30, 5), random.range(-60, 5));
        let bias = random.i32s(width, 29);
        let shifts: Vec<u8> = (0..width)
            .map(|_| {
                if kind.shifted {
                    random.below(21) as u8
                } else {
                    0
                }
            })
            .collect();
        let most = shifts.iter().copied().max().unwrap_or(0);
        let (eps_here, eps_shift) = match kind.norm {
            NormKind::Layer => {
                let wide = u128::from(eps) * (width * width) as u128;
                let shift = ((128 - wide.leading_zeros() as i32 - 61) >> 1).max(0);
                ((wide >> (2 * shift)) as u64, shift)
            }
            _ => (eps, 0),
        };
        // The rows in another order.
        let which: Vec<u32> = (0..ROWS as u32).rev().collect();
        let stride = 2 * width.div_ceil(4);
        let wide: Vec<i32> = shifts.iter().map(|&c| c.into()).collect();
        let on_x = Buffer::new(client, &x.concat());
        let a = Buffer::<u32>::room(client, ROWS * stride);
        let ae = Buffer::<i32>::room(client, ROWS);
        enter::launch::<R>(
            client,
            CubeCount::Static(ROWS as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            on_x.arg(),
            Buffer::new(client, &y.concat()).arg(),
            Buffer::new(client, &ye).arg(),
            Buffer::new(client, &which).arg(),
            Buffer::new(client, &gains).arg(),
            Buffer::new(client, &bias).arg(),
            Buffer::new(client, &wide).arg(),
            a.arg(),
            ae.arg(),
            EnterScalarsLaunch::new(
                width,
                stride,
                RESIDUAL_BITS,
                eps_here,
                eps_shift,
                exponent,
                bias_exponent,
                most.into(),
            ),
            kind,
        );
        let (on_x, a) = (
            read(client, &on_x, ROWS * width),
            read(client, &a, ROWS * stride),
        );
        let ae = read(client, &ae, ROWS);
        for (i, &from) in which.iter().enumerate() {
            let from = from as usize;
            let mut x = x[from].clone();
            if kind.add {
                reference::add_residual(&mut x, &y[from], ye[from] + RESIDUAL_BITS);
            }
            assert_eq!(
                on_x[from * width..][..width],
                x,
                "{kind:?} {width}: row {from}"
            );
            let mut p: Vec<i64> = x.iter().map(|&x| x.into()).collect();
            let mut e = match kind.norm {
                NormKind::None => -RESIDUAL_BITS,
                NormKind::Rms => exponent + reference::rms_norm(&x, &gains, eps, &mut p),
                NormKind::Layer => exponent + reference::layer_norm(&x, &gains, eps, &mut p),
            };
            if kind.biased {
                e = reference::add_bias_wide(&mut p, e, &bias, bias_exponent);
            }
            let mut expected = vec![0i16; 2 * stride];
            let shifts = if kind.shifted { &shifts[..] } else { &[] };
            let e = reference::activations(&mut p, &[e], shifts, &mut expected);
            let ours = halves(&a[i * stride..][..stride]);
            assert_eq!((ae[i], ours), (e, expected), "{kind:?} {width}: row {from}");
        }
    }
}

#[test]
fn norms_and_their_activations() {
    let plain = EnterKind {
        norm: NormKind::Rms,
        add: true,
        biased: false,
        shifted: false,
    };
    let kinds = [
        plain,
        EnterKind {
            shifted: true,
            ..plain
        },
        EnterKind {
            norm: NormKind::Layer,
            biased: true,
            ..plain
        },
        EnterKind {
            norm: NormKind::Layer,
            add: false,
            shifted: true,
            ..plain
        },
        EnterKind {
            norm: NormKind::None,
            add: false,
            ..plain
        },
    ];
    for kind in kinds {
        for (width, eps) in [(1, 0), (15, 1), (192, 1 << 20), (1030, 1 << 62)] {
            on_devices(Enter { width, kind, eps });
        }
    }
}

struct Add {
    width: usize,
    normed: bool,
}

impl Check for Add {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self { width, normed } = *self;
        let mut random = Random(3 + width as u64);
        let x: Vec<Vec<i32>> = (0..ROWS).map(|i| row(&mut random, i, width, 31)).collect();
        let y: Vec<Vec<i32>> = (0..ROWS)
            .map(|i| row(&mut random, i / 2, width, 30))
            .collect();
        let ye: Vec<i32> = (0..ROWS).map(|_| random.range(-60, 10)).collect();
        let gains = random.i32s(width, 21);
        let (exponent, eps) = (random.range(-30, 5), (1 << 30, random.range(-90, 5)));
        let on_x = Buffer::new(client, &x.concat());
        add::launch::<R>(
            client,
            CubeCount::Static(ROWS as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            on_x.arg(),
            Buffer::new(client, &y.concat()).arg(),
            Buffer::new(client, &ye).arg(),
            Buffer::new(client, &gains).arg(),
            width,
            RESIDUAL_BITS,
            BlockNormScalarsLaunch::new(exponent, eps.0, eps.1),
            normed,
        );
        let mut expected = x;
        for ((x, y), &e) in expected.iter_mut().zip(&y).zip(&ye) {
            if normed {
                let mut p = vec![0; width];
                let e = exponent + reference::block_norm(y, e, &gains, eps, &mut p);
                reference::add_residual_wide(x, &p, e + RESIDUAL_BITS);
            } else {
                reference::add_residual(x, y, e + RESIDUAL_BITS);
            }
        }
        let ours = read(client, &on_x, ROWS * width);
        assert_eq!(ours, expected.concat(), "{width}, normed: {normed}");
    }
}

#[test]
fn additions_to_the_residual_stream() {
    for width in [1, 33, 300] {
        on_devices(Add {
            width,
            normed: false,
        });
        on_devices(Add {
            width,
            normed: true,
        });
    }
}
