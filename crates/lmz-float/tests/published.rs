//! Published models from their GGUF files: tokens and logits against those of Hugging Face transformers
//! (tests/fixtures/published, made by tools/models/logits.py).

use std::path::PathBuf;
use std::sync::Arc;

use lmz_float::{Scorer, ScoringOptions};
use lmz_model::{Checkpoint, ExactTokenizer, Symbol};
use lmz_testkit::{read, repository};
use serde_json::Value;

/// Largest difference of a logit or a logsumexp, in f32 on both sides. Qwen2.5's massive activations and large scores magnify
/// what f32 rounds: 3e-3 were seen, of logits of some 10.
const MODELS: [(&str, f64); 3] = [("smollm2", 5e-4), ("gemma", 5e-4), ("qwen", 1e-2)];

/// Where tools/models/fetch.py puts them.
fn cache() -> PathBuf {
    if let Some(given) = std::env::var_os("LMZ_MODEL_CACHE") {
        return given.into();
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    base.unwrap_or_else(home).join("lmz/models")
}

/// The largest difference of any number of the fixture.
fn difference(fixture: &Value, checkpoint: Checkpoint) -> f64 {
    let number = |value: &Value| value.as_u64().expect("a whole number") as usize;
    let tokens = fixture["tokens"].as_array().expect("tokens");
    let tokens: Vec<u32> = tokens.iter().map(|token| number(token) as u32).collect();
    let text = &read("corpora/alice29.txt")[..number(&fixture["bytes"])];
    let tokenizer = ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary);
    let symbols = tokenizer.expect("a tokenizer").encode(text);
    let theirs = tokens.iter().copied().map(Symbol::Token);
    assert!(
        symbols.into_iter().eq(theirs),
        "tokens of {} bytes",
        text.len()
    );
    let network = checkpoint.network;
    let vocab_size = network.blueprint.vocab_size;
    let row: Vec<u32> = std::iter::once(number(&fixture["start"]) as u32)
        .chain(tokens)
        .collect();
    // Whatever else the machine holds.
    let options = ScoringOptions {
        memory_budget: Some(4 << 30),
        ..ScoringOptions::default()
    };
    let mut scorer = Scorer::open(Arc::new(network), options).expect("a model");
    let logits = &scorer.logits(&[&row]).expect("logits")[0];
    let positions = fixture["positions"].as_array().expect("positions");
    assert!(positions.len() >= 5);
    let mut worst = 0f64;
    for position in positions {
        let at = number(&position["position"]);
        let logits = &logits[at * vocab_size..][..vocab_size];
        let max = logits.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = logits.iter().map(|&l| f64::from(l - max).exp()).sum();
        let of = |value: &Value| value.as_f64().expect("a number");
        let mut compare = |own: f64, theirs: f64| worst = worst.max((own - theirs).abs());
        compare(sum.ln() + f64::from(max), of(&position["logsumexp"]));
        for pair in position["logits"].as_array().expect("logits") {
            compare(f64::from(logits[number(&pair[0])]), of(&pair[1]));
        }
    }
    worst
}

#[test]
#[ignore = "needs published models: tools/models/fetch.py"]
fn logits_are_those_of_transformers() {
    let mut seen = 0;
    for (name, tolerance) in MODELS {
        let path = repository("tests/fixtures/published").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).expect("the fixtures are part of the repository");
        let fixture: Value = serde_json::from_str(&text).expect("JSON");
        let file = cache().join(fixture["file"].as_str().expect("a file's name"));
        if !file.exists() {
            println!("{name}: {} is not there", file.display());
            continue;
        }
        seen += 1;
        let checkpoint = Checkpoint::open(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let worst = difference(&fixture, checkpoint);
        println!("{name}: {worst:.1e}");
        assert!(worst < tolerance, "{name}: {worst}");
    }
    assert!(seen > 0, "no model is in {}", cache().display());
}
