//! `lmz train` on a small log: it trains, compresses, restores, survives a kill, and refuses.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use crate::harness;

const BOOTSTRAP: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../models/archive/bootstrap/bootstrap.lmzm"
);

const PRESET: &str = "name = 'toy'\nhidden_size = 64\nintermediate_size = 128\nlayers = 2\n\
                      heads = 2\nkv_heads = 1\nvocab = 512\ncontext = 256\nbatch = 2048\n\
                      muon_rate = 0.03\nadam_rate = 0.01\ncrlf = 0.0\nprose = []\nwarmup = 10\n";

/// The log of a service: a few kinds of lines, with numbers that nobody can foretell.
fn log(lines: u64, seed: u64) -> String {
    let mut state = seed;
    let mut next = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % n
    };
    let mut text = String::new();
    for i in 0..lines {
        let second = i / 3;
        let clock = format!(
            "12:{:02}:{:02}.{:03}",
            second / 60 % 60,
            second % 60,
            next(1000)
        );
        let worker = next(8);
        let line = match next(4) {
            0 => format!(
                "INFO  http.worker-{worker} GET /api/v1/orders/{} 200 {} ms",
                next(10_000),
                next(90)
            ),
            1 => format!(
                "INFO  http.worker-{worker} POST /api/v1/orders 201 {} ms",
                next(300)
            ),
            2 => format!(
                "DEBUG db.pool-{worker} acquired connection {} of 16, waited {} us",
                next(16),
                next(900)
            ),
            _ => format!(
                "WARN  cache.worker-{worker} miss for key order:{}, loading from database",
                next(10_000)
            ),
        };
        writeln!(text, "2025-03-14 {clock} {line}").unwrap();
    }
    text
}

fn lmz(arguments: &[&str]) -> Command {
    let mut command = harness::lmz();
    command.args(arguments);
    command
}

#[track_caller]
fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[track_caller]
fn fails(command: &mut Command, message: &str) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(message), "{message:?} is not in:\n{stderr}");
}

/// A directory with a corpus and a preset.
fn workplace() -> TempDir {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("service.log"), log(6000, 1)).unwrap();
    fs::write(directory.path().join("toy.toml"), PRESET).unwrap();
    directory
}

fn train(place: &Path, out: &str, tokens: &str) -> Command {
    let mut command = lmz(&[
        "train",
        "--corpus",
        "service.log",
        "--preset",
        "toy.toml",
        "--device",
        "cpu",
    ]);
    command
        .args(["--out", out, "--tokens", tokens])
        .current_dir(place);
    command
}

#[test]
fn a_toy_beats_the_general_model_on_its_kind_of_file() {
    let place = workplace();
    let path = |name: &str| place.path().join(name);
    let output = succeeds(&mut train(place.path(), "toy", "120K"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("bits/byte") && told.contains("toy.lmzm"),
        "{told}"
    );
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "README.md",
        "curve.svg",
    ] {
        assert!(
            fs::metadata(path("toy").join(name)).unwrap().len() > 100,
            "{name}"
        );
    }
    assert!(
        !path("toy/run").exists(),
        "what a run needs is gone when it is done"
    );

    let unseen = log(700, 99);
    fs::write(path("unseen.log"), &unseen).unwrap();
    let size = |model: &Path| {
        let packed = path("unseen.lmz");
        let model = model.to_str().unwrap();
        let mut command = lmz(&["-f", "-m", model, "-o", "unseen.lmz", "unseen.log"]);
        succeeds(command.current_dir(place.path()));
        let restored = succeeds(lmz(&["-dc", "-m", model, "unseen.lmz"]).current_dir(place.path()));
        assert_eq!(restored.stdout, unseen.as_bytes());
        fs::metadata(packed).unwrap().len()
    };
    let (toy, bootstrap) = (size(&path("toy/toy.lmzm")), size(Path::new(BOOTSTRAP)));
    assert!(
        toy < bootstrap,
        "{toy} bytes by the toy, {bootstrap} by the bootstrap model"
    );
}

#[test]
fn a_killed_run_resumes_to_the_same_model() {
    let place = workplace();
    let path = |name: &str| place.path().join(name);
    succeeds(&mut train(place.path(), "whole", "60K"));
    let mut child = train(place.path(), "broken", "60K")
        .args(["--save-every", "0", "--quiet"])
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !path("broken/run/state.safetensors").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "no state was saved"
        );
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !path("broken/config.json").exists(),
        "a part of a run is no model"
    );

    let again = || {
        let mut command = train(place.path(), "broken", "60K");
        command.arg("--quiet");
        command
    };
    fails(&mut again(), "--resume");
    let mut other = again();
    fails(
        other.args(["--resume", "--seed", "5"]),
        "seed was 0 when the run began and is 5 now",
    );
    for (name, message) in [
        ("state.safetensors", "checksum"),
        ("data/0000.u16", "checksum"),
        ("data/data.json", "checksum"),
    ] {
        let path = path("broken/run").join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        fs::write(&path, flipped).unwrap();
        fails(again().arg("--resume"), message);
        fs::remove_file(&path).unwrap();
        let gone = match name {
            "state.safetensors" => "it is gone",
            _ => "cannot read",
        };
        fails(again().arg("--resume"), gone);
        fs::write(&path, whole).unwrap();
    }
    succeeds(again().arg("--resume"));
    for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        // Each is called by its directory.
        let read = |run: &str| {
            let file = fs::read(path(run).join(name)).unwrap();
            match name {
                "config.json" => String::from_utf8(file).unwrap().replace(run, "").into(),
                _ => file,
            }
        };
        assert!(read("whole") == read("broken"), "{name} differs");
    }
    fails(again().arg("--resume"), "no unfinished run");
}

#[test]
fn what_cannot_be_trained_is_refused_and_leaves_nothing() {
    let place = workplace();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    write("empty", "");
    write("tiny", "a few words\n");
    write("wrong.toml", "hiden_size = 64\n");
    write("big.toml", "layers = 100000\n");
    let with = |arguments: &[&str]| {
        let mut command = lmz(&[
            "train", "--out", "out", "--tokens", "10K", "--device", "cpu",
        ]);
        command.args(arguments).current_dir(place.path());
        command
    };
    fails(&mut with(&["-c", "nowhere"]), "nowhere");
    fails(&mut with(&["-c", "empty"]), "no text");
    fails(&mut with(&["-c", "tiny"]), "at least");
    fails(
        &mut with(&["-c", "service.log", "-p", "huge"]),
        "huge is none of nano, small, base",
    );
    fails(
        &mut with(&["-c", "service.log", "-p", "wrong.toml"]),
        "hiden_size",
    );
    fails(
        &mut with(&["-c", "service.log", "-p", "big.toml"]),
        "layers",
    );
    fails(&mut with(&["-c", "service.log", "--vocab", "3"]), "vocab");
    fails(
        &mut with(&["-c", "service.log", "--tokenizer", "service.log"]),
        "tokenizer",
    );
    fails(&mut with(&["-c", "service.log", "--dtype", "f16"]), "f16");
    fails(
        &mut with(&["-c", "service.log", "-p", "toy.toml", "--weights", "web=1"]),
        "service",
    );
    fails(
        &mut with(&["-c", "service.log", "--resume"]),
        "no unfinished run",
    );
    assert!(!place.path().join("out").exists(), "nothing is left");
    let mut into = lmz(&["train", "-c", "service.log", "--out", "."]);
    fails(into.current_dir(place.path()), "not empty");
}
