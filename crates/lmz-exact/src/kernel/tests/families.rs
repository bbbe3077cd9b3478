//! The operations of docs/numerics.md, 3.11 to 3.15, against its text.

use super::*;
use crate::tables::{normal_table, padded_normal_table, padded_tanh_table, tanh_table};

/// Gains, biases and blocks of all kinds.
fn gains(random: &mut Random, n: usize) -> Vec<i32> {
    random.i32s(n, (1 << 21) - 1)
}

#[test]
fn layer_norms() {
    let mut random = Random(21);
    for size in SIZES.into_iter().chain([1 << 15]) {
        for _ in 0..if size > 1000 { 10 } else { 60 } {
            let (mut x, g) = (random.i32s(size, i32::MAX), gains(&mut random, size));
            if random.next().is_multiple_of(4) {
                // All alike but one: nearly nothing is left of the mean.
                let first = x[0];
                x.fill(first);
                x[0] = (first - first.signum()).max(-i32::MAX);
            }
            let eps = [0, 1, 63, 1 << 40, 1 << 62, random.next() >> 3][random.next() as usize % 6];
            let (text, exponent) = text::layer_norm(&x, &g, eps);
            assert!(text.iter().all(|p| p.abs() < 1 << 62));
            for kernel in kernels() {
                let mut p = vec![i64::MIN; size];
                assert_eq!(layer_norm(kernel, &x, &g, eps, &mut p), exponent);
                assert_eq!(wide(&p), text, "{kernel:?}, {size}, eps {eps}");
            }
        }
    }
}

#[test]
fn block_norms() {
    let mut random = Random(22);
    for size in SIZES.into_iter().chain([1 << 15]) {
        for round in 0..if size > 1000 { 10 } else { 120 } {
            let limit = ((1 << 30) - 1) >> (random.next() % 30);
            let (y, g) = (random.i32s(size, limit), gains(&mut random, size));
            let spread = [0, 10, 60, 2000][round % 4];
            let e = random.within(spread) as i32 - 20;
            let eps = (
                [0, 1, i32::MAX, 1 << 30][random.next() as usize % 4],
                random.within(spread) as i32 - 46,
            );
            let (text, exponent) = text::block_norm(&y, e, &g, eps);
            assert!(text.iter().all(|p| p.abs() < 1 << 62));
            for kernel in kernels() {
                let mut p = vec![i64::MIN; size];
                assert_eq!(block_norm(kernel, &y, e, &g, eps, &mut p), exponent);
                assert_eq!(wide(&p), text, "{kernel:?}, {size}, e {e}, eps {eps:?}");
            }
        }
    }
}

#[test]
fn biases() {
    let mut random = Random(23);
    for size in SIZES {
        for round in 0..80 {
            let spread = [0, 10, 40, 70, 3000][round % 5];
            let (e, b_exponent) = (random.within(spread) as i32, random.within(spread) as i32);
            let b = random.i32s(size, (1 << 29) - 1);
            let y = random.i32s(size, (1 << 30) - 1);
            let p = random.values(size, (1 << 62) - 1);
            let (sums, t) = text::add_bias(&wide(&y), e, &b, b_exponent);
            assert!(sums.iter().all(|y| y.abs() < 1 << 30));
            let (wide_sums, _) = text::add_bias(&wide(&p), e, &b, b_exponent);
            assert!(wide_sums.iter().all(|p| p.abs() < 1 << 62));
            for kernel in kernels() {
                let (mut y, mut p) = (y.clone(), p.clone());
                assert_eq!(add_bias(kernel, &mut y, e, &b, b_exponent), t);
                assert_eq!(wide(&y), sums, "{kernel:?}, {e}, {b_exponent}");
                assert_eq!(add_bias_wide(kernel, &mut p, e, &b, b_exponent), t);
                assert_eq!(wide(&p), wide_sums, "{kernel:?}, {e}, {b_exponent}");
            }
        }
    }
}

#[test]
fn wide_blocks() {
    let mut random = Random(24);
    for size in SIZES {
        for shift in (-70..=40).step_by(3).chain([-2000, 2000]) {
            let p = random.values(size, (1i64 << 62) - 1);
            let x = random.i32s(size, i32::MAX);
            let sums: Vec<i128> = x
                .iter()
                .zip(&p)
                .map(|(&x, &p)| {
                    let sum = i128::from(x) + text::shift_to(p.into(), shift);
                    sum.clamp(-text::MAX32, text::MAX32)
                })
                .collect();
            let (q, exponent) = text::quantise(&wide(&p), shift, 29);
            for kernel in kernels() {
                let (mut ours, mut out) = (x.clone(), vec![i32::MIN; size]);
                add_residual_wide(kernel, &mut ours, &p, shift);
                assert_eq!(wide(&ours), sums, "{kernel:?}, {size}, shift {shift}");
                assert_eq!(quantise_wide(kernel, &p, shift, 29, &mut out), exponent);
                assert_eq!(wide(&out), q, "{kernel:?}, {size}");
            }
        }
    }
}

