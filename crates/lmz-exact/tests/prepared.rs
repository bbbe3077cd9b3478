//! Prepared models from outside: whatever the bytes, an error or an engine, and no panic.

mod common;

use std::collections::{BTreeMap, HashMap};

use common::{NARROW, ODD, Random, family, kernels, logits, tokens};
use lmz_exact::{Engine, ExactError, Kernel, NUMERICS_VERSION, Prepared, prepare};
use lmz_model::ErrorKind;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

/// A prepared model taken apart.
#[derive(Clone)]
struct Parts {
    metadata: Value,
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl Parts {
    fn new(prepared: &Prepared) -> Self {
        let bytes = prepared.as_bytes();
        let (_, index) = SafeTensors::read_metadata(bytes).unwrap();
        let text = &index.metadata().as_ref().unwrap()["lmzm"];
        let tensors = SafeTensors::deserialize(bytes).unwrap();
        let part = |(name, view): (String, TensorView<'_>)| {
            (
                name,
                (view.dtype(), view.shape().to_vec(), view.data().to_vec()),
            )
        };
        Self {
            metadata: serde_json::from_str(text).unwrap(),
            tensors: tensors.tensors().into_iter().map(part).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let info = HashMap::from([("lmzm".to_owned(), self.metadata.to_string())]);
        let view = |(dtype, shape, bytes): &'_ (Dtype, Vec<usize>, Vec<u8>)| {
            (*dtype, shape.clone(), bytes.clone())
        };
        let owned: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, part)| (name, view(part)))
            .collect();
        let views = owned.iter().map(|(name, (dtype, shape, bytes))| {
            (
                name.as_str(),
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        });
        safetensors::serialize(views, Some(info)).unwrap()
    }

    fn data(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.tensors.get_mut(name).unwrap().2
    }

    fn put_i32(&mut self, name: &str, index: usize, value: i32) {
        self.data(name)[4 * index..4 * index + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// All that a program does with the bytes of a prepared model.
fn open(bytes: Vec<u8>) -> Result<(Prepared, Engine), ExactError> {
    let prepared = Prepared::from_bytes(bytes)?;
    prepared.vocabulary()?;
    prepared.tokenizer_json()?;
    let engine = Engine::new(&prepared, Kernel::detect())?;
    Ok((prepared, engine))
}

fn refused(what: &str, parts: &Parts) -> ExactError {
    match open(parts.bytes()) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            error
        }
        Ok(_) => panic!("accepted: {what}"),
    }
}

#[test]
fn what_was_taken_apart_and_put_together_is_the_same() {
    let prepared = ODD.prepared(1, "prepared-same");
    let (again, engine) = open(Parts::new(&prepared).bytes()).unwrap();
    assert_eq!(again.identity(), prepared.identity());
    assert_eq!(engine.identity(), prepared.identity());
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = ODD.prepared(1, "prepared-cut").as_bytes().to_vec();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let cuts = (0..header.min(200))
        .chain((200..bytes.len()).step_by(61))
        .chain([header - 1, header, bytes.len() - 1]);
    for cut in cuts {
        let error = open(bytes[..cut].to_vec())
            .map(|_| ())
            .expect_err("a truncated model was accepted");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::InvalidArgument | ErrorKind::Corruption
            ),
            "{cut}: {error}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(open(longer).is_err(), "a byte too many was accepted");
}

#[test]
fn flipped_bits_of_the_header_never_panic() {
    let original = NARROW.prepared(1, "prepared-flips");
    let bytes = original.as_bytes();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let engine = Engine::new(&original, Kernel::detect()).unwrap();
    let expected = logits(&engine, &tokens(&engine, 9, 1));
    let mut random = Random(3);
    let (mut errors, mut harmless) = (0, 0);
    for at in 0..header {
        for bit in [random.below(8), random.below(8)] {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1 << bit;
            match open(damaged) {
                Err(_) => errors += 1,
                Ok((prepared, engine)) => {
                    // Name and checkpoint are no part of the identity, all else is.
                    let same = prepared.identity() == original.identity();
                    if prepared.name != original.name || prepared.checkpoint != original.checkpoint
                    {
                        assert!(same, "byte {at}, bit {bit}");
                    }
                    if same {
                        assert_eq!(
                            prepared.blueprint, original.blueprint,
                            "byte {at}, bit {bit}"
                        );
                        assert_eq!(prepared.residual_frac_bits, original.residual_frac_bits);
                        assert_eq!(prepared.eps_fixed, original.eps_fixed);
                        let tokens = tokens(&engine, 9, 1);
                        assert!(logits(&engine, &tokens) == expected, "byte {at}, bit {bit}");
                    }
                    harmless += 1;
                }
            }
        }
    }
    assert!(
        errors > 20 * harmless,
        "{errors} errors and {harmless} accepted"
    );
}

#[test]
fn random_bytes_are_an_error() {
    let mut random = Random(9);
    for _ in 0..500 {
        let n = random.below(400);
        let mut bytes: Vec<u8> = (0..n).map(|_| random.next() as u8).collect();
        if n > 8 && random.below(2) == 0 {
            bytes[..8].copy_from_slice(&(n as u64 - 8).to_le_bytes());
            bytes[8] = b'{';
        }
        assert!(open(bytes).is_err());
    }
    for length in [0, 1, u64::MAX, u64::MAX - 8, 1 << 40] {
        assert!(open(length.to_le_bytes().to_vec()).is_err());
    }
}

#[test]
fn other_versions_are_named() {
    let parts = Parts::new(&ODD.prepared(1, "prepared-versions"));
    for (field, value) in [
        ("version", 2),
        ("version", 0),
        ("recipe", 2),
        ("numerics", 2),
    ] {
        let mut other = parts.clone();
        other.metadata[field] = json!(value);
        if field == "version" {
            // A later file version may have other fields.
            other.metadata["something"] = json!({ "new": [1, 2] });
        }
        let error = refused(field, &other);
        assert!(
            matches!(error, ExactError::Version { found, .. } if found == value),
            "{field}: {error}"
        );
        assert_eq!(error.kind(), ErrorKind::Compatibility);
    }
}

#[test]
fn a_model_for_the_draft_of_the_numerics_differs_only_in_its_identity() {
    let model = ODD.prepared(1, "prepared-draft");
    assert_eq!(model.numerics, NUMERICS_VERSION);
    let draft = model.for_numerics(0).unwrap();
    assert_eq!(draft.numerics, 0);
    assert_ne!(draft.identity(), model.identity());
    let (mut ours, theirs) = (Parts::new(&model), Parts::new(&draft));
    ours.metadata["numerics"] = json!(0);
    assert_eq!(ours.metadata, theirs.metadata);
    assert!(ours.tensors == theirs.tensors);
    let back = draft.for_numerics(NUMERICS_VERSION).unwrap();
    assert!(back.as_bytes() == model.as_bytes());
    let unknown = model.for_numerics(NUMERICS_VERSION + 1).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Compatibility);
}

