//! `lmz bpc` on real files, against transformers and against itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::harness::lmz;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `lmz bpc` from the root of the repository.
fn bpc(arguments: &[&str]) -> Command {
    let mut command = lmz();
    command
        .args(["bpc", "--quiet"])
        .args(arguments)
        .current_dir(root());
    command
}

#[track_caller]
fn result(output: Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn fails(arguments: &[&str], code: i32, message: &str) {
    let output = bpc(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(message), "{message:?} is not in:\n{stderr}");
}

fn bits(result: &Value) -> f64 {
    result["figures"]["bits_per_character"].as_f64().unwrap()
}

/// A fixture with a tokenizer.
fn with_tokenizer(model: &Path, tokenizer: &Path) -> TempDir {
    let dir = tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(model.join(file), dir.path().join(file)).unwrap();
    }
    fs::copy(tokenizer, dir.path().join("tokenizer.json")).unwrap();
    dir
}

#[test]
fn the_paper_s_protocol_agrees_with_transformers() {
    let reference = fs::read(root().join("tests/fixtures/bpc/reference.json")).unwrap();
    let reference: Value = serde_json::from_slice(&reference).unwrap();
    let cases = reference["cases"].as_array().unwrap();
    assert!(cases.len() >= 8);
    for case in cases {
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        let number = |key: &str| case[key].to_string();
        let mut model = root().join(text("model"));
        let kept = case["tokenizer"]
            .as_str()
            .map(|tokenizer| with_tokenizer(&model, &root().join(tokenizer)));
        if let Some(dir) = &kept {
            model = dir.path().to_owned();
        }
        let (window, stride, limit) = (number("window"), number("stride"), number("limit"));
        let corpus = text("corpus");
        let model = model.to_str().unwrap();
        let mut arguments = vec!["--model", model, "--corpus", &corpus, "--json"];
        arguments.extend(["--window", &window, "--stride", &stride]);
        if limit != "null" {
            arguments.extend(["--limit", &limit]);
        }
        let found = result(bpc(&arguments).output().unwrap());
        let expected = &case["result"];
        let name = text("model");
        for key in ["documents", "characters", "bytes"] {
            assert_eq!(found["corpus"][key], expected[key], "{name}: {key}");
        }
        assert_eq!(found["tokens"]["total"], expected["tokens"], "{name}");
        assert_eq!(found["tokens"]["scored"], expected["scored"], "{name}");
        let ratio = bits(&found) / expected["bits_per_character"].as_f64().unwrap();
        assert!((ratio - 1.0).abs() < 1e-5, "{name}: {ratio}");
    }
}

const RUN: [&str; 8] = [
    "--model",
    "models/lmz-5m",
    "--corpus",
    "corpora/math.jsonl",
    "--limit",
    "6",
    "--window",
    "128",
];

