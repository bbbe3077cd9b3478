//! Budgets below a model's size, batches of every shape, and failures that are errors.

mod common;

use std::sync::Arc;

use common::difference;
use lmz_float::{Device, Dtype, ErrorKind, Generator, Scorer, ScoringOptions, Window};
use lmz_model::{Blueprint, Network, Part};
use lmz_testkit::models::{RandomWeights, checkpoint};
use lmz_testkit::repository;

fn blueprint() -> Blueprint {
    let text = r#"{"hidden_size":64,"intermediate_size":160,"layers":6,"heads":4,"kv_heads":2,
        "head_dim":16,"vocab_size":300,"max_positions":128,
        "norm":{"kind":"rms_norm","eps":1e-5},
        "position":{"kind":"rope","theta":10000.0,"scaling":{"kind":"none"}},
        "activation":"silu","tied_head":true,"start_token":0}"#;
    serde_json::from_str(text).expect("a blueprint")
}

fn weights() -> Arc<RandomWeights> {
    Arc::new(RandomWeights {
        blueprint: blueprint(),
        seed: 3,
    })
}

fn on_cpu() -> ScoringOptions {
    ScoringOptions {
        device: Device::Cpu,
        ..ScoringOptions::default()
    }
}

fn rows() -> Vec<Vec<u32>> {
    let row = |i: u32, length: u32| (0..length).map(|t| (t * t * 7 + i * 13) % 300).collect();
    (0..9).map(|i| row(i, 100 - 7 * (i % 4))).collect()
}

fn windows(rows: &[Vec<u32>]) -> Vec<Window<'_>> {
    rows.iter()
        .enumerate()
        .map(|(i, tokens)| Window {
            tokens,
            scored: tokens.len() / (1 + i % 3) - 1,
        })
        .collect()
}

/// The bytes of all weights in f32.
fn size(blueprint: &Blueprint) -> u64 {
    let elements = |part: &Part| blueprint.part_shape(*part).iter().product::<usize>() as u64;
    blueprint.parts().iter().map(elements).sum::<u64>() * 4
}

#[test]
fn a_streamed_model_scores_as_a_resident_one() {
    let rows = rows();
    let windows = windows(&rows);
    let mut resident = Scorer::open(weights(), on_cpu()).expect("it fits");
    assert!(!resident.streamed());
    let expected = resident.surprisals(&windows).expect("surprisals");

    // One window's state takes 100 * 64 * 4 = 25,600 bytes.
    let size = size(&blueprint());
    for spill in [None, Some(60_000), Some(1 << 30)] {
        let mut streamed = Scorer::open(
            weights(),
            ScoringOptions {
                memory_budget: Some(size - 1),
                spill_budget: spill,
                batch: Some(2),
                ..on_cpu()
            },
        )
        .expect("a layer fits");
        assert!(streamed.streamed(), "{}", streamed.description());
        let scored = streamed.surprisals(&windows).expect("surprisals");
        for (a, b) in expected.iter().zip(&scored) {
            assert!(difference(a, b) <= 2e-6);
        }
    }
}

#[test]
fn a_streamed_model_writes_several_texts_as_a_resident_one() {
    let rows = rows();
    let write = |memory_budget| {
        let options = ScoringOptions {
            memory_budget,
            ..on_cpu()
        };
        let mut generator = Generator::open(weights(), options).expect("a layer fits");
        assert_eq!(generator.streamed(), memory_budget.is_some());
        for (number, row) in rows[..4].iter().enumerate() {
            let prompt = &row[..3 + 5 * number];
            generator.add_text(prompt, 2).expect("logits");
        }
        let mut all = Vec::new();
        for step in 0..5 {
            let next: Vec<(usize, u32)> = (step..4).map(|n| (n, rows[n][60 + step])).collect();
            all.extend(generator.advance_texts(&next).expect("logits"));
        }
        all
    };
    let (expected, streamed) = (write(None), write(Some(size(&blueprint()) - 1)));
    assert_eq!((expected.len(), streamed.len()), (4 + 3 + 2 + 1, 10));
    for (a, b) in expected.iter().zip(&streamed) {
        assert!(difference(a, b) <= 1e-5);
    }
}

#[test]
fn texts_find_room_in_the_memory() {
    let texts = |memory_budget, batch| {
        let options = ScoringOptions {
            memory_budget,
            batch,
            ..on_cpu()
        };
        let generator = Generator::open(weights(), options).expect("a layer fits");
        generator.texts(100)
    };
    // Keys and values of one text take 6 * 2 * 16 * 2 * 4 * 100 = 153,600 bytes.
    let size = size(&blueprint());
    assert_eq!(texts(Some(size - 1), None), 1);
    assert_eq!(texts(Some(1 << 30), None), 32);
    assert_eq!(texts(Some(1 << 30), Some(5)), 5);
}

