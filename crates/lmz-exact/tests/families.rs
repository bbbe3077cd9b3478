//! Every family of the parity fixtures (tests/fixtures/families): logits against those of Hugging
//! Face transformers, and against double precision.

#[path = "common/float.rs"]
mod float;

use std::path::PathBuf;

use float::Float;
use lmz_exact::{BLOCK_RECIPE, Engine, Kernel, LEVEL_RECIPE, Prepared, prepare, prepare_as};
use lmz_model::ErrorKind;
use lmz_testkit::engine::family;
use lmz_testkit::models::{in_blocks, scale_blocks};
use lmz_testkit::repository;
use safetensors::SafeTensors;

/// What the integer engine refuses.
const REFUSED: [(&str, &str); 1] = [("mixtral", "sparse experts")];

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(repository("tests/fixtures/families")).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().path())
        .filter(|path| path.join("logits.safetensors").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 23);
    names
}

fn supported() -> Vec<String> {
    let names = names().into_iter();
    names
        .filter(|name| REFUSED.iter().all(|(refused, _)| refused != name))
        .collect()
}

/// The fixture's sequences with transformers' logits of each.
fn expected(name: &str) -> Vec<(Vec<u32>, Vec<f64>)> {
    let path: PathBuf = repository("tests/fixtures/families").join(name);
    let bytes = std::fs::read(path.join("logits.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (tokens, logits) = (
        file.tensor("tokens").unwrap(),
        file.tensor("logits").unwrap(),
    );
    let length = tokens.shape()[1];
    let all: Vec<u32> = tokens
        .data()
        .as_chunks::<8>()
        .0
        .iter()
        .map(|b| i64::from_le_bytes(*b) as u32)
        .collect();
    let values: Vec<f64> = logits
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b).into())
        .collect();
    let each = values.len() / (all.len() / length);
    all.chunks(length)
        .map(<[u32]>::to_vec)
        .zip(values.chunks(each).map(<[f64]>::to_vec))
        .collect()
}

/// The engine's logits in nats with the reference's of the same symbols, position by position.
fn side_by_side(engine: &Engine, tokens: &[u32], reference: &[f64]) -> Vec<(f64, f64)> {
    let vocab_size = reference.len() / tokens.len();
    let logits = lmz_testkit::engine::logits(engine, tokens);
    let rows = logits.iter().zip(reference.chunks_exact(vocab_size));
    rows.flat_map(|(ours, reference)| {
        let symbols = engine.symbols().tokens().iter();
        ours.iter().zip(symbols).map(|(&ours, &token)| {
            let nats = f64::from(ours) / 65536.0 * std::f64::consts::LN_2;
            (nats, reference[token as usize])
        })
    })
    .collect()
}

/// Root mean square of the differences over the deviation of the reference.
fn relative(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = pairs.iter().map(|(_, r)| r).sum::<f64>() / n;
    let off: f64 = pairs.iter().map(|(a, r)| (a - r).powi(2)).sum();
    let all: f64 = pairs.iter().map(|(_, r)| (r - mean).powi(2)).sum();
    (off / all).sqrt()
}

#[test]
fn double_precision_is_transformers() {
    for name in supported() {
        let checkpoint = family(&name);
        let model = Float::new(std::ops::Deref::deref(&checkpoint));
        for (tokens, logits) in expected(&name) {
            let ours = model.forward(&tokens, &mut |_, _| {});
            let worst = ours
                .iter()
                .zip(&logits)
                .fold(0f64, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst < 5e-5, "{name}: {worst:e}");
        }
    }
}

