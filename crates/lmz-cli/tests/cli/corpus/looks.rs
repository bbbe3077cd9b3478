//! Looking at corpora: figures, samples, overlap.

use serde_json::Value;

use super::{fine, page};
use crate::harness::Place;

fn line(text: &str) -> String {
    format!(
        "{}\n",
        serde_json::json!({"content": text, "subset": "s", "meta": {"date": "2026-06-01", "licence": "CC0"}})
    )
}

#[test]
fn a_corpus_is_counted() {
    let place = Place::new();
    let text = [
        line(&page(1, 3)),
        line(&page(2, 3)),
        line(&page(1, 3)),
        "no JSON\n".into(),
    ]
    .concat();
    place.write("a.jsonl", text);
    let stats: Value =
        serde_json::from_str(&fine(place.lmz(["corpus", "stats", "a.jsonl", "--json"]))).unwrap();
    assert_eq!(stats["documents"], 3);
    assert_eq!(stats["duplicates"], 1);
    assert_eq!(stats["bytes"], page(1, 3).len() * 2 + page(2, 3).len());
    assert_eq!(stats["licences"]["CC0"]["documents"], 3);
    assert_eq!(stats["languages"]["en"]["documents"], 3);
    assert_eq!(
        stats["dates"],
        serde_json::json!(["2026-06-01", "2026-06-01"])
    );
    assert_eq!(stats["counts"]["skipped: bad JSON"], 1);
    let text = fine(place.lmz(["corpus", "stats", "a.jsonl"]));
    assert!(
        text.contains("3  documents\n") && text.contains("dates: 2026-06-01 to 2026-06-01"),
        "{text}"
    );
    place
        .lmz(["corpus", "stats", "b.jsonl"])
        .fails(1, "b.jsonl: no such file");
}

#[test]
fn a_sample_is_lines_as_they_are() {
    let place = Place::new();
    let text: String = (0..50).map(|n| line(&format!("document {n}"))).collect();
    place.write("a.jsonl", &text);
    let one = fine(place.lmz(["corpus", "sample", "a.jsonl", "-n", "5", "--seed", "3"]));
    assert_eq!(one.lines().count(), 5);
    assert!(one.lines().all(|line| text.contains(line)));
    fine(place.lmz([
        "corpus", "sample", "a.jsonl", "-n", "5", "--seed", "3", "-o", "s.jsonl",
    ]));
    assert_eq!(place.read("s.jsonl"), one.as_bytes());
}

#[test]
fn what_a_benchmark_has_as_well_is_found_and_dropped() {
    let place = Place::new();
    let (clean, taken, quoted) = (page(1, 10), page(2, 10), page(3, 10));
    place.write(
        "a.jsonl",
        [line(&clean), line(&taken), line(&quoted)].concat(),
    );
    std::fs::create_dir(place.path("bench")).unwrap();
    // The question holds one document, in capitals and on one line; the answer a sentence of another one.
    let question = taken
        .split_once('\n')
        .unwrap()
        .1
        .to_uppercase()
        .replace('\n', " ");
    let sentence = quoted.lines().nth(4).unwrap().split(' ').take(15);
    let sentence = sentence.collect::<Vec<&str>>().join(" ");
    let item = serde_json::json!({"question": question, "choices": ["no", sentence]});
    place.write("bench/test.jsonl", format!("{item}\n"));
    place.write(
        "bench/other.json",
        "[\"nothing in common with anything that was written here before now\"]",
    );
    let found = fine(place.lmz([
        "corpus",
        "overlap",
        "a.jsonl",
        "bench",
        "--json",
        "--drop",
        "clean.jsonl",
    ]));
    let report: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (report["documents"].as_u64(), report["touched"].as_u64()),
        (Some(3), Some(2))
    );
    assert_eq!(report["overlapping"], 1);
    let worst = &report["worst"][0];
    assert_eq!(worst["line"], 2);
    assert!(worst["share"].as_f64().unwrap() > 0.9);
    assert!(worst["source"].as_str().unwrap().ends_with("test.jsonl"));
    assert!(worst["text"].as_str().unwrap().contains("The person"));
    assert_eq!(
        place.read("clean.jsonl"),
        [line(&clean), line(&quoted)].concat().as_bytes()
    );
    let stricter = fine(place.lmz(["corpus", "overlap", "a.jsonl", "bench", "--at-least", "1"]));
    assert!(stricter.contains("2  documents that overlap"), "{stricter}");
    let longer = fine(place.lmz([
        "corpus",
        "overlap",
        "a.jsonl",
        "bench",
        "-n",
        "40",
        "--at-least",
        "1",
    ]));
    assert!(longer.contains("1  documents that overlap"), "{longer}");
    place
        .lmz(["corpus", "overlap", "a.jsonl", "nowhere"])
        .fails(1, "nowhere: no such file");
}