#[test]
fn a_checkpoint_is_not_a_prepared_model() {
    let mut parts = Parts::new(&ODD.prepared(1, "prepared-plain"));
    let weights = safetensors::serialize(
        parts
            .tensors
            .iter()
            .map(|(n, (d, s, b))| (n.as_str(), TensorView::new(*d, s.clone(), b).unwrap())),
        None,
    );
    assert!(matches!(
        open(weights.unwrap()),
        Err(ExactError::NotPrepared(_))
    ));
    parts.metadata = json!("no object");
    assert!(matches!(
        refused("metadata", &parts),
        ExactError::Damaged(_)
    ));
}

#[test]
fn metadata_out_of_range_is_refused() {
    let parts = Parts::new(&ODD.prepared(1, "prepared-metadata"));
    for (field, value) in [
        ("residual_frac_bits", json!(25)),
        ("residual_frac_bits", json!(-1)),
        ("eps_fixed", json!((1u64 << 62) + 1)),
        ("eps_fixed", json!(0.5)),
        ("name", json!("x".repeat(256))),
        ("checkpoint", json!("xyz")),
        ("blueprint", json!("{}")),
        ("blueprint", json!({ "hidden_size": 24 })),
        ("unknown_field", json!(1)),
    ] {
        let mut damaged = parts.clone();
        damaged.metadata[field] = value.clone();
        let error = refused(&format!("{field} = {value}"), &damaged);
        assert_eq!(error.kind(), ErrorKind::Corruption, "{field}: {error}");
        damaged.metadata.as_object_mut().unwrap().remove(field);
        if parts.metadata.get(field).is_some() {
            refused(&format!("no {field}"), &damaged);
        }
    }
    let text = parts.metadata["blueprint"].as_str().unwrap();
    let blueprint: Value = serde_json::from_str(text).unwrap();
    for (field, value) in [
        ("hidden_size", json!(0)),
        ("hidden_size", json!(25)),
        ("hidden_size", json!(1 << 16)),
        ("intermediate_size", json!(1u64 << 40)),
        ("layers", json!(3)),
        ("layers", json!(1u64 << 33)),
        ("heads", json!(0)),
        ("kv_heads", json!(2)),
        ("head_dim", json!(7)),
        ("head_dim", json!(8)),
        ("vocab_size", json!(38)),
        ("start_token", json!(37)),
        ("tied_head", json!("yes")),
        ("surprise", json!(0)),
    ] {
        let mut damaged = parts.clone();
        let mut blueprint = blueprint.clone();
        blueprint[field] = value.clone();
        damaged.metadata["blueprint"] = json!(blueprint.to_string());
        refused(&format!("blueprint.{field} = {value}"), &damaged);
    }
}