#[test]
fn a_killed_run_goes_on_to_the_same_result() {
    let dir = tempdir().unwrap();
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    let run = |out: &Path, more: &[&str]| {
        let mut command = bpc(&RUN);
        command.args(["--stride", "32", "--json", "--out"]);
        command.arg(out).args(more);
        command
    };
    let mut expected = result(run(&whole, &["--batch", "3"]).output().unwrap());
    let journal = killed.join("journal.jsonl");
    let mut command = run(&killed, &["--batch", "3"]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while fs::read(&journal).map_or(0, |b| b.iter().filter(|&&b| b == b'\n').count()) < 3 {
        assert!(Instant::now() < deadline, "no batch is done");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut text = fs::read(&journal).unwrap();
    let records = text.iter().filter(|&&byte| byte == b'\n').count();
    // As if the kill had come in the middle of a write.
    text.truncate(text.len() - 4);
    fs::write(&journal, &text).unwrap();
    let error = run(&killed, &[]).output().unwrap();
    assert!(String::from_utf8_lossy(&error.stderr).contains("--resume"));
    let error = run(&killed, &["--resume", "--field", "text"])
        .output()
        .unwrap();
    assert_eq!(error.status.code(), Some(1));
    // Batches of the size that they had.
    let mut resumed = result(
        run(&killed, &["--resume", "--batch", "7"])
            .output()
            .unwrap(),
    );
    let batches = resumed["time"]["resumed_batches"].as_u64().unwrap();
    assert_eq!(batches, records as u64 - 2);
    let file = fs::read(killed.join("result.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&file).unwrap(), resumed);
    for result in [&mut expected, &mut resumed] {
        let result = result.as_object_mut().unwrap();
        result.remove("time").unwrap();
        let made = result.remove("provenance").unwrap();
        assert_eq!(made["command"][1], "bpc");
        assert!(made["weights"].as_u64().unwrap() > 0 && made["threads"].as_u64().unwrap() > 0);
    }
    assert_eq!(resumed, expected);
}

#[test]
fn other_batches_and_layers_from_disk_agree() {
    let run = |more: &[&str]| {
        let mut command = bpc(&RUN);
        command.args(["--stride", "128", "--json"]).args(more);
        result(command.output().unwrap())
    };
    let reference = run(&[]);
    for more in [
        &["--device", "cpu", "--batch", "1"][..],
        &["--batch", "5"],
        // As f32 the weights alone take 22 MB.
        // The name that it had before.
        &["--memory-budget", "30M"],
        &["--memory", "30M", "--spill-budget", "100M", "-T1"],
    ] {
        let found = run(more);
        let ratio = bits(&found) / bits(&reference);
        assert!((ratio - 1.0).abs() < 1e-6, "{more:?}: {ratio}");
        let device = found["engine"]["device"].as_str().unwrap();
        let streamed = device.contains("layers read from disk");
        assert_eq!(
            streamed,
            more[0].starts_with("--memory"),
            "{more:?}: {device}"
        );
    }
}

#[test]
fn the_stream_s_figure_is_the_file_s_size() {
    let dir = tempdir().unwrap();
    let text = dir.path().join("alice.txt");
    let alice = fs::read(root().join("corpora/alice29.txt")).unwrap();
    fs::write(&text, &alice[..80_000]).unwrap();
    let mut scored = bpc(&["--protocol", "stream", "--json", "--corpus"]);
    let scored = result(scored.arg(&text).output().unwrap());
    let bytes = scored["figures"]["bits"].as_f64().unwrap() / 8.0;
    let packed = lmz()
        .args(["-c", "--mix", "none"])
        .arg(&text)
        .output()
        .unwrap();
    let ratio = packed.stdout.len() as f64 / bytes;
    assert!((0.99..1.02).contains(&ratio), "{ratio}");
    // Every document alone has less context than one row of all.
    let corpus = [
        "--corpus",
        "corpora/web.jsonl",
        "--limit",
        "8",
        "--window",
        "256",
        "--json",
    ];
    let document = result(
        bpc(&[&corpus[..], &["--protocol", "document"]].concat())
            .output()
            .unwrap(),
    );
    assert_eq!(document["tokens"]["dropped"], 0);
    assert_eq!(document["tokens"]["scored"], document["tokens"]["total"]);
}

#[test]
fn the_mixed_figure_is_the_file_s_and_says_that_it_is_not_the_model_s() {
    let dir = tempdir().unwrap();
    let text = dir.path().join("alice.txt");
    let alice = fs::read(root().join("corpora/alice29.txt")).unwrap();
    fs::write(&text, &alice[..20_000]).unwrap();
    let out = dir.path().join("out");
    let mut scored = bpc(&["--protocol", "mixed", "--json", "--corpus"]);
    let scored = result(scored.arg(&text).arg("--out").arg(&out).output().unwrap());
    let bytes = scored["figures"]["bits"].as_f64().unwrap() / 8.0;
    let packed = lmz()
        .args(["-c", "--no-verify"])
        .arg(&text)
        .output()
        .unwrap();
    // The rest is the header.
    let header = packed.stdout.len() as f64 - bytes;
    assert!((20.0..50.0).contains(&header), "{header}");
    assert_eq!(scored["protocol"]["name"], "mixed");
    assert_eq!(scored["corpus"]["characters"], 20_000);
    assert_eq!(scored["figures"]["units"], 1);
    let note = scored["notes"][0].as_str().unwrap();
    assert!(note.contains("not the metric of"), "{note}");
    let written: Value =
        serde_json::from_slice(&fs::read(out.join("result.json")).unwrap()).unwrap();
    assert_eq!(bits(&written), bits(&scored));
    let corpus = text.to_str().unwrap();
    let mixed = ["--corpus", corpus, "--protocol", "mixed"];
    fails(
        &[&mixed[..], &["--batch", "2"]].concat(),
        2,
        "--batch has no meaning",
    );
    fails(
        &[&mixed[..], &["--dtype", "bf16"]].concat(),
        2,
        "--dtype has no meaning",
    );
}

#[test]
fn what_cannot_be_done_is_said() {
    let dir = tempdir().unwrap();
    let empty = dir.path().join("empty.txt");
    fs::write(&empty, "").unwrap();
    let model = root().join("tests/fixtures/families/gpt2");
    let gpt2 = with_tokenizer(&model, &root().join("tests/fixtures/bpc/tokenizer.json"));
    let gpt2 = gpt2.path().to_str().unwrap();
    let web = "corpora/web.jsonl";
    fails(&[], 2, "--corpus");
    fails(&["--corpus", web, "--device", "tpu"], 2, "tpu");
    fails(&["--corpus", web, "--dtype", "f8"], 2, "f8");
    fails(&["--corpus", web, "--resume"], 2, "--out");
    fails(&["--corpus", web, "--stride", "2000"], 1, "stride");
    fails(
        &["--corpus", "no/such/file"],
        1,
        "no/such/file: no such file or directory",
    );
    fails(&["--corpus", web, "--model", "nobody"], 1, "nobody");
    fails(&["--corpus", web, "--field", "x"], 1, "38 without a text");
    fails(&["--corpus", empty.to_str().unwrap()], 1, "1 empty");
    fails(
        &["--corpus", web, "--model", gpt2, "--window", "49"],
        1,
        "--window 48",
    );
    fails(&["--corpus", web, "--memory", "1M"], 1, "budget");
}

#[test]
fn parts_of_a_run_come_to_the_whole() {
    let dir = tempdir().unwrap();
    let out = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let model = root().join("models/lmz-5m");
    let arguments = |more: &[&str]| {
        let mut all = vec![
            "--model",
            model.to_str().unwrap(),
            "--corpus",
            "corpora/web.jsonl",
        ];
        all.extend([
            "--limit", "3", "--window", "64", "--stride", "32", "--batch", "4",
        ]);
        all.extend(["--device", "cpu", "--json"]);
        all.extend(more);
        bpc(&all).output().unwrap()
    };
    let whole = result(arguments(&["--out", &out("whole")]));
    for shard in ["3/3", "1/3", "2/3"] {
        let directory = out(&shard[..1]);
        let output = arguments(&["--shard", shard, "--out", &directory]);
        assert!(output.status.success() && output.stdout.is_empty());
        assert!(
            !Path::new(&directory).join("result.json").exists(),
            "a part has no result"
        );
    }
    let merged = [
        "--merge",
        &out("1"),
        &out("2"),
        &out("3"),
        "--json",
        "--out",
        &out("merged"),
    ];
    let merged = result(bpc(&merged).output().unwrap());
    for part in [
        "lmz", "model", "corpus", "protocol", "engine", "tokens", "figures",
    ] {
        assert_eq!(merged[part], whole[part], "{part}");
    }
    let written = fs::read(dir.path().join("merged/result.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&written).unwrap()["figures"],
        whole["figures"]
    );
    fails(
        &["--merge", &out("1"), &out("3")],
        1,
        "shard 2/3 is missing",
    );
    fails(&["--merge", &out("1"), &out("none")], 1, "sums.json");
    fails(
        &[
            "--corpus",
            "corpora/web.jsonl",
            "--shard",
            "4/3",
            "--out",
            "x",
        ],
        2,
        "I/N",
    );
    fails(
        &["--corpus", "corpora/web.jsonl", "--shard", "1/3"],
        2,
        "--out",
    );
    fails(&[], 2, "--corpus");
}
