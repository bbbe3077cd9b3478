//! tests/vectors/operations.json: inputs and outputs of every operation, made from the transcription of
//! the text, checked here and free for any other implementation to check.

use std::path::PathBuf;

use serde_json::Value;

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
            kernel.linear(&layer, &padded, padded.len(), &mut y);
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
        for case in cases("wide_attention_weights") {
            let exact: Vec<i64> = list(case, "dots");
            let (mut z, mut w) = (vec![0; exact.len()], vec![0i16; exact.len()]);
            let (ek, ev): (Vec<i32>, Vec<i32>) = (list(case, "e_k"), list(case, "e_v"));
            let eq = number(case, "e_q");
            let found = wide_attention_weights(kernel, &exact, &ek, &ev, eq, None, &mut z, &mut w);
            assert_eq!(found, (number(case, "x"), number(case, "lambda")));
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