#[test]
fn numbers_beyond_the_bounds_of_the_text_are_refused() {
    let shifted = {
        // Make sure that there are column shifts to damage.
        let mut model = ODD.model(1);
        let down = model.tensor("model.layers.0.mlp.down_proj.weight");
        down.iter_mut().step_by(40).for_each(|w| *w *= 1000.0);
        Parts::new(&prepare(&model.open("prepared-shifted"), "shifted").unwrap())
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
        let mut parts = Parts::new(
            &[ODD, NARROW][round % 2].prepared(1, &format!("prepared-hostile-{}", round % 2)),
        );
        let wild = [1, 3, 12][round % 3];
        let columns = parts.tensors["layers.0.down.w"].1[1];
        let shifts = (0..columns).map(|_| random.below(21) as u8).collect();
        parts
            .tensors
            .insert("layers.0.down.c".into(), (Dtype::U8, vec![columns], shifts));
        for (name, (dtype, _, bytes)) in &mut parts.tensors {
            match dtype {
                Dtype::I8 => {
                    bytes.fill_with(|| [127, 0x81, 0, random.next() as u8 & 127][random.below(4)])
                }
                Dtype::U32 => bytes.fill_with(|| random.next() as u8),
                Dtype::I32 => {
                    for value in bytes.as_chunks_mut::<4>().0 {
                        let largest = match name.rsplit('.').next().unwrap() {
                            "m" => i32::MAX,
                            "g" => (1 << 21) - 1,
                            _ => [8, 60, 2000][random.below(3)],
                        };
                        let sign = if name.ends_with(".m") {
                            1
                        } else {
                            [1, -1][random.below(2)]
                        };
                        let size = if random.below(wild) == 0 {
                            largest
                        } else {
                            random.below(largest as usize) as i32
                        };
                        *value = (sign * size).to_le_bytes();
                    }
                }
                _ => {}
            }
        }
        parts.metadata["residual_frac_bits"] = json!(random.below(25));
        parts.metadata["eps_fixed"] = json!([0, 1, 1u64 << 62][random.below(3)]);
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
                        .fill_with(|| [127, 0x81, 0, random.next() as u8 & 127][random.below(4)]),
                    Dtype::U32 => bytes.fill_with(|| random.next() as u8),
                    Dtype::I32 => {
                        for (i, value) in bytes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                            let (low, high) = match pairs(name) {
                                Some(pairs) => pairs[i],
                                None => bounds(name),
                            };
                            let exponent = high == 2000;
                            let number = match random.below(wild) {
                                0 => [low, high][random.below(2)],
                                _ if exponent => random.below(121) as i64 - 60,
                                _ => low + random.below((high - low) as usize) as i64,
                            };
                            *value = (number as i32).to_le_bytes();
                        }
                    }
                    _ => {}
                }
            }
            parts.metadata["residual_frac_bits"] = json!(random.below(25));
            parts.metadata["eps_fixed"] = json!([0, 1, 1u64 << 62][random.below(3)]);
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

