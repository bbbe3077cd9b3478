//! Every family's logits against those of Hugging Face transformers, on every device there is.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lmz_float::{Device, Generator, Scorer, ScoringOptions, Window};
use lmz_model::Network;
use safetensors::SafeTensors;

/// Largest absolute difference of logits, in f32.
const TOLERANCE: f32 = 1e-4;

const FAMILIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/families");

struct Fixture {
    name: String,
    network: Arc<Network>,
    tokens: Vec<Vec<u32>>,
    /// For each sequence `[tokens, vocab_size]`.
    logits: Vec<Vec<f32>>,
}

fn fixtures() -> Vec<Fixture> {
    let mut directories: Vec<PathBuf> = std::fs::read_dir(FAMILIES)
        .expect("the fixtures are part of the repository")
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.join("logits.safetensors").exists())
        .collect();
    directories.sort();
    assert!(directories.len() >= 15, "fixtures are missing");
    directories.iter().map(|path| fixture(path)).collect()
}

fn fixture(directory: &Path) -> Fixture {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let network = Network::open(directory).unwrap_or_else(|e| panic!("{name}: {e}"));
    let bytes = std::fs::read(directory.join("logits.safetensors")).expect("readable");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let tokens = file.tensor("tokens").expect("tokens");
    let logits = file.tensor("logits").expect("logits");
    let length = tokens.shape()[1];
    let tokens: Vec<u32> = tokens
        .data()
        .chunks_exact(8)
        .map(|b| i64::from_le_bytes(b.try_into().expect("8 bytes")) as u32)
        .collect();
    let logits: Vec<f32> = logits
        .data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")))
        .collect();
    let vocab_size = logits.len() / tokens.len();
    Fixture {
        name: name.into_owned(),
        network: Arc::new(network),
        tokens: tokens.chunks(length).map(<[u32]>::to_vec).collect(),
        logits: logits
            .chunks(length * vocab_size)
            .map(<[f32]>::to_vec)
            .collect(),
    }
}

fn open(fixture: &Fixture, device: Device) -> Scorer {
    let options = ScoringOptions {
        device,
        ..ScoringOptions::default()
    };
    Scorer::open(fixture.network.clone(), options)
        .unwrap_or_else(|e| panic!("{}: {e}", fixture.name))
}

/// Logits of all families on one device, and surprisals against those logits.
fn check(device: Device) {
    let mut failed = Vec::new();
    for fixture in fixtures() {
        let mut scorer = open(&fixture, device);
        assert_eq!(scorer.notice(), None);
        let rows: Vec<&[u32]> = fixture.tokens.iter().map(Vec::as_slice).collect();
        let logits = scorer.logits(&rows).expect("logits");
        let mut worst = 0.0_f32;
        for (ours, theirs) in logits.iter().zip(&fixture.logits) {
            worst = worst.max(common::difference(ours, theirs));
        }
        println!("{device} {:20} {worst:.1e}", fixture.name);
        if worst > TOLERANCE {
            failed.push(format!("{}: {worst}", fixture.name));
        }

        // Different lengths in one batch, so that the padding is at work too.
        let windows: Vec<Window<'_>> = rows
            .iter()
            .enumerate()
            .map(|(i, row)| Window {
                tokens: &row[..row.len() - 3 * i],
                scored: row.len() - 3 * i - 1 - i,
            })
            .collect();
        let scored = scorer.surprisals(&windows).expect("surprisals");
        for (i, (window, scored)) in windows.iter().zip(&scored).enumerate() {
            let vocab_size = fixture.network.blueprint.vocab_size;
            let expected = surprisals(window, &fixture.logits[i], vocab_size);
            let worst = common::difference(scored, &expected);
            if worst > 2.0 * TOLERANCE {
                failed.push(format!("{}, surprisals: {worst}", fixture.name));
            }
        }
        let worst = continued(&fixture, &mut scorer, device);
        if worst > TOLERANCE {
            failed.push(format!("{}, behind a context: {worst}", fixture.name));
        }
    }
    assert!(failed.is_empty(), "on {device}: {failed:#?}");
}