#[test]
fn a_budget_below_one_layer_is_an_error_that_says_what_is_needed() {
    let options = ScoringOptions {
        memory_budget: Some(50_000),
        ..on_cpu()
    };
    let error = Scorer::open(weights(), options).err().expect("too small");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("50000"), "{error}");
}

#[test]
fn batches_of_any_size_score_the_same() {
    let rows = rows();
    let windows = windows(&rows);
    let score = |batch| {
        let options = ScoringOptions { batch, ..on_cpu() };
        let mut scorer = Scorer::open(weights(), options).expect("it fits");
        scorer.surprisals(&windows).expect("surprisals")
    };
    let one = score(Some(1));
    for (window, scored) in windows.iter().zip(&one) {
        assert_eq!(scored.len(), window.scored);
        assert!(scored.iter().all(|s| s.is_finite() && *s > 0.0));
    }
    for batch in [Some(2), Some(5), Some(100), None] {
        for (a, b) in one.iter().zip(&score(batch)) {
            assert!(difference(a, b) <= 1e-5, "batch {batch:?}");
        }
    }
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let mut scorer = Scorer::open(weights(), on_cpu()).expect("it fits");
    let mut refused = |tokens: &[u32], scored| {
        let error = scorer.surprisals(&[Window { tokens, scored }]).err();
        assert_eq!(error.map(|e| e.kind()), Some(ErrorKind::InvalidArgument));
    };
    refused(&[], 0);
    refused(&[1], 1);
    refused(&[1, 2], 2);
    refused(&[1, 300], 1);
    let nothing = Window {
        tokens: &[1, 2],
        scored: 0,
    };
    assert_eq!(
        scorer.surprisals(&[nothing]).expect("none"),
        [Vec::<f32>::new()]
    );
    assert!(scorer.surprisals(&[]).expect("none").is_empty());
    assert!(scorer.batch(0) >= 1 && scorer.batch(1 << 40) >= 1);
}

#[test]
fn learned_positions_bound_what_is_read_not_what_is_predicted() {
    let network = Network::open(repository("tests/fixtures/families/gpt2")).expect("the fixture");
    let limit = network.blueprint.max_positions;
    let mut scorer = Scorer::open(Arc::new(network), on_cpu()).expect("it fits");
    let tokens: Vec<u32> = (0..limit as u32 + 2).map(|t| t % 90).collect();
    let window = |length: usize| Window {
        tokens: &tokens[..length],
        scored: length - 1,
    };
    let surprisals = scorer.surprisals(&[window(limit + 1)]).expect("it fits");
    assert_eq!(surprisals[0].len(), limit);
    let error = scorer.surprisals(&[window(limit + 2)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[test]
fn the_cpu_says_that_it_computes_in_f32_only() {
    let options = ScoringOptions {
        dtype: Dtype::Bf16,
        ..on_cpu()
    };
    let error = Scorer::open(weights(), options).err().expect("no bf16");
    assert_eq!(error.kind(), ErrorKind::Compatibility);
}

#[test]
fn a_missing_device_falls_back_with_a_notice() {
    let options = ScoringOptions {
        device: Device::Cuda(99),
        ..ScoringOptions::default()
    };
    let scorer = Scorer::open(weights(), options).expect("the CPU takes over");
    assert!(scorer.notice().is_some_and(|n| n.contains("cuda:99")));
}

/// A real model on a real text: bits per byte in the range that its training reaches.
#[test]
fn stories_are_likely() {
    let checkpoint = checkpoint("tests/fixtures/stories260K");
    let text = "Once upon a time, there was a little girl named Lily. She loved to play outside \
                in the park. One day, she saw a big red ball. She was very happy and wanted to \
                play with it.";
    let tokenizer =
        lmz_model::ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary)
            .expect("its tokenizer");
    let mut tokens = vec![checkpoint.blueprint.start_token];
    for symbol in tokenizer.encode(text.as_bytes()) {
        match symbol {
            lmz_model::Symbol::Token(token) => tokens.push(token),
            other => panic!("{other:?} in plain English"),
        }
    }
    let mut scorer = Scorer::open(Arc::new(checkpoint.network), on_cpu()).expect("it fits");
    let window = Window {
        tokens: &tokens,
        scored: tokens.len() - 1,
    };
    let nats: f32 = scorer.surprisals(&[window]).expect("surprisals")[0]
        .iter()
        .sum();
    let bits_per_byte = nats / std::f32::consts::LN_2 / text.len() as f32;
    println!("{bits_per_byte} bits per byte");
    assert!((0.2..1.0).contains(&bits_per_byte), "{bits_per_byte}");
}