#[test]
fn the_identity_is_that_of_the_content() {
    let checkpoint = ODD.model(1).open("prepared-identity");
    let (a, b) = (
        prepare(&checkpoint, "a").unwrap(),
        prepare(&checkpoint, "another name").unwrap(),
    );
    assert_eq!(a.identity(), b.identity());
    assert_ne!(a.name, b.name);
    let parts = Parts::new(&a);
    let identity = |parts: &Parts| Prepared::from_bytes(parts.bytes()).unwrap().identity();
    let mut seen = vec![a.identity()];
    for name in parts.tensors.keys() {
        let mut other = parts.clone();
        // The lowest bit of the last element.
        let data = other.data(name);
        let at = data.len() - 1;
        data[at] ^= 1;
        seen.push(identity(&other));
    }
    for (field, value) in [("residual_frac_bits", json!(1)), ("eps_fixed", json!(1))] {
        let mut other = parts.clone();
        other.metadata[field] = value;
        seen.push(identity(&other));
    }
    let mut longer = parts.clone();
    longer
        .tensors
        .insert("extra".into(), (Dtype::U8, vec![1], vec![0]));
    seen.push(identity(&longer));
    let mut moved = parts.clone();
    let blueprint = moved.metadata["blueprint"]
        .as_str()
        .unwrap()
        .replace("\"max_positions\":512", "\"max_positions\":513");
    moved.metadata["blueprint"] = json!(blueprint);
    seen.push(identity(&moved));
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count, "two contents have one identity");
    // Another seed, another model.
    assert_ne!(
        ODD.prepared(2, "prepared-identity-2").identity(),
        a.identity()
    );
}

/// Relative error of a dequantised row or matrix.
fn error(found: &[f32], wanted: impl Iterator<Item = f64>) -> f64 {
    let (mut off, mut all) = (0.0, 0.0);
    for (&found, wanted) in found.iter().zip(wanted) {
        off += (f64::from(found) - wanted).powi(2);
        all += wanted * wanted;
    }
    (off / all.max(f64::MIN_POSITIVE)).sqrt()
}

/// The matrices of a prepared model as real numbers are the checkpoint's, but for what int8 rounds
/// away and for powers of two that cancel between queries and keys, values and the output map.
#[test]
fn dequantised_weights_are_the_checkpoint_s() {
    use lmz_model::{Checkpoint, LayerPart, Part, Weights};
    let directory = common::repository("models/lmz-5m");
    let checkpoint = Checkpoint::open(directory).unwrap();
    let prepared = prepare(&checkpoint, "m").unwrap();
    let b = checkpoint.blueprint.clone();
    let stored = |part: Part| -> Vec<f64> {
        let values = checkpoint.load(part).unwrap();
        values.into_iter().map(f64::from).collect()
    };
    let alike = |part: Part, wanted: &[f64]| {
        let e = error(&prepared.load(part).unwrap(), wanted.iter().copied());
        assert!(e < 0.015, "{part:?}: {e}");
    };
    alike(Part::TokenEmbedding, &stored(Part::TokenEmbedding));
    alike(Part::FinalNorm, &stored(Part::FinalNorm));
    assert!(prepared.load(Part::HeadBias).is_err() && prepared.load(Part::Head).is_err());
    assert!(
        prepared
            .load(Part::Layer(b.layers, LayerPart::Gate))
            .is_err()
    );
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    for layer in 0..b.layers {
        let at = |part| Part::Layer(layer, part);
        for part in [
            LayerPart::AttentionNorm,
            LayerPart::FeedForwardNorm,
            LayerPart::Gate,
            LayerPart::Up,
            LayerPart::Down,
        ] {
            alike(at(part), &stored(at(part)));
        }
        let found = |part| -> Vec<f64> {
            let values = prepared.load(at(part)).unwrap();
            values.into_iter().map(f64::from).collect()
        };
        let width = b.hidden_size;
        let shared =
            |row: usize| row / b.head_dim / (b.heads / b.kv_heads) * b.head_dim + row % b.head_dim;
        let row = |m: &[f64], r: usize| m[r * width..(r + 1) * width].to_vec();
        let mixed = [
            LayerPart::Query,
            LayerPart::Key,
            LayerPart::Value,
            LayerPart::Output,
        ];
        let [q, k, v, o] = mixed.map(|part| stored(at(part)));
        let [fq, fk, fv, fo] = mixed.map(found);
        let columns = b.heads * b.head_dim;
        for r in 0..columns {
            let s = shared(r);
            let scaled = |row: Vec<f64>, by: f64| row.into_iter().map(move |x| x * by);
            let by = norm(&row(&fk, s));
            let left: Vec<f32> = scaled(row(&fq, r), by).map(|x| x as f32).collect();
            let e = error(&left, scaled(row(&q, r), norm(&row(&k, s))));
            assert!(e < 0.03, "layer {layer}, query row {r}: {e}");
            let column = |m: &[f64]| (0..width).map(|i| m[i * columns + r]).collect::<Vec<_>>();
            let by = norm(&row(&fv, s));
            let left: Vec<f32> = scaled(column(&fo), by).map(|x| x as f32).collect();
            let e = error(&left, scaled(column(&o), norm(&row(&v, s))));
            assert!(e < 0.03, "layer {layer}, output column {r}: {e}");
        }
    }
}
