//! tests/vectors/operations.json: inputs and outputs of every operation, made from the transcription of
//! the text, checked here and free for any other implementation to check.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

fn path() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/operations.json"
    ))
}

fn list<T: TryFrom<i64>>(case: &Value, field: &str) -> Vec<T> {
    let values = case[field]
        .as_array()
        .unwrap_or_else(|| panic!("{field} is not an array"));
    let number = |v: &Value| v.as_i64().and_then(|v| T::try_from(v).ok());
    values
        .iter()
        .map(|v| number(v).unwrap_or_else(|| panic!("{field} holds {v}")))
        .collect()
}

fn number<T: TryFrom<i64>>(case: &Value, field: &str) -> T {
    case[field]
        .as_i64()
        .and_then(|v| T::try_from(v).ok())
        .unwrap_or_else(|| panic!("{field} is missing"))
}

#[test]
fn every_operation_gives_the_committed_numbers() {
    let file: Value = serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap();
    let cases = |operation: &str| -> &Vec<Value> {
        let cases = file[operation]
            .as_array()
            .unwrap_or_else(|| panic!("no vectors of {operation}"));
        assert!(cases.len() >= 3, "{operation}");
        cases
    };
    assert_eq!(number::<u8>(&file, "numerics"), crate::NUMERICS_VERSION);
    let table: Vec<u8> = sigmoid_table()
        .iter()
        .flat_map(|t| t.to_le_bytes())
        .collect();
    assert_eq!(
        file["sigmoid_table_blake3"],
        blake3::hash(&table).to_hex().as_str()
    );
    for case in cases("exp2") {
        assert_eq!(
            lmz_coder::exp2_weight(number(case, "n")),
            number::<u32>(case, "result")
        );
    }
    for case in cases("rotary") {
        assert_eq!(
            cos_sin(number(case, "phase")),
            (number(case, "cos"), number(case, "sin"))
        );
    }
    for case in cases("quantise") {
        let p: Vec<i32> = list(case, "p");
        let mut q = vec![0i16; p.len()];
        assert_eq!(
            quantise(&p, number(case, "e"), number(case, "bits"), &mut q),
            number::<i32>(case, "exponent")
        );
        assert_eq!(q, list::<i16>(case, "q"));
    }
    for kernel in kernels() {
        for case in cases("linear") {
            let (m, x): (Vec<i32>, Vec<i16>) = (list(case, "m"), list(case, "x"));
            let layer = Linear::new(&list::<i8>(case, "w"), &m, x.len(), 0, &[]);
            let mut padded = x.clone();
            padded.resize(2 * layer.pairs(), 0);
            let mut y = vec![0; layer.out_padded()];
            linear(kernel, &layer, &padded, padded.len(), &mut y);
            assert_eq!(y[..m.len()], list::<i32>(case, "y"));
            assert_eq!(layer.out_exponent(0), number::<i32>(case, "exponent"));
        }
        for case in cases("activations") {
            let mut p: Vec<i64> = list(case, "p");
            let mut out = vec![0i16; p.len()];
            let exponent = activations(
                kernel,
                &mut p,
                &list::<i32>(case, "e"),
                &list::<u8>(case, "c"),
                &mut out,
            );
            assert_eq!((exponent, out), (number(case, "exponent"), list(case, "x")));
        }
        for case in cases("rms_norm") {
            let x: Vec<i32> = list(case, "x");
            let mut p = vec![0i64; x.len()];
            let exponent = rms_norm(
                kernel,
                &x,
                &list::<i32>(case, "g"),
                number(case, "eps_fixed"),
                &mut p,
            );
            assert_eq!((exponent, p), (number(case, "exponent"), list(case, "p")));
        }
        for case in cases("gated") {
            let gate: Vec<i32> = list(case, "gate");
            let mut p = vec![0i64; gate.len()];
            let exponent = gated_by(
                kernel,
                silu(),
                &gate,
                &list::<i32>(case, "up"),
                number(case, "e"),
                &mut p,
            );
            assert_eq!((exponent, p), (number(case, "exponent"), list(case, "p")));
        }
        for case in cases("attention_weights") {
            let mut dots: Vec<i32> = list(case, "dots");
            let mut w = vec![0i16; dots.len()];
            let (ek, ev): (Vec<i32>, Vec<i32>) = (list(case, "e_k"), list(case, "e_v"));
            let (x, sum) =
                attention_weights(kernel, &mut dots, &ek, &ev, number(case, "e_q"), &mut w);
            assert_eq!((x, sum), (number(case, "x"), number(case, "lambda")));
            assert_eq!(w, list::<i16>(case, "w"));
        }
        for case in cases("logits") {
            let y: Vec<i32> = list(case, "y");
            let (mut z, mut weights) = (vec![0; y.len()], vec![0; y.len()]);
            logits(kernel, &y, number(case, "e"), &mut z, &mut weights);
            assert_eq!((z, weights), (list(case, "z"), list(case, "weights")));
        }
    }
}

/// 64-bit numbers: what JSON holds.
fn narrow(values: &[i128]) -> Vec<i64> {
    values
        .iter()
        .map(|&v| v.try_into().expect("64 bits"))
        .collect()
}

#[test]
#[ignore = "writes tests/vectors/operations.json from the transcription of the text"]
fn write_the_vectors() {
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
    let operations = [
        ("numerics", json!(crate::NUMERICS_VERSION)),
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
    ];
    // One line for each case.
    let lines = operations.iter().map(|(name, value)| match value {
        Value::Array(cases) => {
            let cases: Vec<String> = cases.iter().map(|case| format!("  {case}")).collect();
            format!("\"{name}\": [\n{}\n]", cases.join(",\n"))
        }
        other => format!("\"{name}\": {other}"),
    });
    let text = format!("{{\n{}\n}}\n", lines.collect::<Vec<_>>().join(",\n"));
    std::fs::write(path(), text).unwrap();
}
