//! Every kernel of every instruction set of this machine against the text of docs/numerics.md, on the
//! values that a fuzzer draws within the bounds of that text.

mod draw;

pub use draw::Draw;

use super::portable::{ZERO_EXPONENT, quantise};
use super::*;
use crate::prepared::{MAX_FACTOR, MAX_OFFSET};
use crate::tables::{
    cos_sin, normal_table, padded_normal_table, padded_sigmoid_table, padded_tanh_table,
    sigmoid_table, tanh_table,
};

/// The first byte chooses an operation; the others are its values.
///
/// # Panics
/// If a kernel's bits are not those of the text.
pub fn kernels(bytes: &[u8]) {
    const OPERATIONS: [fn(&mut Draw<'_>); 17] = [
        linear_layer,
        panels,
        rms_norms,
        layer_norms,
        block_norms,
        activation_blocks,
        residuals,
        wide_blocks,
        biases,
        gates,
        attention,
        capped_attention,
        capped,
        tables,
        planes,
        wide_attention,
        layer_in_blocks,
    ];
    let mut draw = Draw::new(bytes);
    let operation = OPERATIONS[draw.below(OPERATIONS.len())];
    operation(&mut draw);
}

fn all() -> impl Iterator<Item = Kernel> {
    Isa::available().into_iter().filter_map(Kernel::new)
}

fn wide<T: Copy + Into<i128>>(values: &[T]) -> Vec<i128> {
    values.iter().map(|&value| value.into()).collect()
}

fn linear_layer(draw: &mut Draw<'_>) {
    let (k, out, n) = (draw.size(), 1 + draw.below(40), 1 + draw.below(13));
    let w = draw.values(out * k, 127).into_iter().map(|w| w as i8);
    let w: Vec<i8> = w.collect();
    let m = draw.i32s(out, i32::MAX).into_iter().map(i32::abs);
    let m: Vec<i32> = m.collect();
    let mut layer = Linear::new(&w, &m, k, 0, &[]);
    let stride = 2 * layer.pairs() + draw.below(3);
    // What lies between the rows must not be read.
    let mut x = vec![i16::MAX; n * stride];
    let mut expected = Vec::new();
    for row in x.chunks_exact_mut(stride) {
        row[k..2 * layer.pairs()].fill(0);
        row[..k].copy_from_slice(&draw.i16s(k, 32767));
        expected.push(row[..k].to_vec());
    }
    let rows: Vec<u32> = match draw.below(4) {
        0 => Vec::new(),
        1 => (0..out as u32).collect(),
        _ => (0..out as u32).filter(|_| draw.below(2) == 1).collect(),
    };
    let low = draw.values(rows.len() * k, 127).into_iter();
    let low: Vec<i8> = low.map(|w| w as i8).collect();
    layer.refine(rows.clone(), &low);
    let expected = expected.into_iter();
    let expected: Vec<_> = expected
        .map(|x: Vec<i16>| text::fine_linear(&w, &m, &rows, &low, &x))
        .collect();
    assert!(expected.iter().flatten().all(|y| y.abs() < 1 << 30));
    for kernel in all() {
        let (mut y, mut low) = (vec![i32::MIN; n * layer.out_padded()], Vec::new());
        linear_with_fine(kernel, &layer, &x, stride, &mut y, &mut low);
        for (y, expected) in y.chunks_exact(layer.out_padded()).zip(&expected) {
            let (y, padding) = y.split_at(out);
            assert_eq!(wide(y), *expected, "{kernel:?}, [{out}, {k}], {n} rows");
            assert!(padding.iter().all(|&y| y == 0), "{kernel:?}: padding");
        }
    }
}

fn layer_in_blocks(draw: &mut Draw<'_>) {
    let (size, half_bytes) = ([16, 32][draw.below(2)], draw.below(2) == 1);
    let (k, out) = (32 * (1 + draw.below(20)), 1 + draw.below(40));
    // Many rows go another way.
    let n = 1 + draw.below(9) + [0, 0, 40][draw.below(3)];
    let (least, most) = if half_bytes { (-8, 7) } else { (-127, 127) };
    let q = draw.values(out * k, -least).into_iter();
    let q: Vec<i8> = q.map(|q| q.clamp(least, most) as i8).collect();
    let blocks = out * (k / size);
    let factors = draw.i16s(blocks, MAX_FACTOR);
    let offsets = match draw.below(3) {
        0 => Vec::new(),
        _ => draw.i16s(blocks, MAX_OFFSET),
    };
    let steps = Steps {
        size,
        half_bytes,
        factors: &factors,
        offsets: &offsets,
    };
    let m = draw.i32s(out, i32::MAX).into_iter().map(i32::abs);
    let m: Vec<i32> = m.collect();
    let layer = Linear::in_blocks(&q, steps, &m, k, 0, &[]);
    let x = draw.i16s(n * k, 32767);
    for kernel in all() {
        let mut y = vec![i32::MIN; n * layer.out_padded()];
        kernel.linear(&layer, &x, k, &mut y);
        for (y, x) in y.chunks_exact(layer.out_padded()).zip(x.chunks_exact(k)) {
            let (y, padding) = y.split_at(out);
            let expected = text::block_linear(&q, steps, &m, x);
            assert!(expected.iter().all(|y| y.abs() < 1 << 30));
            assert_eq!(
                wide(y),
                expected,
                "{kernel:?}, [{out}, {k}] by {size}, {n} rows"
            );
            assert!(padding.iter().all(|&y| y == 0), "{kernel:?}: padding");
        }
    }
}

fn panels(draw: &mut Draw<'_>) {
    // Columns, bound of the panel, bound of a row: no sum leaves 32 bits.
    const SHAPES: [(usize, i16, i16); 6] = [
        (2, 32767, 32767),
        (6, 8191, 16383),
        (32, 8191, 8191),
        (64, 4095, 8191),
        (512, 2047, 2047),
        (128, 511, 32767),
    ];
    let (columns, panel_limit, row_limit) = SHAPES[draw.below(SHAPES.len())];
    let panel = draw.i16s(columns * PANEL, panel_limit);
    products(draw, columns, row_limit, &panel, panel_dots);
}

fn planes(draw: &mut Draw<'_>) {
    let columns = [2, 6, 64, 128, 512][draw.below(5)];
    let panel = draw.values(columns * PANEL, 128).into_iter();
    let panel: Vec<i8> = panel.map(|w| w.clamp(-128, 127) as i8).collect();
    products(draw, columns, 32767, &panel, plane_dots);
}

/// A panel by drawn rows.
fn products<W: Copy + Into<i64>>(
    draw: &mut Draw<'_>,
    columns: usize,
    row_limit: i16,
    panel: &[W],
    multiply: impl Fn(Kernel, &[W], &[W], usize, &[&[i16]], &mut [[i32; PANEL]]),
) {
    let rows: Vec<Vec<i16>> = (0..draw.below(TILE + 1))
        .map(|_| draw.i16s(columns, row_limit))
        .collect();
    let rows: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
    let dot = |row: &[i16], r: usize| -> i64 {
        let term = |j: usize| {
            let w: i64 = panel[j / 2 * PANEL * 2 + 2 * r + j % 2].into();
            w * i64::from(row[j])
        };
        (0..columns).map(term).sum()
    };
    for kernel in all() {
        let mut out = [[i32::MIN; PANEL]; TILE];
        multiply(kernel, panel, panel, columns / 2, &rows, &mut out);
        for (row, out) in rows.iter().zip(&out) {
            for (r, &found) in out.iter().enumerate() {
                assert_eq!(
                    i64::from(found),
                    dot(row, r),
                    "{kernel:?}, {columns} columns"
                );
            }
        }
        let untouched = out[rows.len()..].iter().flatten();
        assert!(untouched.copied().all(|dot| dot == i32::MIN), "{kernel:?}");
    }
}

/// A norm's input, gains and epsilon.
fn norm_of(draw: &mut Draw<'_>) -> (Vec<i32>, Vec<i32>, u64) {
    let n = draw.size();
    let (x, g) = (draw.i32s(n, i32::MAX), draw.i32s(n, (1 << 21) - 1));
    (x, g, draw.value(1 << 62).unsigned_abs())
}

fn rms_norms(draw: &mut Draw<'_>) {
    let (x, g, eps) = norm_of(draw);
    let (expected, exponent) = text::rms_norm(&x, &g, eps);
    for kernel in all() {
        let mut p = vec![i64::MIN; x.len()];
        assert_eq!(rms_norm(kernel, &x, &g, eps, &mut p), exponent);
        assert_eq!(wide(&p), expected, "{kernel:?}, eps {eps}");
    }
}

fn layer_norms(draw: &mut Draw<'_>) {
    let (x, g, eps) = norm_of(draw);
    let (expected, exponent) = text::layer_norm(&x, &g, eps);
    assert!(expected.iter().all(|p| p.abs() < 1 << 62));
    for kernel in all() {
        let mut p = vec![i64::MIN; x.len()];
        assert_eq!(layer_norm(kernel, &x, &g, eps, &mut p), exponent);
        assert_eq!(wide(&p), expected, "{kernel:?}, eps {eps}");
    }
}

fn block_norms(draw: &mut Draw<'_>) {
    let n = draw.size();
    let (y, g) = (draw.i32s(n, (1 << 30) - 1), draw.i32s(n, (1 << 21) - 1));
    let e = draw.exponent();
    let eps = (
        draw.value(i32::MAX.into()).abs() as i32,
        draw.exponent().clamp(-2000, 2000),
    );
    let (expected, exponent) = text::block_norm(&y, e, &g, eps);
    assert!(expected.iter().all(|p| p.abs() < 1 << 62));
    for kernel in all() {
        let mut p = vec![i64::MIN; n];
        assert_eq!(block_norm(kernel, &y, e, &g, eps, &mut p), exponent);
        assert_eq!(wide(&p), expected, "{kernel:?}, e {e}, eps {eps:?}");
    }
}

fn activation_blocks(draw: &mut Draw<'_>) {
    let (groups, part) = (1 + draw.below(8), 1 + draw.below(40));
    let p = draw.values(groups * part, 1 << 62);
    let exponents: Vec<i32> = (0..groups).map(|_| draw.exponent_or_none()).collect();
    let c: Vec<u8> = match draw.below(2) {
        0 => Vec::new(),
        _ => (0..p.len()).map(|_| draw.below(21) as u8).collect(),
    };
    let (expected, exponent) = text::activations(&wide(&p), &exponents, &c);
    let padding = draw.below(3);
    for kernel in all() {
        let (mut p, mut out) = (p.clone(), vec![i16::MIN; p.len() + padding]);
        let found = activations(kernel, &mut p, &exponents, &c, &mut out);
        assert_eq!(found, exponent, "{kernel:?}, {exponents:?}");
        let (out, padding) = out.split_at(p.len());
        assert_eq!(wide(out), expected, "{kernel:?}, {exponents:?}, {c:?}");
        assert!(padding.iter().all(|&x| x == 0), "{kernel:?}: padding");
    }
    let n = part;
    let y = draw.i32s(n, i32::MAX);
    let (e, bits) = (draw.exponent(), 9 + draw.below(7) as i32);
    let (expected, exponent) = text::quantise(&wide(&y), e, bits);
    let mut out = vec![i16::MIN; n];
    assert_eq!(quantise(&y, e, bits, &mut out), exponent);
    assert_eq!(wide(&out), expected, "{bits} bits");
}

fn residuals(draw: &mut Draw<'_>) {
    let n = draw.size();
    let (x, y) = (draw.i32s(n, i32::MAX), draw.i32s(n, (1 << 30) - 1));
    let shift = draw.exponent();
    let sums = text::add_residual(&x, &y, shift);
    let (z, weights) = text::logits(&y, shift - 16);
    let most = z.iter().copied().max().expect("n > 0");
    for kernel in all() {
        let mut ours = x.clone();
        add_residual(kernel, &mut ours, &y, shift);
        assert_eq!(wide(&ours), sums, "{kernel:?}, shift {shift}");
        let (mut our_z, mut our_weights) = (vec![i32::MIN; n], vec![u32::MAX; n]);
        let max = logits(kernel, &y, shift - 16, &mut our_z, &mut our_weights);
        assert_eq!(i128::from(max), most, "{kernel:?}, shift {shift}");
        assert_eq!(wide(&our_z), z, "{kernel:?}, shift {shift}");
        assert_eq!(wide(&our_weights), weights, "{kernel:?}, shift {shift}");
    }
}

fn wide_blocks(draw: &mut Draw<'_>) {
    let n = draw.size();
    let (p, x) = (draw.values(n, (1 << 62) - 1), draw.i32s(n, i32::MAX));
    let shift = draw.exponent();
    let sum = |(&x, &p): (&i32, &i64)| {
        let sum = i128::from(x) + text::shift_to(p.into(), shift);
        sum.clamp(-text::MAX32, text::MAX32)
    };
    let sums: Vec<i128> = x.iter().zip(&p).map(sum).collect();
    let (q, exponent) = text::quantise(&wide(&p), shift, 29);
    for kernel in all() {
        let (mut ours, mut out) = (x.clone(), vec![i32::MIN; n]);
        add_residual_wide(kernel, &mut ours, &p, shift);
        assert_eq!(wide(&ours), sums, "{kernel:?}, shift {shift}");
        assert_eq!(quantise_wide(kernel, &p, shift, 29, &mut out), exponent);
        assert_eq!(wide(&out), q, "{kernel:?}, shift {shift}");
    }
}

fn biases(draw: &mut Draw<'_>) {
    let n = draw.size();
    let b = draw.i32s(n, (1 << 29) - 1);
    let (y, p) = (draw.i32s(n, (1 << 30) - 1), draw.values(n, (1 << 62) - 1));
    let (e, b_exponent) = (draw.exponent(), draw.exponent().clamp(-2000, 2000));
    let (sums, t) = text::add_bias(&wide(&y), e, &b, b_exponent);
    assert!(sums.iter().all(|y| y.abs() < 1 << 30));
    let (wide_sums, _) = text::add_bias(&wide(&p), e, &b, b_exponent);
    assert!(wide_sums.iter().all(|p| p.abs() < 1 << 62));
    for kernel in all() {
        let (mut y, mut p) = (y.clone(), p.clone());
        assert_eq!(add_bias(kernel, &mut y, e, &b, b_exponent), t);
        assert_eq!(wide(&y), sums, "{kernel:?}, {e}, {b_exponent}");
        assert_eq!(add_bias_wide(kernel, &mut p, e, &b, b_exponent), t);
        assert_eq!(wide(&p), wide_sums, "{kernel:?}, {e}, {b_exponent}");
    }
}

fn gates(draw: &mut Draw<'_>) {
    let n = draw.size();
    let (gate, up) = (draw.i32s(n, (1 << 30) - 1), draw.i32s(n, (1 << 30) - 1));
    let e = draw.exponent();
    let (padded, table) = [
        (padded_sigmoid_table(), sigmoid_table()),
        (padded_normal_table(), normal_table()),
        (padded_tanh_table(), tanh_table()),
    ][draw.below(3)];
    let (f, table) = (Nonlinearity::Gate(padded), wide(table.as_slice()));
    let (gated, gated_e) = text::gated(&table, &gate, &up, e);
    let (plain, plain_e) = text::activated(&table, &up, e);
    for kernel in all() {
        let mut p = vec![i64::MIN; n];
        assert_eq!(gated_by(kernel, f, &gate, &up, e, &mut p), gated_e);
        assert_eq!(wide(&p), gated, "{kernel:?}, e {e}");
        assert_eq!(activated(kernel, f, &up, e, &mut p), plain_e);
        assert_eq!(wide(&p), plain, "{kernel:?}, e {e}");
        gated_by(kernel, Nonlinearity::Relu, &gate, &up, e, &mut p);
        let products = gate.iter().zip(&up);
        let mut products = products.map(|(&gate, &up)| i64::from(gate.max(0)) * i64::from(up));
        assert!(p.iter().all(|&p| Some(p) == products.next()), "{kernel:?}");
        activated(kernel, Nonlinearity::Relu, &up, e, &mut p);
        let mut positive = up.iter().map(|&up| i64::from(up.max(0)));
        assert!(p.iter().all(|&p| Some(p) == positive.next()), "{kernel:?}");
    }
}

/// Dot products, exponents of keys and of values, and that of the query.
fn attention_of(draw: &mut Draw<'_>) -> (Vec<i32>, Vec<i32>, Vec<i32>, i32) {
    let n = draw.size();
    let dots = draw.i32s(n, i32::MAX);
    let mut exponents = || (0..n).map(|_| draw.exponent_or_none()).collect();
    let (ek, ev) = (exponents(), exponents());
    (dots, ek, ev, draw.exponent_or_none())
}

fn attention(draw: &mut Draw<'_>) {
    let (dots, ek, ev, eq) = attention_of(draw);
    let (w, x, sum) = text::attention_weights(&dots, &ek, &ev, eq);
    for kernel in all() {
        let (mut dots, mut ours) = (dots.clone(), vec![i16::MIN; dots.len()]);
        let (our_x, our_sum) = attention_weights(kernel, &mut dots, &ek, &ev, eq, &mut ours);
        assert_eq!((our_x, i128::from(our_sum)), (x, sum), "{kernel:?}");
        assert_eq!(wide(&ours), w, "{kernel:?}, {ek:?}, {ev:?}, {eq}");
    }
}

fn wide_attention(draw: &mut Draw<'_>) {
    let n = draw.size();
    let exact = draw.values(n, 1 << 53);
    let mut exponents = || (0..n).map(|_| draw.exponent_or_none()).collect();
    let (ek, ev): (Vec<i32>, Vec<i32>) = (exponents(), exponents());
    let eq = draw.exponent_or_none();
    let cap = [None, Some(cap_of(draw))][draw.below(2)];
    let scores = exact.iter().zip(&ek);
    let scores = scores.map(|(&dot, ek)| text::wide_score(dot.into(), eq + ek + 16));
    let mut scores: Vec<i128> = scores.collect();
    if let Some(cap) = cap {
        scores = wide(&soft_capped(cap, &scores));
    }
    let (w, x, sum) = text::softmax(&scores, &ev);
    for kernel in all() {
        let (mut z, mut ours) = (vec![i32::MIN; n], vec![i16::MIN; n]);
        let found = wide_attention_weights(kernel, &exact, &ek, &ev, eq, cap, &mut z, &mut ours);
        assert_eq!((found.0, i128::from(found.1)), (x, sum), "{kernel:?}");
        assert_eq!(wide(&ours), w, "{kernel:?}, {ek:?}, {ev:?}, {eq}, {cap:?}");
    }
}

fn cap_of(draw: &mut Draw<'_>) -> Softcap {
    Softcap {
        inverse: draw.value(i32::MAX.into()).abs().max(1) as i32,
        cap: draw.value(1 << 30).abs().max(1) as i32,
    }
}

fn soft_capped(cap: Softcap, z: &[i128]) -> Vec<i32> {
    let table = wide(sigmoid_table().as_slice());
    let capped = |&z: &i128| text::softcap(&table, cap.inverse, cap.cap, z) as i32;
    z.iter().map(capped).collect()
}

fn capped_attention(draw: &mut Draw<'_>) {
    let cap = cap_of(draw);
    let (dots, ek, ev, eq) = attention_of(draw);
    let scores = dots.iter().zip(&ek);
    let scores: Vec<i128> = scores
        .map(|(&dot, ek)| text::score(dot, eq + ek + 16))
        .collect();
    let (w, x, sum) = text::softmax(&wide(&soft_capped(cap, &scores)), &ev);
    for kernel in all() {
        let (mut dots, mut ours) = (dots.clone(), vec![i16::MIN; dots.len()]);
        let found = capped_attention_weights(kernel, &mut dots, &ek, &ev, eq, cap, &mut ours);
        assert_eq!((found.0, i128::from(found.1)), (x, sum), "{kernel:?}");
        assert_eq!(wide(&ours), w, "{kernel:?}, {cap:?}");
    }
}

fn capped(draw: &mut Draw<'_>) {
    let (cap, n, e) = (cap_of(draw), draw.size(), draw.exponent());
    let y = draw.i32s(n, (1 << 30) - 1);
    let expected = soft_capped(cap, &text::logits(&y, e).0);
    let most = expected.iter().copied().max().expect("n > 0");
    let weights = expected
        .iter()
        .map(|z| text::exp2(most.wrapping_sub(*z) as u32));
    let weights: Vec<i128> = weights.collect();
    for kernel in all() {
        let (mut z, mut found) = (vec![0; n], vec![0; n]);
        assert_eq!(capped_logits(kernel, &y, e, cap, &mut z, &mut found), most);
        assert_eq!(z, expected, "{kernel:?}, {cap:?}");
        assert_eq!(wide(&found), weights, "{kernel:?}, {cap:?}");
    }
}

fn tables(draw: &mut Draw<'_>) {
    for _ in 0..16 {
        let x = draw.value(1 << 32) as u32;
        let (cos, sin) = cos_sin(x);
        assert_eq!((cos.into(), sin.into()), text::cos_sin(x), "phase {x}");
        assert_eq!(i128::from(lmz_coder::exp2_weight(x)), text::exp2(x), "{x}");
    }
}
