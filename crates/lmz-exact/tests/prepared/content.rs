//! The identity, and what the integers stand for.

use lmz_exact::{Prepared, prepare};
use lmz_testkit::models::ODD;
use lmz_testkit::repository;
use safetensors::Dtype;
use serde_json::json;

use crate::parts::Parts;
use lmz_testkit::engine::prepared;

#[test]
fn the_identity_is_that_of_the_content() {
    let checkpoint = ODD.model(1).open();
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
    assert_ne!(prepared(ODD, 2).identity(), a.identity());
}

/// Relative error of a dequantised row or matrix.
pub fn error(found: &[f32], wanted: impl Iterator<Item = f64>) -> f64 {
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
    let directory = repository("models/lmz-5m");
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
