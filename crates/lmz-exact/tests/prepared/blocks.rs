//! Matrices in blocks: what they stand for, and numbers within and beyond their bounds.

use lmz_exact::parts::{MAX_FACTOR, MAX_OFFSET};
use lmz_exact::{Engine, Prepared, prepare};
use lmz_model::{LayerPart, Part, Weights};
use lmz_testkit::Random;
use lmz_testkit::engine::{family, kernels, logits, tokens, with_blocks};
use lmz_testkit::models::in_blocks;
use safetensors::Dtype;

use crate::content::error;
use crate::parts::{Parts, open};

/// The weights are the checkpoint's own, but for factors and offsets of 13 bits, whatever type their blocks have.
#[test]
fn blocks_stand_for_the_checkpoint_s_weights() {
    let checkpoint = in_blocks().open();
    let prepared = prepare(&checkpoint, "blocks").unwrap();
    let maps = [LayerPart::Gate, LayerPart::Up, LayerPart::Down];
    let layers =
        (0..checkpoint.blueprint.layers).flat_map(|layer| maps.map(|map| Part::Layer(layer, map)));
    for part in layers.chain([Part::TokenEmbedding]) {
        let wanted = checkpoint.load(part).unwrap().into_iter().map(f64::from);
        let error = error(&prepared.load(part).unwrap(), wanted);
        assert!(error < 0.0005, "{part:?}: {error}");
    }
    // Queries, keys and values of the third layer are not in blocks, and so have int8 rows.
    let parts = Parts::new(&prepared);
    for (name, factors, half_bytes) in [
        ("layers.0.qkv", Some(32), true),
        ("layers.1.qkv", Some(32), false),
        ("layers.2.qkv", None, false),
        ("layers.3.qkv", Some(32), true),
        ("layers.0.o", Some(32), true),
        ("layers.0.down", Some(16), false),
        ("layers.1.down", Some(32), true),
        ("layers.2.down", Some(16), true),
        ("layers.3.down", Some(16), true),
        ("embed", Some(32), false),
    ] {
        let rows = parts.tensors[&format!("{name}.m")].1[0];
        let columns = if name.ends_with("down") { 256 } else { 32 };
        let shape = parts
            .tensors
            .get(&format!("{name}.factors"))
            .map(|t| t.1.clone());
        assert_eq!(
            shape,
            factors.map(|size| vec![rows, columns / size]),
            "{name}"
        );
        let integers = parts
            .tensors
            .get(&format!("{name}.q"))
            .map(|t| t.0 == Dtype::U8);
        assert_eq!(integers, factors.map(|_| half_bytes), "{name}");
        assert_eq!(
            parts.tensors.contains_key(&format!("{name}.w")),
            factors.is_none(),
            "{name}"
        );
    }
    let [half_bytes, bytes] = prepared.block_weights();
    assert!(half_bytes > 0 && bytes > 0 && half_bytes + bytes < prepared.weights());
}

#[test]
fn blocks_beyond_their_bounds_are_refused() {
    let whole = Parts::new(&prepare(&in_blocks().open(), "blocks").unwrap());
    open(whole.bytes()).unwrap();
    let mut accepted = Vec::new();
    let mut case = |what: String, change: &dyn Fn(&mut Parts)| {
        let mut parts = whole.clone();
        change(&mut parts);
        if open(parts.bytes()).is_ok() {
            accepted.push(what);
        }
    };
    for (name, (dtype, shape, _)) in &whole.tensors {
        let limit = match name.rsplit('.').next().unwrap() {
            "factors" => MAX_FACTOR,
            "offsets" => MAX_OFFSET,
            "q" => 0,
            _ => continue,
        };
        if *dtype == Dtype::I16 {
            for value in [limit + 1, -limit - 1, i16::MIN] {
                case(format!("{value} in {name}"), &|parts| {
                    let data = parts.data(name);
                    let at = data.len() - 2;
                    data[at..].copy_from_slice(&value.to_le_bytes());
                });
            }
        }
        case(format!("{name} of another type"), &|parts| {
            let tensor = parts.tensors.get_mut(name).unwrap();
            *tensor = (Dtype::U16, vec![tensor.2.len() / 2], tensor.2.clone());
        });
        case(format!("{name} with a row more"), &|parts| {
            let (_, shape, bytes) = parts.tensors.get_mut(name).unwrap();
            let row = bytes.len() / shape[0];
            shape[0] += 1;
            bytes.resize(bytes.len() + row, 0);
        });
        case(format!("{name} with a column less"), &|parts| {
            let (_, shape, bytes) = parts.tensors.get_mut(name).unwrap();
            let width = bytes.len() / (shape[0] * shape[1]);
            shape[1] -= 1;
            bytes.truncate(shape[0] * shape[1] * width);
        });
        if !name.ends_with("offsets") {
            case(format!("no {name}"), &|parts| {
                drop(parts.tensors.remove(name))
            });
        }
        assert!(shape.len() == 2);
    }
    case("-128 in a block".into(), &|parts| {
        parts.data("layers.0.down.q")[5] = 0x80
    });
    case("blocks in version 1 of the numerics".into(), &|parts| {
        parts.metadata["numerics"] = 1.into()
    });
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
}

/// The largest integers, factors, offsets and scales that a file may have, in all kinds of matrices.
#[test]
fn blocks_within_their_bounds_never_panic() {
    let mut random = Random(21);
    for round in 0..24 {
        let name = ["phi", "gpt2", "qwen3", "gemma2"][round % 4];
        let prepared = prepare(&family(name), name).unwrap();
        let mut parts = Parts::new(&with_blocks(&prepared, round as u64));
        assert!(parts.tensors.contains_key("embed.factors"));
        for (name, (_, _, bytes)) in &mut parts.tensors {
            let largest = match name.rsplit('.').next().unwrap() {
                "m" => i32::MAX,
                "e" => [8, 60, 2000][round % 3],
                _ => continue,
            };
            for value in bytes.as_chunks_mut::<4>().0 {
                let size = match random.index(3) {
                    0 => largest,
                    _ => random.index(largest as usize) as i32,
                };
                let sign = if name.ends_with(".m") {
                    1
                } else {
                    [1, -1][random.index(2)]
                };
                *value = (sign * size).to_le_bytes();
            }
        }
        let prepared = Prepared::from_bytes(parts.bytes()).unwrap();
        let mut first = None;
        for kernel in kernels() {
            let engine = Engine::new(&prepared, kernel).unwrap();
            let ours = logits(&engine, &tokens(&engine, 30, round as u64));
            let first = first.get_or_insert_with(|| ours.clone());
            assert!(ours == *first, "{kernel:?} differs in round {round}");
        }
    }
}
