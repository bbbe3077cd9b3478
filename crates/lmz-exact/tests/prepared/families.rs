//! Numbers of other families.

use lmz_exact::{Engine, Prepared, prepare};
use lmz_model::ErrorKind;
use lmz_testkit::Random;
use safetensors::Dtype;
use serde_json::json;

use crate::content::error;
use crate::parts::{Parts, refused};
use lmz_testkit::engine::{family, kernels, logits, tokens};

/// Bounds of a family's tensors of 32-bit integers, by the end of their names: least and most.
fn bounds(name: &str) -> (i64, i64) {
    match name.rsplit('.').next().unwrap() {
        "m" => (0, i64::from(i32::MAX)),
        "g" => (1 - (1 << 21), (1 << 21) - 1),
        "b" => (1 - (1 << 29), (1 << 29) - 1),
        "e" | "be" => (-2000, 2000),
        other => panic!("what is {other}?"),
    }
}

/// The two numbers of an epsilon and of a soft cap.
fn pairs(name: &str) -> Option<[(i64, i64); 2]> {
    let most = i64::from(i32::MAX);
    match name.rsplit('.').next().unwrap() {
        "eps" => Some([(0, most), (-2000, 2000)]),
        "cap" => Some([(1, most), (1, 1 << 30)]),
        _ => None,
    }
}

const FAMILIES: [&str; 8] = [
    "gemma2",
    "gemma3_text",
    "gpt2",
    "mistral",
    "olmo2",
    "phi",
    "qwen2",
    "qwen3",
];

#[test]
fn numbers_of_families_beyond_their_bounds_are_refused() {
    let mut names = std::collections::BTreeSet::new();
    for family_name in FAMILIES {
        let parts = Parts::new(&prepare(&family(family_name), "m").unwrap());
        let ints = parts.tensors.iter().filter(|(_, t)| t.0 == Dtype::I32);
        for (name, _) in ints {
            let limits = match pairs(name) {
                Some(limits) => limits.to_vec(),
                None => vec![bounds(name)],
            };
            for (index, (low, high)) in limits.into_iter().enumerate() {
                for value in [low - 1, high + 1] {
                    let Ok(value) = i32::try_from(value) else {
                        continue;
                    };
                    let mut damaged = parts.clone();
                    damaged.put_i32(name, index, value);
                    let what = format!("{family_name}: {value} in {name}");
                    assert_eq!(refused(&what, &damaged).kind(), ErrorKind::Corruption);
                }
            }
            names.insert(name.rsplit('.').next().unwrap().to_owned());
            let mut lacking = parts.clone();
            lacking.tensors.remove(name);
            refused(&format!("{family_name}: no {name}"), &lacking);
        }
    }
    assert!(
        names.iter().eq(["b", "be", "cap", "e", "eps", "g", "m"]),
        "{names:?}"
    );
}

/// As `a_model_within_the_bounds_never_panics`: with all that other families have.
#[test]
fn families_within_their_bounds_never_panic() {
    let mut random = Random(12);
    for (number, family_name) in FAMILIES.iter().enumerate() {
        let original = Parts::new(&prepare(&family(family_name), "m").unwrap());
        for round in 0..5 {
            let mut parts = original.clone();
            let wild = [1, 3, 12][round % 3];
            for (name, (dtype, _, bytes)) in &mut parts.tensors {
                match dtype {
                    Dtype::I8 => bytes
                        .fill_with(|| [127, 0x81, 0, random.next() as u8 & 127][random.index(4)]),
                    Dtype::U32 => bytes.fill_with(|| random.next() as u8),
                    Dtype::I32 => {
                        for (i, value) in bytes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                            let (low, high) = match pairs(name) {
                                Some(pairs) => pairs[i],
                                None => bounds(name),
                            };
                            let exponent = high == 2000;
                            let number = match random.index(wild) {
                                0 => [low, high][random.index(2)],
                                _ if exponent => random.index(121) as i64 - 60,
                                _ => low + random.index((high - low) as usize) as i64,
                            };
                            *value = (number as i32).to_le_bytes();
                        }
                    }
                    _ => {}
                }
            }
            parts.metadata["residual_frac_bits"] = json!(random.index(25));
            parts.metadata["eps_fixed"] = json!([0, 1, 1u64 << 62][random.index(3)]);
            let prepared = Prepared::from_bytes(parts.bytes()).unwrap();
            let mut first = None;
            for kernel in kernels() {
                let engine = Engine::new(&prepared, kernel).unwrap();
                let ours = logits(&engine, &tokens(&engine, 60, number as u64));
                let first = first.get_or_insert_with(|| ours.clone());
                assert!(ours == *first, "{kernel:?} differs: {family_name}, {round}");
            }
        }
    }
}

/// A prepared model as real numbers is the checkpoint, but for what int8 rounds away: what both give
/// in double precision is nearly the same (tests/families.rs), and every part is there.
#[test]
fn every_part_of_a_family_can_be_read_back() {
    use lmz_model::{Part, Weights};
    for family_name in FAMILIES {
        let checkpoint = family(family_name);
        let prepared = prepare(&checkpoint, "m").unwrap();
        let b = checkpoint.blueprint.clone();
        for part in b.parts() {
            let values = prepared.load(part).unwrap();
            assert_eq!(values.len(), b.part_shape(part).iter().product::<usize>());
            let leveled = matches!(
                part,
                Part::Layer(
                    _,
                    lmz_model::LayerPart::Query
                        | lmz_model::LayerPart::QueryBias
                        | lmz_model::LayerPart::QueryNorm
                        | lmz_model::LayerPart::Key
                        | lmz_model::LayerPart::KeyBias
                        | lmz_model::LayerPart::KeyNorm
                        | lmz_model::LayerPart::Value
                        | lmz_model::LayerPart::ValueBias
                        | lmz_model::LayerPart::Output
                )
            );
            if !leveled {
                let stored = checkpoint.load(part).unwrap();
                let e = error(&values, stored.iter().map(|&w| f64::from(w)));
                assert!(e < 0.015, "{family_name}, {part:?}: {e}");
            }
        }
    }
}
