//! Linear layers, gates, and mantissas in groups.

use cubecl::prelude::*;
use lmz_exact::parts::{Bias, Nonlinearity};
use lmz_exact::tables::{Gate, normal_table, sigmoid_table};
use lmz_exact::{Linear, reference};

use super::super::gate::{GateKind, between, grouped};
use super::super::matrix::MAX_COLUMNS;
use super::super::mma::Instruction;
use super::super::reduce::UNITS;
use super::{Check, Random, halves, on_devices, read, row, words};
use crate::buffer::Buffer;
use crate::product::{MATRIX_ROWS, Product, has_instruction};
use crate::weights::LinearOn;

struct Layer {
    rows: usize,
    out: usize,
    k: usize,
    biased: bool,
}

impl Check for Layer {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self {
            rows,
            out,
            k,
            biased,
        } = *self;
        let mut random = Random((rows + out + k) as u64);
        // The extremes in whole rows: sums reach their bounds.
        let w: Vec<i8> = (0..out * k)
            .map(|i| match i / k % 3 {
                0 => 127,
                1 => -127,
                _ => random.signed(7) as i8,
            })
            .collect();
        let m: Vec<i32> = (0..out)
            .map(|i| {
                if i % 4 == 0 {
                    i32::MAX
                } else {
                    random.signed(31).unsigned_abs() as i32
                }
            })
            .collect();
        let mut layer = Linear::new(&w, &m, k, -40, &[]);
        layer.bias = biased.then(|| Bias {
            b: random.i32s(out, 29),
            e: random.range(-60, 0),
        });
        let x: Vec<Vec<i16>> = (0..rows)
            .map(|i| {
                row(&mut random, i + 2, k, 15)
                    .iter()
                    .map(|&x| x as i16)
                    .collect()
            })
            .collect();
        let e: Vec<i32> = (0..rows).map(|_| random.range(-40, 40)).collect();

        let on = LinearOn::new(client, &layer);
        let packed: Vec<u32> = x
            .iter()
            .flat_map(|x| {
                let mut packed = words(x);
                packed.resize(on.stride(), 0);
                packed
            })
            .collect();
        let y = Buffer::<i32>::room(client, rows * out);
        let ye = Buffer::<i32>::room(client, rows);
        let (packed, e_on) = (Buffer::new(client, &packed), Buffer::new(client, &e));
        let mut ways = vec![
            Product::Units(1),
            Product::Units(4),
            Product::Units(8),
            Product::Matrix(Instruction::Emulated),
        ];
        if has_instruction(client) {
            ways.push(Product::Matrix(Instruction::Native));
        }
        for way in ways {
            way.launch(client, &on, (&packed, &e_on), (&y, &ye), rows);
            let (ours, exponents) = (read(client, &y, rows * out), read(client, &ye, rows));
            let stride = 2 * layer.pairs();
            for (i, (x, &e)) in x.iter().zip(&e).enumerate() {
                let mut x = x.clone();
                x.resize(stride, 0);
                let mut expected = vec![0; layer.out_padded()];
                reference::linear(&layer, &x, stride, &mut expected);
                expected.truncate(out);
                let mut e = layer.out_exponent(e);
                if let Some(bias) = &layer.bias {
                    e = reference::add_bias(&mut expected, e, &bias.b, bias.e);
                }
                let ours = &ours[i * out..][..out];
                assert_eq!(
                    (exponents[i], ours),
                    (e, &expected[..]),
                    "row {i} of {rows} x {k} x {out}, {way:?}"
                );
            }
        }
    }
}

#[test]
fn linear_layers() {
    for (rows, out, k) in [
        (1, 1, 1),
        (3, 5, 7),
        (9, 130, 64),
        (5, 33, 512),
        (8, 40, 1100),
        // Beyond the tiles of the matrix kernel, and odd in all directions.
        (70, 131, 67),
    ] {
        for biased in [false, true] {
            on_devices(Layer {
                rows,
                out,
                k,
                biased,
            });
        }
    }
}

/// The long sum: 17 chunks at their bounds.
#[test]
fn the_longest_sums() {
    for k in [8260, MAX_COLUMNS] {
        on_devices(Layer {
            rows: 2,
            out: 3,
            k,
            biased: false,
        });
    }
}

#[test]
fn which_layers_go_by_the_matrix_instruction() {
    struct Choice;
    impl Check for Choice {
        fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
            let layer =
                |k: usize| LinearOn::new(client, &Linear::new(&vec![1; k], &[1], k, 0, &[]));
            let native = Product::Matrix(Instruction::Native);
            let (small, large) = (layer(64), layer(MAX_COLUMNS + 4));
            assert_eq!(Product::choose(&small, MATRIX_ROWS, true), native);
            assert_ne!(Product::choose(&small, MATRIX_ROWS - 1, true), native);
            assert_ne!(Product::choose(&small, MATRIX_ROWS, false), native);
            assert_ne!(Product::choose(&large, MATRIX_ROWS, true), native);
        }
    }
    on_devices(Choice);
}

fn padded(table: &[i32]) -> Gate {
    let mut all = [1 << 24; 2048];
    all[..table.len()].copy_from_slice(table);
    all
}