/// Against transformers the weights' rounding counts, against the prepared weights in double
/// precision the activations' alone. Both bounds are those of docs/numerics.md, section 8.
#[test]
fn logits_are_those_of_transformers() {
    for name in supported() {
        let checkpoint = family(&name);
        let layers = checkpoint.blueprint.layers as f64;
        let prepared = prepare(&checkpoint, &name).unwrap();
        let engine = Engine::new(&prepared, Kernel::detect()).unwrap();
        let dequantised = Float::new(&prepared);
        let (mut all, mut own) = (Vec::new(), Vec::new());
        for (tokens, logits) in expected(&name) {
            all.extend(side_by_side(&engine, &tokens, &logits));
            let same = dequantised.forward(&tokens, &mut |_, _| {});
            own.extend(side_by_side(&engine, &tokens, &same));
        }
        let (all, own) = (relative(&all) / layers, relative(&own) / layers);
        println!(
            "{name:20} a layer {:.3} % against transformers, {:.4} % of it not by the weights",
            100.0 * all,
            100.0 * own
        );
        assert!(all < 0.025, "{name}: {all}");
        assert!(own < 0.003, "{name}: {own}");
    }
}

/// Blocks cost nothing: the logits are those of double precision on the checkpoint's own weights, but for what the rounding of activations
/// makes. Of int8 rows they would be ten times as far away.
#[test]
fn logits_of_blocks_are_those_of_the_checkpoint() {
    let checkpoint = in_blocks().open();
    let layers = checkpoint.blueprint.layers as f64;
    let prepared = prepare(&checkpoint, "blocks").unwrap();
    assert_eq!((prepared.recipe, prepared.numerics), (3, 2));
    let engine = Engine::new(&prepared, Kernel::detect()).unwrap();
    let tokens = lmz_testkit::engine::tokens(&engine, 60, 5);
    let [own, whole] = [
        Float::new(&prepared).forward(&tokens, &mut |_, _| {}),
        Float::new(std::ops::Deref::deref(&checkpoint)).forward(&tokens, &mut |_, _| {}),
    ];
    let distance =
        |reference: &[f64]| relative(&side_by_side(&engine, &tokens, reference)) / layers;
    let (own, whole) = (distance(&own), distance(&whole));
    println!(
        "blocks: {:.4} % a layer against the checkpoint, {:.4} % of it not by the weights",
        100.0 * whole,
        100.0 * own
    );
    assert!(whole < 0.001 && own < 0.001, "{whole}, {own}");
}

/// Beside large queries and keys small values have few of the bits that one exponent leaves: recipe 4 raises them.
#[test]
fn values_beside_large_scores_keep_their_bits() {
    let mut file = in_blocks();
    for tensor in &mut file.tensors {
        match tensor.name.as_str() {
            "blk.0.attn_q.weight" | "blk.0.attn_k.weight" => scale_blocks(tensor, 8.0),
            "blk.0.attn_v.weight" => scale_blocks(tensor, 1.0 / 1024.0),
            "blk.0.attn_output.weight" => scale_blocks(tensor, 1024.0),
            _ => {}
        }
    }
    let checkpoint = file.open();
    let distance = |newest: u8| {
        let prepared = prepare_as(&checkpoint, "large", newest).unwrap();
        assert_eq!((prepared.recipe, prepared.numerics), (newest, 2));
        let engine = Engine::new(&prepared, Kernel::detect()).unwrap();
        let tokens = lmz_testkit::engine::tokens(&engine, 60, 5);
        let own = Float::new(&prepared).forward(&tokens, &mut |_, _| {});
        relative(&side_by_side(&engine, &tokens, &own))
    };
    let (before, now) = (distance(BLOCK_RECIPE), distance(LEVEL_RECIPE));
    println!("small values: {before:.2e} by recipe 3, {now:.2e} by recipe 4");
    assert!(now < before / 4.0, "{now}, {before}");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (name, feature) in REFUSED {
        let error = prepare(&family(name), name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compatibility);
        assert!(error.to_string().contains(feature), "{error}");
    }
}

/// The file says all: what is read back gives the same logits.
#[test]
fn prepared_files_are_whole() {
    for name in supported() {
        let prepared = prepare(&family(&name), &name).unwrap();
        let again = Prepared::from_bytes(prepared.as_bytes().to_vec()).unwrap();
        assert_eq!(again.identity(), prepared.identity());
        let (tokens, _) = expected(&name).remove(0);
        let logits = |p: &Prepared| {
            let engine = Engine::new(p, Kernel::detect()).unwrap();
            lmz_testkit::engine::logits(&engine, &tokens)
        };
        assert!(logits(&prepared) == logits(&again), "{name}");
    }
}
