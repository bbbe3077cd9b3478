//! Numbers within and beyond a Llama's bounds.

use lmz_exact::{Engine, Prepared, prepare};
use lmz_testkit::Random;
use lmz_testkit::models::{NARROW, ODD};
use safetensors::Dtype;
use serde_json::json;

use crate::parts::{Parts, open};
use lmz_testkit::engine::{kernels, logits, prepared, tokens, with_fine_rows};

#[test]
fn numbers_beyond_the_bounds_of_the_text_are_refused() {
    let shifted = {
        // Make sure that there are column shifts to damage.
        let mut model = ODD.model(1);
        let down = model.tensor("model.layers.0.mlp.down_proj.weight");
        down.iter_mut().step_by(40).for_each(|w| *w *= 1000.0);
        Parts::new(&prepare(&model.open(), "shifted").unwrap())
    };
    assert!(shifted.tensors.contains_key("layers.0.down.c"));
    let names = |dtype: Dtype| -> Vec<String> {
        shifted
            .tensors
            .iter()
            .filter(|(_, t)| t.0 == dtype)
            .map(|(name, _)| name.clone())
            .collect()
    };
    let mut cases: Vec<(String, Parts)> = Vec::new();
    let mut case = |what: String, change: &dyn Fn(&mut Parts)| {
        let mut parts = shifted.clone();
        change(&mut parts);
        cases.push((what, parts));
    };
    for name in names(Dtype::I8) {
        case(format!("-128 in {name}"), &|parts| {
            *parts.data(&name).last_mut().unwrap() = 0x80
        });
    }
    for name in names(Dtype::I32) {
        let values: &[i32] = match name.rsplit('.').next().unwrap() {
            "m" => &[-1, i32::MIN],
            "g" => &[1 << 21, -(1 << 21), i32::MIN],
            "e" => &[2001, -2001, i32::MIN],
            other => panic!("what is {other}?"),
        };
        for &value in values {
            case(format!("{value} in {name}"), &|parts| {
                parts.put_i32(&name, 0, value)
            });
        }
    }
    case("a shift of 21".into(), &|parts| {
        parts.data("layers.0.down.c")[1] = 21
    });
    case("a longer token".into(), &|parts| {
        parts.data("vocab.len")[0] += 1
    });
    case("a shorter token".into(), &|parts| {
        parts.data("vocab.len")[0] -= 1
    });
    case("no token at all".into(), &|parts| {
        parts.data("vocab.len").fill(0);
        parts
            .tensors
            .insert("vocab.bytes".into(), (Dtype::U8, vec![0], Vec::new()));
    });
    case("a damaged tokenizer".into(), &|parts| {
        parts.data("tokenizer")[0] ^= 1
    });
    for name in shifted.tensors.keys().filter(|name| !name.ends_with(".c")) {
        case(format!("no {name}"), &|parts| {
            drop(parts.tensors.remove(name))
        });
        case(format!("{name} of another type"), &|parts| {
            let tensor = parts.tensors.get_mut(name).unwrap();
            let bytes = tensor.2.len();
            *tensor = match tensor.0 {
                Dtype::U8 => (Dtype::I8, vec![bytes], tensor.2.clone()),
                _ => (Dtype::U8, vec![bytes], tensor.2.clone()),
            };
        });
        if name != "vocab.bytes" && name != "tokenizer" {
            case(format!("{name} with another rank"), &|parts| {
                parts.tensors.get_mut(name).unwrap().1.push(1)
            });
            case(format!("{name} doubled"), &|parts| {
                let tensor = parts.tensors.get_mut(name).unwrap();
                tensor.1[0] *= 2;
                tensor.2 = [&tensor.2[..], &tensor.2].concat();
            });
        }
    }
    let accepted: Vec<String> = cases
        .into_iter()
        .filter(|(_, p)| open(p.bytes()).is_ok())
        .map(|(what, _)| what)
        .collect();
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
}

#[test]
fn a_model_within_the_bounds_never_panics() {
    let mut random = Random(11);
    for round in 0..60 {
        let plain = prepared([ODD, NARROW][round % 2], 1);
        let fine = (round % 3 == 2).then(|| with_fine_rows(&plain, round as u64));
        let mut parts = Parts::new(fine.as_ref().unwrap_or(&plain));
        let wild = [1, 3, 12][round % 3];
        let columns = parts.tensors["layers.0.down.w"].1[1];
        let shifts = (0..columns).map(|_| random.index(21) as u8).collect();
        parts
            .tensors
            .insert("layers.0.down.c".into(), (Dtype::U8, vec![columns], shifts));
        for (name, (dtype, _, bytes)) in &mut parts.tensors {
            match dtype {
                Dtype::I8 => {
                    bytes.fill_with(|| [127, 0x81, 0, random.next() as u8 & 127][random.index(4)])
                }
                Dtype::U32 if name.ends_with(".fine") => {}
                Dtype::U32 => bytes.fill_with(|| random.next() as u8),
                Dtype::I32 => {
                    for value in bytes.as_chunks_mut::<4>().0 {
                        let largest = match name.rsplit('.').next().unwrap() {
                            "m" => i32::MAX,
                            "g" => (1 << 21) - 1,
                            _ => [8, 60, 2000][random.index(3)],
                        };
                        let sign = if name.ends_with(".m") {
                            1
                        } else {
                            [1, -1][random.index(2)]
                        };
                        let size = if random.index(wild) == 0 {
                            largest
                        } else {
                            random.index(largest as usize) as i32
                        };
                        *value = (sign * size).to_le_bytes();
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
            let ours = logits(&engine, &tokens(&engine, 40, round as u64));
            let first = first.get_or_insert_with(|| ours.clone());
            assert!(ours == *first, "{kernel:?} differs in round {round}");
        }
    }
}
