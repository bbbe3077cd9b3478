//! Crawled pages.

use std::path::Path;

use super::{count, fine, gzip, lines, page, record};
use crate::harness::Place;

/// A WET file of pages, each a member of gzip.
fn wet(pages: impl Iterator<Item = (String, String)>) -> Vec<u8> {
    pages
        .flat_map(|(url, text)| gzip(&record(&url, &text)))
        .collect()
}

fn pages(numbers: std::ops::Range<usize>) -> impl Iterator<Item = (String, String)> {
    numbers.map(|n| (format!("https://www.site{}.example/{n}", n % 7), page(n, 8)))
}

#[test]
fn pages_become_a_corpus_without_what_they_share() {
    let place = Place::new();
    let german = "Der alte Mann geht am Abend durch den Garten und denkt an die Reise, die er im Sommer machen wollte. ";
    let mut all: Vec<(String, String)> = pages(0..40).collect();
    all.push(("https://de.example/".into(), german.repeat(6)));
    all.push(("https://copy.example/".into(), page(3, 8)));
    all.push(("https://short.example/".into(), "Too short.".into()));
    place.write("a.wet.gz", wet(all.into_iter()));
    let said = fine(place.lmz(["corpus", "cc", "--wet", "a.wet.gz", "-o", "web.jsonl"]));
    assert!(
        said.ends_with("characters\n") && said.contains("web.jsonl: 40 documents"),
        "{said}"
    );
    assert_eq!(
        place.names(),
        ["a.wet.gz", "web.jsonl", "web.manifest.json"]
    );
    let found = lines(&place, "web.jsonl");
    assert_eq!(found.len(), 40);
    for (n, line) in found.iter().enumerate() {
        let content = line["content"].as_str().unwrap();
        let own = page(n, 8);
        // The first line is everybody's.
        assert_eq!(content, own.split_once('\n').unwrap().1.trim_end());
        assert_eq!(line["subset"], "web");
        assert_eq!(line["meta"]["language"], "en");
        assert_eq!(line["meta"]["date"], "2026-06-01T00:00:00Z");
        assert_eq!(
            line["meta"]["url"],
            format!("https://www.site{}.example/{n}", n % 7)
        );
        assert_eq!(line["meta"]["hash"].as_str().unwrap().len(), 32);
    }
    for (what, n) in [
        ("read: records", 43),
        ("dropped: other language", 1),
        ("dropped: too short", 1),
        ("dropped: same text", 1),
        ("cut lines: in other documents, or twice", 40),
        ("documents: filtered", 40),
    ] {
        assert_eq!(count(&place, "web.manifest.json", what), n, "{what}");
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let place = Place::new();
    place.write("a.wet.gz", wet(pages(0..300)));
    place.write(
        "b.wet",
        pages(200..500)
            .flat_map(|(url, text)| record(&url, &text))
            .collect::<Vec<u8>>(),
    );
    let make = |out: &str, threads: &str, seed: &str| {
        let args = [
            "corpus", "cc", "--wet", "a.wet.gz", "b.wet", "--size", "50KB", "-q", "-T", threads,
            "--seed", seed, "--out", out,
        ];
        assert_eq!(fine(place.lmz(args)), "");
        (
            place.read(out),
            place.read(Path::new(out).with_extension("manifest.json")),
        )
    };
    let (one, manifest) = make("one.jsonl", "1", "7");
    let (more, again) = make("more.jsonl", "5", "7");
    assert_eq!(one, more);
    let named = String::from_utf8(again)
        .unwrap()
        .replace("more.jsonl", "one.jsonl");
    assert_eq!(String::from_utf8(manifest).unwrap(), named);
    assert_ne!(make("other.jsonl", "2", "8").0, one);
    let bytes: u64 = lines(&place, "one.jsonl")
        .iter()
        .map(|line| line["content"].as_str().unwrap().len() as u64)
        .sum();
    assert!((49_000..=50_000).contains(&bytes), "{bytes}");
    // 100 pages are in both files.
    assert_eq!(
        count(&place, "one.manifest.json", "dropped: same text"),
        100
    );
}

#[test]
fn hosts_dates_and_near_duplicates_are_limited() {
    let place = Place::new();
    let mut all: Vec<(String, String)> = pages(0..70).collect();
    // One word of many is another one.
    all.push((
        "https://near.example/".into(),
        page(5, 60).replacen("person", "people", 1),
    ));
    all.push(("https://near.example/2".into(), page(5, 60)));
    place.write("a.wet.gz", wet(all.into_iter()));
    let build = |more: &[&str]| {
        let args = [
            "corpus",
            "cc",
            "--wet",
            "a.wet.gz",
            "-q",
            "-o",
            "a.jsonl",
            "--paragraphs",
            "keep",
        ];
        fine(place.lmz(args.iter().chain(more)));
        lines(&place, "a.jsonl").len()
    };
    assert_eq!(build(&[]), 72);
    assert_eq!(build(&["--near", "0.8"]), 71);
    assert_eq!(
        count(&place, "a.manifest.json", "dropped: nearly the same text"),
        1
    );
    assert_eq!(build(&["--per-host", "4"]), 7 * 4 + 2);
    assert_eq!(
        build(&["--after", "2026-06-01", "--before", "2026-06-02"]),
        72
    );
    assert_eq!(build(&["--after", "2026-06-02"]), 0);
    assert_eq!(build(&["--language", "de,fr"]), 0);
    place
        .lmz([
            "corpus",
            "cc",
            "--wet",
            "a.wet.gz",
            "-o",
            "a",
            "--language",
            "xx",
        ])
        .fails(2, "no language that can be told");
}

#[test]
fn pages_as_they_were_fetched_are_read_too() {
    let place = Place::new();
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../lmz-corpus/tests/fixtures/sample.warc.gz");
    std::fs::copy(fixture, place.path("a.warc.gz")).unwrap();
    let args = [
        "corpus",
        "cc",
        "--wet",
        "a.warc.gz",
        "-q",
        "-o",
        "a.jsonl.gz",
        "--language",
        "all",
        "--min-length",
        "100",
    ];
    fine(place.lmz(args));
    let said = fine(place.lmz(["corpus", "stats", "a.jsonl.gz", "--json"]));
    let stats: serde_json::Value = serde_json::from_str(&said).unwrap();
    // Hebrew, Arabic, Chinese, Japanese and Korean say as much in fewer characters.
    assert!(stats["documents"].as_u64().unwrap() >= 16, "{said}");
    assert_eq!(stats["languages"]["fi"]["documents"], 1);
    let text = String::from_utf8(
        fine(place.lmz(["corpus", "sample", "a.jsonl.gz", "-n", "100"])).into_bytes(),
    )
    .unwrap();
    assert!(
        text.contains("All human beings")
            && text.contains("\"title\":\"en\"")
            && !text.contains("menu")
    );
}
