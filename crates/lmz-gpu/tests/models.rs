//! Whole models on every device against the CPU engine: bit for bit, all rows at once and one by one.
#![cfg(any(feature = "vulkan", feature = "cuda"))]

mod support;

use lmz_exact::{Engine, Kernel, Prepared, Query, prepare};
use lmz_gpu::{Device, open};
use lmz_testkit::engine::family;
use lmz_testkit::models::{NARROW, ODD, Tiny, WIDE};
use lmz_testkit::{Random, repository};
use support::{devices, on_cpu, rows, same_symbols, step_by_step, submit};

/// Three lanes of different lengths, in parallel and step by step.
fn check(what: &str, prepared: &Prepared, lengths: &[usize], devices: &[Device]) {
    let engine = Engine::new(prepared, Kernel::detect()).unwrap();
    let mut random = Random(7);
    let tokens: Vec<Vec<u32>> = lengths
        .iter()
        .enumerate()
        .map(|(lane, &n)| lmz_testkit::engine::tokens(&engine, n, lane as u64))
        .collect();
    let expected: Vec<_> = tokens
        .iter()
        .map(|tokens| {
            // The escape among the symbols; the ends of the code space among the points.
            let symbols: Vec<usize> = tokens
                .iter()
                .map(|_| random.index(engine.symbols().len() + 1))
                .collect();
            let points: Vec<u32> = tokens
                .iter()
                .enumerate()
                .map(|(i, _)| match i {
                    0 => 0,
                    1 => u32::MAX,
                    _ => random.next() as u32,
                })
                .collect();
            on_cpu(&engine, tokens, &symbols, &points)
        })
        .collect();
    for &device in devices {
        let what = format!("{what} on {device}");
        let gpu = open(device, &engine, Some(256 << 20)).unwrap();
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let mut lanes = gpu.open(lengths.len(), longest).unwrap();
        assert_eq!(lanes.lanes(), lengths.len());
        let all: Vec<_> = tokens
            .iter()
            .enumerate()
            .flat_map(|(lane, tokens)| rows(lane as u32, 0, tokens))
            .collect();
        let queries: Vec<_> = expected
            .iter()
            .flatten()
            .enumerate()
            .map(|(i, e)| (i, Query::Symbol(e.symbol as u32)))
            .collect();
        let answers = lanes.forward(&all, &queries).unwrap();
        let mut from = 0;
        for (lane, expected) in expected.iter().enumerate() {
            let answers = &answers[from..from + expected.len()];
            same_symbols(&format!("{what}, lane {lane}"), answers, expected);
            from += expected.len();
        }
        step_by_step(&what, &mut *lanes, &tokens, &expected, 1);
        step_by_step(&what, &mut *lanes, &tokens, &expected, 3);
        // What is queued and never waited for is in nobody's way.
        for position in 0..2 {
            submit(&mut *lanes, &tokens, &expected, position);
        }
        drop(lanes);
        let mut lanes = gpu.open(lengths.len(), longest).unwrap();
        step_by_step(&what, &mut *lanes, &tokens, &expected, 2);
    }
}

fn check_family(name: &str) {
    let prepared = prepare(&family(name), name).unwrap();
    check(name, &prepared, &[24, 7, 1], &devices());
}

#[test]
fn llama() {
    check_family("llama");
}

#[test]
fn qwen3_with_norms_of_queries_and_keys() {
    check_family("qwen3");
}

#[test]
fn qwen2_with_biases() {
    check_family("qwen2");
}

#[test]
fn gpt2_with_layer_norms_and_learned_positions() {
    check_family("gpt2");
}

#[test]
fn every_other_family() {
    let devices = devices();
    let refused = ["mixtral", "llama", "qwen3", "qwen2", "gpt2"];
    let mut count = 0;
    for entry in std::fs::read_dir(repository("tests/fixtures/families")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !path.join("logits.safetensors").exists() || refused.contains(&name.as_str()) {
            continue;
        }
        let prepared = prepare(&family(&name), &name).unwrap();
        check(&name, &prepared, &[12, 3], &devices);
        count += 1;
    }
    assert!(count >= 18, "{count}");
}

#[test]
fn sizes_that_are_multiples_of_nothing() {
    let devices = devices();
    let sizes: [(&str, Tiny); 3] = [("odd", ODD), ("narrow", NARROW), ("wide", WIDE)];
    for (name, tiny) in sizes {
        let prepared = lmz_testkit::engine::prepared(tiny, 5);
        check(name, &prepared, &[20, 9], &devices);
    }
}

#[test]
fn a_trained_model_over_many_passes() {
    let bytes = std::fs::read(repository("tests/models/stories260K.lmzm")).unwrap();
    let prepared = Prepared::from_bytes(bytes).unwrap();
    check("stories260K", &prepared, &[160, 40, 33, 2], &devices());
}
