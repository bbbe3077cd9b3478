//! Whole runs of a tiny model on the CPU.
#![cfg(feature = "cpu")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use lmz_float::{Device, Dtype};
use lmz_train::{Budget, Event, Options, Outcome, Preset, Row, Watch, train};
use tempfile::{TempDir, tempdir};

/// Keeps what it sees, and stops after so many steps.
#[derive(Default)]
struct Eyes {
    rows: Vec<Row>,
    stop_after: Option<usize>,
}

impl Watch for Eyes {
    fn event(&mut self, event: &Event) {
        if let Event::Step(row) = event {
            self.rows.push(row.clone());
        }
    }

    fn stop(&self) -> bool {
        self.stop_after
            .is_some_and(|steps| self.rows.len() >= steps)
    }
}

fn corpus() -> TempDir {
    let directory = tempdir().unwrap();
    let text = |salt: u64| -> String {
        let line = |i: u64| format!("item {:03} has {} parts\n", i * salt % 997, i * i % 89);
        (0..3000).map(line).collect()
    };
    fs::write(directory.path().join("a.txt"), text(31)).unwrap();
    fs::write(directory.path().join("b.txt"), text(57)).unwrap();
    directory
}

fn options(corpus: &Path, out: &Path) -> Options {
    Options {
        corpus: vec![corpus.join("a.txt"), corpus.join("b.txt")],
        held_out: vec![],
        raw: false,
        preset: Preset::from_toml(
            "hidden_size = 32\nintermediate_size = 48\nlayers = 2\nheads = 2\nkv_heads = 1\n\
             vocab = 300\ncontext = 64\nbatch = 512\nwarmup = 5",
        )
        .unwrap(),
        out: out.to_owned(),
        tokenizer: None,
        weights: vec![],
        budget: Budget::Tokens(512 * 24),
        device: Device::Cpu,
        dtype: Some(Dtype::F32),
        seed: 3,
        resume: false,
        save_every: Duration::from_secs(3600),
        keep_at: vec![],
    }
}

#[test]
fn a_stopped_run_takes_the_steps_of_an_unbroken_one() {
    let corpus = corpus();
    let at = |name: &str| corpus.path().join(name);
    let mut whole = Eyes::default();
    let done = train(&options(corpus.path(), &at("whole")), &mut whole).unwrap();
    let Outcome::Finished(summary) = done else {
        panic!("it was not stopped");
    };
    assert_eq!((summary.steps, summary.tokens), (24, 512 * 24));
    assert!(whole.rows[23].loss < whole.rows[0].loss - 0.5, "it learns");
    let held_out = summary.held_out.unwrap();
    assert_eq!(held_out.domains.len(), 2);

    let mut first = Eyes {
        stop_after: Some(9),
        ..Eyes::default()
    };
    let mut options = options(corpus.path(), &at("broken"));
    let stopped = train(&options, &mut first).unwrap();
    assert!(matches!(stopped, Outcome::Stopped(9)), "{stopped:?}");
    options.resume = true;
    let mut second = Eyes::default();
    train(&options, &mut second).unwrap();
    let losses = |rows: &[Row]| {
        rows.iter()
            .map(|row| (row.step, row.loss))
            .collect::<Vec<_>>()
    };
    let together = [losses(&first.rows), losses(&second.rows)].concat();
    assert_eq!(together, losses(&whole.rows));
    let read = |run: &str| fs::read(at(run).join("model.safetensors")).unwrap();
    assert_eq!(read("whole"), read("broken"));
    let steps = |run: &str| {
        let text = fs::read_to_string(at(run).join("metrics.jsonl")).unwrap();
        let value = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let steps = text.lines().map(value).map(|line| line["step"].as_u64());
        steps.collect::<Vec<_>>()
    };
    assert_eq!(steps("whole").len(), steps("broken").len());
}

#[test]
fn the_result_is_a_model_that_opens_and_scores_as_the_run_did() {
    let corpus = corpus();
    let out = corpus.path().join("out");
    train(&options(corpus.path(), &out), &mut Eyes::default()).unwrap();
    let checkpoint = lmz_model::Checkpoint::open(&out).unwrap();
    assert_eq!(checkpoint.blueprint.hidden_size, 32);
    assert!(checkpoint.vocabulary.is_complete());
    assert!(checkpoint.ignored_tensors.is_empty());
    let card = fs::read_to_string(out.join("README.md")).unwrap();
    for word in ["seed 3", "24 steps", "| a |", "bits/byte"] {
        assert!(card.contains(word), "{word} is not in the card:\n{card}");
    }
}

#[test]
fn models_on_the_way_are_kept_and_change_nothing() {
    let corpus = corpus();
    let at = |name: &str| corpus.path().join(name);
    train(&options(corpus.path(), &at("plain")), &mut Eyes::default()).unwrap();
    let mut options = options(corpus.path(), &at("kept"));
    // In the middle of a step, and at the end of one.
    options.keep_at = vec![512 * 3 + 1, 512 * 12];
    let mut eyes = Eyes {
        stop_after: Some(7),
        ..Eyes::default()
    };
    train(&options, &mut eyes).unwrap();
    let kept = |name: &str| at("kept").join("checkpoints").join(name);
    assert!(kept("kept-1537").join("config.json").exists());
    assert!(!kept("kept-6144").exists());
    options.resume = true;
    train(&options, &mut Eyes::default()).unwrap();
    let weights = |path: &Path| fs::read(path.join("model.safetensors")).unwrap();
    assert_eq!(weights(&at("plain")), weights(&at("kept")));
    let early = lmz_model::Checkpoint::open(kept("kept-1537")).unwrap();
    assert_eq!(early.blueprint.hidden_size, 32);
    let three = [
        weights(&kept("kept-1537")),
        weights(&kept("kept-6144")),
        weights(&at("kept")),
    ];
    assert!(three[0] != three[1] && three[1] != three[2]);

    options.resume = false;
    options.out = at("late");
    for tokens in [0, 512 * 24] {
        options.keep_at = vec![tokens];
        let error = train(&options, &mut Eyes::default()).unwrap_err();
        assert!(error.to_string().contains("keep_at"), "{error}");
    }
    assert!(!at("late").exists());
}

#[test]
fn a_loss_that_is_no_number_stops_the_run() {
    let corpus = corpus();
    let out = corpus.path().join("out");
    let mut options = options(corpus.path(), &out);
    options.preset.muon_rate = 1.0;
    options.preset.adam_rate = 1.0;
    options.preset.weight_decay = 10.0;
    options.budget = Budget::Tokens(512 * 4000);
    // Weights grow ninefold at each step.
    match train(&options, &mut Eyes::default()) {
        Err(error) => assert!(error.to_string().contains("diverged at step"), "{error}"),
        Ok(outcome) => panic!("{outcome:?}"),
    }
    assert!(!out.join("config.json").exists(), "no model is left");
}

#[test]
fn a_damaged_state_is_refused() {
    let corpus = corpus();
    let out = corpus.path().join("out");
    let mut options = options(corpus.path(), &out);
    let mut eyes = Eyes {
        stop_after: Some(2),
        ..Eyes::default()
    };
    train(&options, &mut eyes).unwrap();
    options.resume = true;
    let state = out.join("run/state.safetensors");
    let bytes = fs::read(&state).unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        fs::write(&state, &bytes[..length]).unwrap();
        let error = train(&options, &mut Eyes::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("saved state"), "{length}: {error}");
    }
    fs::write(&state, &bytes).unwrap();
    train(&options, &mut Eyes::default()).unwrap();
}
