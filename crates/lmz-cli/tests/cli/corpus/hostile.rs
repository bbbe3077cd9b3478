//! Inputs that are broken, or made to do harm: passed over with a count, never followed, never a crash.

use std::io::Write;

use super::{count, fine, gzip, lines, page, record, tar};
use crate::harness::Place;

#[test]
fn broken_crawls_lose_what_is_broken() {
    let place = Place::new();
    let good = |n: usize| gzip(&record(&format!("https://a.example/{n}"), &page(n, 8)));
    let mut damaged = good(1);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let absurd =
        "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 18446744073709551615\r\n\r\nx";
    let truncated = good(9);
    let bytes = [
        good(0),
        damaged,
        b"garbage between members".to_vec(),
        good(2),
        gzip(absurd.as_bytes()),
        gzip(b"WARC/1.0\r\nno colon\r\n\r\n"),
        good(3),
        gzip(&record("https://bomb.example/", &"a".repeat(40 << 20))),
        good(4),
        truncated[..truncated.len() - 20].to_vec(),
    ];
    place.write("a.wet.gz", bytes.concat());
    fine(place.lmz([
        "corpus",
        "cc",
        "--wet",
        "a.wet.gz",
        "-q",
        "-o",
        "a.jsonl",
        "--paragraphs",
        "keep",
    ]));
    let found = lines(&place, "a.jsonl");
    let urls: Vec<&str> = found
        .iter()
        .map(|line| line["meta"]["url"].as_str().unwrap())
        .collect();
    assert_eq!(urls, [0, 2, 3, 4].map(|n| format!("https://a.example/{n}")));
    assert_eq!(
        count(&place, "a.manifest.json", "skipped: record too long"),
        1
    );
    assert!(count(&place, "a.manifest.json", "broken: gzip member") >= 2);
    assert!(count(&place, "a.manifest.json", "broken: record") >= 3);

    for (name, bytes) in [
        ("empty.wet.gz", &b""[..]),
        ("noise.wet.gz", b"\x1f\x8b\x08"),
        ("text.wet", b"no records\n"),
    ] {
        place.write(name, bytes);
        fine(place.lmz(["corpus", "cc", "--wet", name, "-q", "-o", "none.jsonl"]));
        assert!(place.read("none.jsonl").is_empty(), "{name}");
    }
}

#[test]
fn a_line_without_an_end_is_passed_over() {
    let place = Place::new();
    let file = std::fs::File::create(place.path("a.jsonl")).unwrap();
    let mut out = std::io::BufWriter::new(file);
    out.write_all(b"{\"text\": \"first\"}\n{\"text\": \"")
        .unwrap();
    for _ in 0..100 {
        out.write_all(&vec![b'a'; 1 << 20]).unwrap();
    }
    out.write_all(b"\"}\n{\"text\": \"last\"}\n").unwrap();
    out.into_inner().unwrap();
    fine(place.lmz(["corpus", "local", "a.jsonl", "-q", "-o", "out.jsonl"]));
    let found: Vec<String> = lines(&place, "out.jsonl")
        .iter()
        .map(|line| line["content"].to_string())
        .collect();
    assert_eq!(found, ["\"first\"", "\"last\""]);
    assert_eq!(
        count(&place, "out.manifest.json", "skipped: line too long"),
        1
    );
}

#[test]
fn archives_lead_nowhere() {
    let place = Place::new();
    let text = "x = 1\n".repeat(20) + "def f():\n    pass\n";
    let whole = gzip(&tar(&[
        ("t/a.py", text.as_bytes()),
        ("/etc/evil.py", b"x"),
        ("t/../../../e.py", b"x"),
    ]));
    place.write("cut.tar.gz", &whole[..whole.len() - 30]);
    place.write("noise.tar.gz", gzip(&crate::harness::noise(100_000)));
    place.write("bomb.tar.gz", gzip(&vec![0; 30 << 20]));
    let before = place.names();
    let args = [
        "corpus",
        "github",
        "--repos",
        "cut.tar.gz",
        "noise.tar.gz",
        "bomb.tar.gz",
        "-q",
        "-o",
        "out.jsonl",
    ];
    fine(place.lmz(args));
    assert!(count(&place, "out.manifest.json", "broken: archive") >= 1);
    assert_eq!(place.names().len(), before.len() + 2);
    let bulk = tar(&[(
        "2606/2606.00001.gz",
        &gzip(&tar(&[("a.tex", &[0, 159, 146, 150, 1, 2])])),
    )]);
    place.write("b.tar", bulk);
    place.write(
        "m.json",
        "{\"id\":\"2606.00001\",\"categories\":\"math.CO\",\"update_date\":\"2026-06-01\"}\n",
    );
    fine(place.lmz([
        "corpus",
        "arxiv",
        "--tar",
        "b.tar",
        "--metadata",
        "m.json",
        "-q",
        "-o",
        "m.jsonl",
    ]));
    assert_eq!(
        count(&place, "m.manifest.json", "skipped: binary called TeX"),
        1
    );
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("d/e")).unwrap();
    place.write("d/a.txt", "text");
    place.write("secret.txt", "secret");
    std::os::unix::fs::symlink(place.path("secret.txt"), place.path("d/link.txt")).unwrap();
    std::os::unix::fs::symlink(place.path("d"), place.path("d/e/circle")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(place.path("d/pipe.txt"))
        .status()
        .unwrap();
    assert!(pipe.success());
    fine(place.lmz(["corpus", "local", "d", "-q", "-o", "out.jsonl"]));
    assert_eq!(lines(&place, "out.jsonl").len(), 1);
    assert_eq!(
        count(&place, "out.manifest.json", "skipped: link or device"),
        3
    );
}