#[test]
fn gates_of_all_tables() {
    let mut random = Random(25);
    let tables = [
        (padded_normal_table(), normal_table()),
        (padded_tanh_table(), tanh_table()),
        (crate::tables::padded_sigmoid_table(), sigmoid_table()),
    ];
    for (padded, table) in tables {
        let (f, table) = (Nonlinearity::Gate(padded), wide(table.as_slice()));
        for size in [1, 16, 40, 515] {
            for e in (-60..=20).step_by(2).chain([-2000, -500, 500, 2000]) {
                let gate = random.i32s(size, (1 << 30) - 1);
                let up = random.i32s(size, (1 << 30) - 1);
                let gated = text::gated(&table, &gate, &up, e);
                let plain = text::activated(&table, &up, e);
                for kernel in kernels() {
                    let mut p = vec![i64::MIN; size];
                    assert_eq!(gated_by(kernel, f, &gate, &up, e, &mut p), gated.1);
                    assert_eq!(wide(&p), gated.0, "{kernel:?}, {size}, e {e}");
                    assert_eq!(activated(kernel, f, &up, e, &mut p), plain.1);
                    assert_eq!(wide(&p), plain.0, "{kernel:?}, {size}, e {e}");
                }
            }
        }
    }
    let (gate, up) = (random.i32s(99, 1 << 29), random.i32s(99, 1 << 29));
    for kernel in kernels() {
        let (mut p, mut q) = (vec![0; 99], vec![0; 99]);
        assert_eq!(activated(kernel, Nonlinearity::Relu, &gate, 5, &mut p), 5);
        gated_by(kernel, Nonlinearity::Relu, &gate, &up, 5, &mut q);
        for i in 0..99 {
            assert_eq!(p[i], i64::from(gate[i].max(0)));
            assert_eq!(q[i], p[i] * i64::from(up[i]));
        }
    }
}

#[test]
fn soft_caps() {
    let (mut random, table) = (Random(26), wide(sigmoid_table().as_slice()));
    for round in 0..2000 {
        let n = 1 + (random.next() % [1, 7, 40, 200][round % 4]) as usize;
        let cap = Softcap {
            inverse: (1 + random.within(1 << 30).abs()) as i32,
            cap: (1 + (random.within((1 << 30) - 1)).abs()) as i32,
        };
        let dots = random.i32s(n, i32::MAX);
        let ek: Vec<i32> = (0..n).map(|_| random.within(12) as i32).collect();
        let ev: Vec<i32> = (0..n).map(|_| random.within(12) as i32).collect();
        let eq = [-46, -30, -16, 0][round % 4];
        let e = random.within(30) as i32 - 16;
        let y = random.i32s(n, (1 << 30) - 1);
        let capped = |z: &[i128]| -> Vec<i32> {
            let cap = |&z: &i128| text::softcap(&table, cap.inverse, cap.cap, z) as i32;
            z.iter().map(cap).collect()
        };
        let scores: Vec<i128> = dots
            .iter()
            .zip(&ek)
            .map(|(&dot, ek)| text::score(dot, eq + ek + 16))
            .collect();
        let (w, x, sum) = text::softmax(&wide(&capped(&scores)), &ev);
        let logits = capped(&text::logits(&y, e).0);
        let most = *logits.iter().max().unwrap();
        for kernel in kernels() {
            let (mut dots, mut ours) = (dots.clone(), vec![i16::MIN; n]);
            let found = capped_attention_weights(kernel, &mut dots, &ek, &ev, eq, cap, &mut ours);
            assert_eq!((found.0, i128::from(found.1)), (x, sum), "{kernel:?}");
            assert_eq!(wide(&ours), w, "{kernel:?}");
            let (mut z, mut weights) = (vec![0; n], vec![0; n]);
            assert_eq!(
                capped_logits(kernel, &y, e, cap, &mut z, &mut weights),
                most
            );
            assert_eq!(z, logits, "{kernel:?}");
            for (weight, z) in weights.iter().zip(&z) {
                assert_eq!(i128::from(*weight), text::exp2((most - z) as u32));
            }
        }
    }
}