/// How far windows behind a context, some of which begin alike, are from the same tokens as windows of their own.
fn continued(fixture: &Fixture, scorer: &mut Scorer, device: Device) -> f32 {
    let options = ScoringOptions {
        device,
        ..ScoringOptions::default()
    };
    let mut generator = Generator::open(fixture.network.clone(), options)
        .unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
    let row = &fixture.tokens[0];
    let other = &fixture.tokens[fixture.tokens.len() - 1];
    let mut worst = 0.0_f32;
    for context in [0, 1, 5] {
        // How many tokens two texts have in common, how many of their own, and how many of those are scored.
        let shapes = [
            (10, 3, 2),
            (10, 1, 1),
            (10, 4, 4),
            (12, 5, 1),
            (0, 9, 8),
            (2, 4, 1),
        ];
        let texts = shapes
            .iter()
            .enumerate()
            .map(|(number, &(alike, own, scored))| {
                let own = &other[number..number + own];
                ([&row[..context + alike], own].concat(), scored)
            });
        let texts: Vec<(Vec<u32>, usize)> = texts.collect();
        let windows = |from: usize| -> Vec<Window<'_>> {
            let each = texts.iter().map(|(tokens, scored)| Window {
                tokens: &tokens[from..],
                scored: *scored,
            });
            each.collect()
        };
        let expected = scorer.surprisals(&windows(0)).expect("surprisals");
        generator
            .begin(&row[..context], context)
            .expect("a context");
        for with_first in [false, true] {
            let found = generator.continuations(&windows(context), with_first);
            for (found, expected) in found.expect("continuations").iter().zip(&expected) {
                let nats: Vec<f32> = found.iter().map(|one| one.nats).collect();
                worst = worst.max(common::difference(&nats, expected));
            }
        }
    }
    worst
}

/// From logits, in f64.
fn surprisals(window: &Window<'_>, logits: &[f32], vocab_size: usize) -> Vec<f32> {
    let first = window.tokens.len() - window.scored;
    (first..window.tokens.len())
        .map(|position| {
            let row = &logits[(position - 1) * vocab_size..][..vocab_size];
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|&l| f64::from(l - max).exp()).sum();
            let target = row[window.tokens[position] as usize];
            (sum.ln() - f64::from(target - max)) as f32
        })
        .collect()
}

#[test]
fn cpu() {
    check(Device::Cpu);
}

#[test]
#[ignore = "needs a card or Vulkan in software, and a build with `vulkan` or `cuda`"]
fn other_devices() {
    let all = lmz_float::available().into_iter().map(|info| info.device);
    let others: Vec<Device> = all.filter(|device| *device != Device::Cpu).collect();
    assert!(!others.is_empty(), "there is no device but the CPU");
    others.into_iter().for_each(check);
}

/// Step by step over the cache, then in pieces, against the whole pass.
#[test]
fn the_cache_changes_nothing() {
    for fixture in fixtures() {
        let mut generator = lmz_float::Generator::open(
            fixture.network.clone(),
            ScoringOptions {
                device: Device::Cpu,
                ..ScoringOptions::default()
            },
        )
        .expect("the model opens");
        let (tokens, logits) = (&fixture.tokens[0], &fixture.logits[0]);
        let vocab_size = logits.len() / tokens.len();
        for piece in [1, 5] {
            generator.restart();
            let mut seen = 0;
            for piece in tokens.chunks(piece) {
                let ours = generator.advance(piece).expect("logits");
                seen += piece.len();
                let theirs = &logits[(seen - 1) * vocab_size..][..vocab_size];
                let worst = common::difference(&ours, theirs);
                assert!(worst <= TOLERANCE, "{} at {seen}: {worst}", fixture.name);
            }
        }
    }
}

/// Texts of different lengths that grow at the same time, against the whole pass.
#[test]
fn several_texts_change_nothing() {
    for fixture in fixtures() {
        let vocab_size = fixture.logits[0].len() / fixture.tokens[0].len();
        let options = ScoringOptions {
            device: Device::Cpu,
            ..ScoringOptions::default()
        };
        let opened = lmz_float::Generator::open(fixture.network.clone(), options);
        let mut generator = opened.expect("the model opens");
        let text = |number: usize| (&fixture.tokens[number % 2], &fixture.logits[number % 2]);
        let starts = [1, 7, 20, 33];
        for (number, &start) in starts.iter().enumerate() {
            let prompt = &text(number).0[..start];
            generator.add_text(prompt, 0).expect("logits");
        }
        for step in 0..39 {
            let going = (0..starts.len()).filter(|&n| starts[n] + step < text(n).0.len());
            let next = going.map(|n| (n, text(n).0[starts[n] + step]));
            let next: Vec<(usize, u32)> = next.collect();
            let found = generator.advance_texts(&next).expect("logits");
            for ((n, _), ours) in next.into_iter().zip(found) {
                let theirs = &text(n).1[(starts[n] + step) * vocab_size..][..vocab_size];
                let worst = common::difference(&ours, theirs);
                assert!(
                    worst <= TOLERANCE,
                    "{} {n} at {step}: {worst}",
                    fixture.name
                );
            }
        }
    }
}