struct Between {
    inner: usize,
    kind: GateKind,
}

impl Check for Between {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self { inner, kind } = *self;
        let mut random = Random(inner as u64);
        let gate: &'static Gate = Box::leak(Box::new(padded(if kind.gated {
            sigmoid_table()
        } else {
            normal_table()
        })));
        let f = if kind.relu {
            Nonlinearity::Relu
        } else {
            Nonlinearity::Gate(gate)
        };
        let rows = 12;
        let width = if kind.gated { 2 * inner } else { inner };
        let y: Vec<Vec<i32>> = (0..rows).map(|i| row(&mut random, i, width, 30)).collect();
        // Gates far beyond the table, around it and far below.
        let e: Vec<i32> = (0..rows as i32)
            .map(|i| [-80, -40, -26, -17, -16, 3][i as usize % 6])
            .collect();
        let c: Vec<u8> = (0..inner).map(|_| random.below(21) as u8).collect();
        let c = if kind.shifted { &c[..] } else { &[] };
        let wide: Vec<i32> = c.iter().map(|&c| c.into()).collect();
        let most = wide.iter().copied().max().unwrap_or(0);
        let stride = 2 * inner.div_ceil(4);
        let a = Buffer::<u32>::room(client, rows * stride);
        let ae = Buffer::<i32>::room(client, rows);
        between::launch::<R>(
            client,
            CubeCount::Static(rows as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            Buffer::new(client, &y.concat()).arg(),
            Buffer::new(client, &e).arg(),
            Buffer::new(client, &gate[..]).arg(),
            Buffer::new(client, &wide).arg(),
            a.arg(),
            ae.arg(),
            inner,
            stride,
            most,
            kind,
        );
        let (a, ae) = (read(client, &a, rows * stride), read(client, &ae, rows));
        for (i, (y, &e)) in y.iter().zip(&e).enumerate() {
            let mut p = vec![0; inner];
            let e = if kind.gated {
                reference::gated_by(f, &y[..inner], &y[inner..], e, &mut p)
            } else {
                reference::activated(f, y, e, &mut p)
            };
            let mut expected = vec![0; 2 * stride];
            let e = reference::activations(&mut p, &[e], c, &mut expected);
            let ours = halves(&a[i * stride..][..stride]);
            assert_eq!((ae[i], ours), (e, expected), "{kind:?}, row {i}");
        }
    }
}

#[test]
fn gates() {
    for (gated, relu, shifted) in [
        (true, false, false),
        (true, false, true),
        (true, true, false),
        (false, false, false),
        (false, true, true),
    ] {
        for inner in [3, 140] {
            on_devices(Between {
                inner,
                kind: GateKind {
                    gated,
                    relu,
                    shifted,
                },
            });
        }
    }
}

struct Grouped {
    groups: usize,
    size: usize,
    shifted: bool,
}

impl Check for Grouped {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>) {
        let Self {
            groups,
            size,
            shifted,
        } = *self;
        let mut random = Random((groups * size) as u64);
        let (rows, width) = (8, groups * size);
        let p: Vec<i64> = (0..rows * width)
            .map(|i| match i / size % 5 {
                // Groups of zeros, and a whole row of them.
                0 => 0,
                _ if i / width == 3 => 0,
                _ => random.signed(62),
            })
            .collect();
        let e: Vec<i32> = (0..rows * groups)
            .map(|i| {
                if p[i * size..][..size].iter().all(|&p| p == 0) {
                    -(1 << 16)
                } else {
                    random.range(-120, 60)
                }
            })
            .collect();
        let c: Vec<u8> = (0..width).map(|_| random.below(21) as u8).collect();
        let c = if shifted { &c[..] } else { &[] };
        let wide: Vec<i32> = c.iter().map(|&c| c.into()).collect();
        let most = wide.iter().copied().max().unwrap_or(0);
        let stride = 2 * width.div_ceil(4);
        let a = Buffer::<u32>::room(client, rows * stride);
        let ae = Buffer::<i32>::room(client, rows);
        grouped::launch::<R>(
            client,
            CubeCount::Static(rows as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            Buffer::new(client, &p).arg(),
            Buffer::new(client, &e).arg(),
            Buffer::new(client, &wide).arg(),
            a.arg(),
            ae.arg(),
            groups,
            size,
            stride,
            most,
            shifted,
        );
        let (a, ae) = (read(client, &a, rows * stride), read(client, &ae, rows));
        for (i, (p, e)) in p.chunks(width).zip(e.chunks(groups)).enumerate() {
            let mut expected = vec![0; 2 * stride];
            let e = reference::activations(&mut p.to_vec(), e, c, &mut expected);
            let ours = halves(&a[i * stride..][..stride]);
            assert_eq!((ae[i], ours), (e, expected), "row {i}");
        }
    }
}

#[test]
fn mantissas_in_groups() {
    for (groups, size, shifted) in [(1, 2, false), (9, 64, false), (3, 6, true)] {
        on_devices(Grouped {
            groups,
            size,
            shifted,
        });
    }
}
