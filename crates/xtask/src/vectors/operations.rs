//! `tests/vectors/operations.json`: inputs and outputs of every operation, made from the transcription of
//! docs/numerics.md and not from a kernel, so that any implementation can be checked.

use lmz_exact::text;
use lmz_testkit::Random;
use serde_json::json;

use crate::files::{Files, Result};
use crate::json;

fn wide<T: Copy + Into<i128>>(values: &[T]) -> Vec<i128> {
    values.iter().map(|&value| value.into()).collect()
}

/// 64-bit numbers: what JSON holds.
fn narrow(values: &[i128]) -> Vec<i64> {
    values
        .iter()
        .map(|&v| v.try_into().expect("64 bits"))
        .collect()
}

pub fn write(files: &mut Files) -> Result<()> {
    let mut random = Random(2026);
    let table = text::sigmoid_table();
    let bytes: Vec<u8> = table
        .iter()
        .flat_map(|&t| (t as i32).to_le_bytes())
        .collect();
    let distances = [
        0,
        1,
        65535,
        65536,
        65537,
        100_000,
        1_966_080,
        2_031_615,
        2_031_616,
        u32::MAX,
    ];
    let exp2 = distances.map(|n| json!({ "n": n, "result": narrow(&[text::exp2(n)])[0] }));
    let phases = [
        0,
        1,
        1 << 29,
        1 << 30,
        (1 << 30) + 1,
        1 << 31,
        3 << 30,
        123_456_789,
        3_141_592_653,
        u32::MAX,
    ];
    let rotary = phases.map(|phase| {
        let (cos, sin) = text::cos_sin(phase);
        json!({ "phase": phase, "cos": narrow(&[cos])[0], "sin": narrow(&[sin])[0] })
    });
    let quantise = [(8, 9, -20), (6, 13, 4), (5, 15, 0), (3, 9, 1)].map(|(n, bits, e)| {
        let p: Vec<i32> = if n == 3 {
            vec![0; 3]
        } else {
            (0..n).map(|_| random.wild(1 << 30) as i32).collect()
        };
        let (q, exponent) = text::quantise(&wide(&p), e, bits);
        json!({ "p": p, "e": e, "bits": bits, "q": narrow(&q), "exponent": exponent })
    });
    let linear = [(3, 5), (2, 16), (1, 513), (1, 1025)].map(|(out, k)| {
        let w: Vec<i8> = (0..out * k).map(|_| random.wild(127) as i8).collect();
        let m: Vec<i32> = (0..out).map(|_| random.within(i32::MAX.into()).abs() as i32).collect();
        let x: Vec<i16> = (0..k).map(|_| random.wild(32767) as i16).collect();
        // ceil(log2(ceil(k / 512))) of these four.
        let g = [0, 1, 2][usize::from(k > 512) + usize::from(k > 1024)];
        json!({ "w": w, "m": m, "x": x, "y": narrow(&text::linear(&w, &m, &x)), "exponent": g + 32 })
    });
    let activations =
        [(6, 1, false), (6, 1, true), (8, 2, false), (12, 3, true)].map(|(n, groups, shifts)| {
            let p: Vec<i64> = (0..n).map(|_| random.wild(1 << 60)).collect();
            let e: Vec<i32> = (0..groups).map(|_| random.within(12) as i32 - 40).collect();
            let c: Vec<u8> = if shifts {
                (0..n).map(|_| (random.next() % 12) as u8).collect()
            } else {
                Vec::new()
            };
            let (x, exponent) = text::activations(&wide(&p), &e, &c);
            json!({ "p": p, "e": e, "c": c, "x": narrow(&x), "exponent": exponent })
        });
    let rms_norm = [
        (6, 1 << 12, 40),
        (8, i32::MAX, 7_000_000),
        (5, 1 << 26, 0),
        (4, 0, 0),
    ]
    .map(|(n, limit, eps)| {
        let x: Vec<i32> = (0..n).map(|_| random.within(limit.into()) as i32).collect();
        let g: Vec<i32> = (0..n).map(|_| random.wild((1 << 21) - 1) as i32).collect();
        let (p, exponent) = text::rms_norm(&x, &g, eps);
        json!({ "x": x, "g": g, "eps_fixed": eps, "p": narrow(&p), "exponent": exponent })
    });
    let gated = [(8, -28), (8, -20), (6, -14), (4, 3)].map(|(n, e)| {
        let gate: Vec<i32> = (0..n)
            .map(|_| random.within((1 << 30) - 1) as i32)
            .collect();
        let up: Vec<i32> = (0..n).map(|_| random.wild((1 << 30) - 1) as i32).collect();
        let (p, exponent) = text::gated(&table, &gate, &up, e);
        json!({ "gate": gate, "up": up, "e": e, "p": narrow(&p), "exponent": exponent })
    });
    let attention = [(1, -16, 0), (7, -26, 2), (12, -24, 5), (5, 4, 30)].map(|(n, e_q, spread)| {
        let dots: Vec<i32> = (0..n).map(|_| random.within(1 << 28) as i32).collect();
        let e_k: Vec<i32> = (0..n).map(|_| random.within(spread) as i32 - 10).collect();
        let e_v: Vec<i32> = (0..n).map(|_| random.within(spread) as i32 - 12).collect();
        let (w, x, lambda) = text::attention_weights(&dots, &e_k, &e_v, e_q);
        let (w, lambda) = (narrow(&w), narrow(&[lambda])[0]);
        json!({ "dots": dots, "e_k": e_k, "e_v": e_v, "e_q": e_q, "w": w, "x": x, "lambda": lambda })
    });
    let logits = [(8, -32), (8, -20), (6, 40)].map(|(n, e)| {
        let y: Vec<i32> = (0..n).map(|_| random.wild((1 << 30) - 1) as i32).collect();
        let (z, weights) = text::logits(&y, e);
        json!({ "y": y, "e": e, "z": narrow(&z), "weights": narrow(&weights) })
    });
    // Of version 2.
    let wide_attention = [(1, -60, 0), (7, -50, 2), (12, -46, 5), (5, 4, 30)].map(|(n, e_q, spread)| {
        let dots: Vec<i64> = (0..n).map(|_| random.within(1 << 50)).collect();
        let e_k: Vec<i32> = (0..n).map(|_| random.within(spread) as i32 - 10).collect();
        let e_v: Vec<i32> = (0..n).map(|_| random.within(spread) as i32 - 12).collect();
        let (w, x, lambda) = text::wide_attention_weights(&dots, &e_k, &e_v, e_q);
        let (w, lambda) = (narrow(&w), narrow(&[lambda])[0]);
        json!({ "dots": dots, "e_k": e_k, "e_v": e_v, "e_q": e_q, "w": w, "x": x, "lambda": lambda })
    });
    let operations = [
        ("numerics", json!(lmz_exact::NUMERICS_VERSION)),
        (
            "sigmoid_table_blake3",
            json!(blake3::hash(&bytes).to_hex().as_str()),
        ),
        ("exp2", json!(exp2)),
        ("rotary", json!(rotary)),
        ("quantise", json!(quantise)),
        ("linear", json!(linear)),
        ("activations", json!(activations)),
        ("rms_norm", json!(rms_norm)),
        ("gated", json!(gated)),
        ("attention_weights", json!(attention)),
        ("logits", json!(logits)),
        ("wide_attention_weights", json!(wide_attention)),
    ];
    files.put("tests/vectors/operations.json", json::cases(&operations))
}
