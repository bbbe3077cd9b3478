//! `lmz eval` on real files: against lm-evaluation-harness, against itself, and killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use crate::harness;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `lmz eval`, from the root of the repository.
fn eval(arguments: &[&str]) -> Command {
    let mut command = harness::lmz();
    command.arg("eval").args(arguments).current_dir(root());
    command
}

#[track_caller]
fn answer(output: Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn fails(arguments: &[&str], code: i32, message: &str) {
    let output = eval(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(message), "{message:?} is not in:\n{stderr}");
}

fn value(report: &Value, metric: &str) -> f64 {
    let all = ["metrics", "measures"]
        .iter()
        .flat_map(|kind| report[*kind].as_array().unwrap());
    let mut found = all.filter(|figure| figure["name"] == metric);
    found
        .next()
        .and_then(|figure| figure["value"].as_f64())
        .unwrap()
}

const MODEL: &str = "tests/fixtures/stories260K";
const DATA: &str = "tests/fixtures/eval/data";

/// The tasks of the fixture, with examples and limits as the harness had them.
fn tasks_of_the_fixture(directory: &Path) {
    let own = fs::read_dir(root().join("crates/lmz-eval/tasks")).unwrap();
    let own = own.map(|entry| entry.unwrap().path());
    for path in own.chain([root().join("tests/fixtures/eval/pages.toml")]) {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("sampler = \"random\"", "sampler = \"first\"");
        let text = text.replace("max_tokens = 256", "max_tokens = 24");
        fs::write(directory.join(path.file_name().unwrap()), text).unwrap();
    }
}

#[test]
fn answers_are_those_of_lm_evaluation_harness() {
    let reference = fs::read(root().join("tests/fixtures/eval/stories260K.json")).unwrap();
    let reference: Value = serde_json::from_slice(&reference).unwrap();
    let reference = reference.as_object().unwrap();
    assert!(reference.len() >= 11);
    let tasks = tempdir().unwrap();
    tasks_of_the_fixture(tasks.path());
    let mut compared = 0;
    for (task, expected) in reference {
        let out = tempdir().unwrap();
        let shots = expected["shots"].to_string();
        let report = answer(
            eval(&[
                "-m",
                MODEL,
                "--data",
                DATA,
                "--tasks",
                task,
                "--fewshot",
                &shots,
            ])
            .args([
                "--limit",
                "12",
                "--device",
                "cpu",
                "--json",
                "--quiet",
                "--log-samples",
            ])
            .arg("--task-files")
            .arg(tasks.path())
            .arg("--out")
            .arg(out.path())
            .output()
            .unwrap(),
        );
        let samples = fs::read_to_string(out.path().join(format!("{task}.samples.jsonl"))).unwrap();
        let samples: Vec<Value> = samples
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let items = expected["items"].as_array().unwrap();
        assert_eq!(samples.len(), items.len(), "{task}");
        for (sample, item) in samples.iter().zip(items) {
            if let Some(text) = item["text"].as_str() {
                assert_eq!(sample["text"], text, "{task}");
                compared += 1;
                continue;
            }
            let logs = |value: &Value| -> Vec<f64> {
                value["logs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|log| log.as_f64().unwrap())
                    .collect()
            };
            let (ours, theirs) = (logs(sample), logs(item));
            assert_eq!(ours.len(), theirs.len(), "{task}");
            for (a, b) in ours.iter().zip(&theirs) {
                // The harness adds up in f32.
                let allowed = (b.abs() * 2f64.powi(-23)).max(1e-4);
                assert!((a - b).abs() < allowed, "{task}: {a} {b}");
                compared += 1;
            }
        }
        for (metric, expected) in expected["metrics"].as_object().unwrap() {
            let known = [
                "acc",
                "acc_norm",
                "perplexity",
                "exact_match",
                "exact_match_flexible",
                "word_perplexity",
                "byte_perplexity",
                "bits_per_byte",
            ];
            if known.contains(&metric.as_str()) {
                let (found, expected) = (value(&report, metric), expected.as_f64().unwrap());
                assert!(
                    (found - expected).abs() <= 1e-4 * expected.abs().max(1e-3),
                    "{task} {metric}: {found} {expected}"
                );
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn the_embedded_model_is_scored_from_a_bare_clone() {
    let report = answer(
        eval(&[
            "--tasks", "small", "--limit", "1", "--device", "cpu", "--json", "--quiet",
        ])
        .output()
        .unwrap(),
    );
    let tasks: Vec<&str> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["task"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(tasks, ["blimp", "hellaswag"]);
    let blimp = &report[0];
    assert_eq!(blimp["groups"].as_object().unwrap().len(), 67);
    assert_eq!(blimp["counts"]["items"], 67);
    // One pair of each paradigm: chance would be 33.5 of 67.
    assert!(value(blimp, "acc") > 0.55, "{blimp}");
    let output = eval(&["--tasks", "small", "--limit", "1", "--device", "cpu"])
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && stdout.contains("blimp") && stdout.contains("acc_norm*"),
        "{stdout}"
    );
    assert!(
        stderr.contains("lambada_openai: left out: there is no") && stderr.contains("--data"),
        "{stderr}"
    );
}

#[test]
fn the_study_s_call_is_answered_in_its_form() {
    let report = answer(
        eval(&[
            "--model",
            MODEL,
            "--task",
            "hellaswag",
            "--shots",
            "0",
            "--limit",
            "5",
        ])
        .args(["--dtype", "f32", "--device", "cpu", "--json", "--quiet"])
        .output()
        .unwrap(),
    );
    let evaluation = lmz_study::evaluation::Evaluation::parse(&report).unwrap();
    assert!(evaluation.min_k.is_empty());
    assert_eq!(
        (evaluation.task.name.as_str(), evaluation.task.shots),
        ("hellaswag", 0)
    );
    assert_eq!(
        (evaluation.model.kind.as_str(), evaluation.model.hash.len()),
        ("checkpoint", 64)
    );
    assert_eq!(evaluation.metrics.len(), 2);
    assert!(
        evaluation
            .notes
            .iter()
            .any(|note| note.contains("200 of the 10,042"))
    );
}

#[test]
fn min_k_stands_in_the_result_as_a_study_reads_it() {
    let ask = |more: &[&str]| {
        let mut command = eval(&["-m", MODEL, "--data", DATA, "--limit", "4"]);
        command.args(["--device", "cpu", "--json", "--quiet"]);
        command.args(more).output().unwrap()
    };
    let report = answer(ask(&["--tasks", "arc_easy", "--min-k"]));
    let evaluation = lmz_study::evaluation::Evaluation::parse(&report).unwrap();
    let [score] = &evaluation.min_k[..] else {
        panic!("{report}");
    };
    assert_eq!((score.split.as_str(), score.k, score.n), ("test", 20.0, 4));
    // As the verb of its own says.
    let found = [
        "contamination",
        "-m",
        MODEL,
        "--tasks",
        "arc_easy",
        "--data",
        DATA,
    ];
    let found = eval(&found)
        .args(["--limit", "4", "--device", "cpu", "--quiet", "--json"])
        .output()
        .unwrap();
    let found = answer(found);
    assert_eq!(found["splits"][0]["score"], score.score);
    let out = tempdir().unwrap();
    let directory = out.path().to_string_lossy().into_owned();
    let kept = ["--tasks", "piqa", "--out", &directory];
    answer(ask(&kept));
    let again = ask(&[&kept[..], &["--resume", "--min-k=30"]].concat());
    let stderr = String::from_utf8_lossy(&again.stderr);
    assert!(stderr.contains("MIN-K% was \"not asked for\""), "{stderr}");
    let nonsense = ask(&["--tasks", "piqa", "--min-k=0"]);
    assert!(!nonsense.status.success());
}

#[test]
fn texts_do_not_depend_on_how_many_are_written_together() {
    let texts = |batch: &str| -> Vec<String> {
        let out = tempdir().unwrap();
        let directory = out.path().to_string_lossy().into_owned();
        let run = eval(&["-m", MODEL, "--data", DATA, "--tasks", "gsm8k,nq_open"])
            .args([
                "--fewshot",
                "1",
                "--device",
                "cpu",
                "--quiet",
                "--batch",
                batch,
            ])
            .args(["--out", &directory, "--log-samples"])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{stderr}");
        let mut all = Vec::new();
        for task in ["gsm8k", "nq_open"] {
            let path = out.path().join(format!("{task}.samples.jsonl"));
            let samples = fs::read_to_string(path).unwrap();
            all.extend(samples.lines().map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                format!("{} {}", line["tokens"], line["text"])
            }));
        }
        all
    };
    let expected = texts("auto");
    assert!(expected.len() >= 12, "{}", expected.len());
    for batch in ["1", "3", "5"] {
        assert_eq!(texts(batch), expected, "{batch}");
    }
}

#[test]
fn whole_texts_are_scored_window_by_window() {
    let tasks = tempdir().unwrap();
    tasks_of_the_fixture(tasks.path());
    let report = answer(
        eval(&["-m", MODEL, "--data", DATA, "--tasks", "pages"])
            .arg("--task-files")
            .arg(tasks.path())
            .args(["--device", "cpu", "--json", "--quiet"])
            .output()
            .unwrap(),
    );
    assert_eq!(report["counts"]["items"], 3);
    assert_eq!(report["counts"]["cut"], 0);
    assert!(report["metrics"].as_array().unwrap().is_empty());
    let bits = value(&report, "bits_per_byte");
    let bytes = value(&report, "byte_perplexity");
    assert!((bits.exp2() - bytes).abs() < 1e-9 * bytes, "{bits} {bytes}");
    assert!((2.0..5.0).contains(&bits), "{bits}");
}

#[test]
fn batches_and_order_change_nothing_but_rounding() {
    let logs = |batch: &str| -> Vec<f64> {
        let out = tempdir().unwrap();
        let directory = out.path().to_string_lossy().into_owned();
        let run = eval(&[
            "-m",
            MODEL,
            "--tasks",
            "hellaswag",
            "--limit",
            "6",
            "--device",
            "cpu",
            "--quiet",
        ])
        .args(["--batch", batch, "--out", &directory, "--log-samples"])
        .output()
        .unwrap();
        assert!(run.status.success());
        let samples = fs::read_to_string(out.path().join("hellaswag.samples.jsonl")).unwrap();
        let lines = samples.lines().flat_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let logs = line["logs"].as_array().unwrap().clone();
            logs.into_iter().map(|log| log.as_f64().unwrap())
        });
        lines.collect()
    };
    let expected = logs("auto");
    assert_eq!(expected.len(), 24);
    for batch in ["1", "3"] {
        for (a, b) in logs(batch).iter().zip(&expected) {
            assert!((a - b).abs() < 1e-4, "{batch}: {a} {b}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_goes_on_and_gives_the_same() {
    let arguments = [
        "-m",
        MODEL,
        "--tasks",
        "hellaswag",
        "--limit",
        "40",
        "--device",
        "cpu",
        "--quiet",
        "--json",
    ];
    let whole = answer(eval(&arguments).output().unwrap());
    let out = tempdir().unwrap();
    let directory = out.path().to_string_lossy().into_owned();
    let journal = out.path().join("hellaswag.journal.jsonl");
    let mut killed = 0;
    let begun = Instant::now();
    loop {
        let mut child = eval(&arguments)
            .args(["--out", &directory, "--resume"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let length = || fs::metadata(&journal).map_or(0, |facts| facts.len());
        let before = length();
        // Until a few more batches are done.
        while killed < 3 && length() < before + 1500 && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(2));
            assert!(begun.elapsed() < Duration::from_secs(300));
        }
        if killed < 3 && child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            continue;
        }
        assert!(child.wait().unwrap().success());
        break;
    }
    assert!(killed > 0);
    assert!(!journal.exists());
    let text = fs::read_to_string(out.path().join("hellaswag.json")).unwrap();
    let mut found: Value = serde_json::from_str(&text).unwrap();
    found["seconds"] = whole["seconds"].clone();
    assert_eq!(found, whole);
    // What is done is not done again, and not silently replaced.
    fails(
        &[
            "-m",
            MODEL,
            "--tasks",
            "hellaswag",
            "--limit",
            "40",
            "--out",
            &directory,
        ],
        1,
        "--resume",
    );
    fails(
        &[
            "-m",
            MODEL,
            "--tasks",
            "hellaswag",
            "--limit",
            "3",
            "--out",
            &directory,
            "--resume",
        ],
        1,
        "prompts' hash",
    );
}

#[test]
fn a_prompt_is_shown_as_it_is() {
    let output = eval(&[
        "show",
        "gsm8k",
        "--sample",
        "1",
        "--fewshot",
        "1",
        "-m",
        MODEL,
    ])
    .output()
    .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("question 1 of 200, 1 examples") && text.contains("tokens of"),
        "{text}"
    );
    assert!(
        text.contains("#### 72\n\nQuestion: A robe takes 2 bolts"),
        "{text}"
    );
    assert!(text.contains("at most 256 tokens"), "{text}");
    let output = eval(&["tasks"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for word in ["mmlu_cloze", "67000", "knowledge: ", "piqa: there is no"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn two_runs_are_set_side_by_side() {
    let out = tempdir().unwrap();
    for (name, who) in [("a", "right"), ("b", "wrong")] {
        let directory = out.path().join(name).to_string_lossy().into_owned();
        let run = eval(&[
            "--tasks",
            "hellaswag,gsm8k",
            "--limit",
            "20",
            "--reference",
            who,
        ])
        .args(["--out", &directory, "--log-samples", "--quiet"])
        .output()
        .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
    let path = |name: &str| out.path().join(name).to_string_lossy().into_owned();
    let rows = answer(
        eval(&["compare", &path("a"), &path("b"), "--json"])
            .output()
            .unwrap(),
    );
    let row = &rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["metric"] == "acc_norm")
        .unwrap();
    assert_eq!(
        (&row["values"][0], &row["values"][1]),
        (&Value::from(1.0), &Value::from(0.0))
    );
    assert_eq!(
        (&row["difference"], &row["paired"]),
        (&Value::from(-1.0), &Value::from(true))
    );
    assert!(row["p"].as_f64().unwrap() < 1e-5);
    fails(&["compare", &path("a"), &path("none")], 1, "none");
}

#[test]
fn programs_are_not_run_unasked() {
    fails(
        &["--tasks", "humaneval", "--limit", "1"],
        1,
        "--allow-code-execution",
    );
    fails(
        &["--tasks", "coding", "--limit", "1"],
        1,
        "none of the tasks could be run",
    );
}

#[test]
fn nonsense_is_refused() {
    fails(&["--tasks", "nothing"], 1, "no task or group \"nothing\"");
    fails(
        &["--tasks", "piqa", "--data", DATA, "--fewshot", "9"],
        1,
        "9 examples are wanted",
    );
    fails(&["--batch", "0"], 2, "--batch 0");
    fails(&["--dtype", "f8"], 2, "f8");
    fails(&["--resume"], 2, "--out");
    fails(&["-m", "no-such-model"], 1, "no-such-model");
}

#[test]
fn what_a_model_has_seen_is_looked_for() {
    let out = tempdir().unwrap();
    let directory = out.path().to_string_lossy().into_owned();
    let found = answer(
        eval(&[
            "contamination",
            "-m",
            MODEL,
            "--tasks",
            "gsm8k,piqa",
            "--data",
            DATA,
            "--device",
            "cpu",
            "--quiet",
        ])
        .args(["--out", &directory, "--json"])
        .output()
        .unwrap(),
    );
    let splits = found["splits"].as_array().unwrap();
    let names: Vec<&str> = splits
        .iter()
        .map(|split| split["split"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["test", "train", "test"]);
    assert!(
        splits
            .iter()
            .all(|split| split["score"].as_f64().unwrap() > 1.0)
    );
    assert_eq!(splits[0]["scores"].as_array().unwrap().len(), 6);
    assert!(
        fs::read_to_string(out.path().join("contamination.svg"))
            .unwrap()
            .contains("<svg")
    );
    assert!(out.path().join("contamination.json").exists());
}
