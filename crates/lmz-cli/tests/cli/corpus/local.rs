//! Files of one's own.

use std::fs;

use super::{count, fine, gzip, lines};
use crate::harness::Place;

#[test]
fn every_kind_of_file_is_read_as_what_it_is() {
    let place = Place::new();
    fs::create_dir_all(place.path("d/sub")).unwrap();
    fs::create_dir_all(place.path("d/.git")).unwrap();
    place.write("d/a.md", "# Title\r\n\r\nText.\r\n");
    place.write(
        "d/b.html",
        "<html><head><title>T</title></head><body><nav>x</nav><p>Page &amp; text</p></body></html>",
    );
    place.write("d/c.jsonl", "{\"text\": \"one\", \"meta\": {\"url\": \"u\"}}\nnonsense\n{\"content\": \"two\", \"subset\": \"s\"}\n");
    place.write("d/d.mbox", "From a\nSubject: Hello\nDate: Mon, 1 Jun 2026 00:00:00 +0000\n\nBody.\n\nFrom b\nSubject: Old\nDate: Mon, 1 Jun 2020 00:00:00 +0000\n\nOld body.\n");
    place.write(
        "d/e.txt",
        "A para-\ngraph of a page.\n1\x0cSecond page.\n2\n",
    );
    place.write("d/f.py", "def f():\n\treturn 1\n");
    place.write("d/g.txt.gz", gzip(b"packed"));
    place.write("d/h.txt", b"caf\xe9");
    place.write("d/i.png", b"\x89PNG\r\n\x1a\n\0\0");
    place.write("d/sub/j.txt", "below");
    place.write("d/.git/k.txt", "hidden");
    place.write(
        "d/z.tex",
        "\\documentclass{a}\\begin{document}\\emph{x}\\end{document}",
    );
    fine(place.lmz([
        "corpus",
        "local",
        "d",
        "-q",
        "-o",
        "out.jsonl",
        "--after",
        "2026-01-01",
        "--markup",
        "builtin",
    ]));
    let found = lines(&place, "out.jsonl");
    let seen: Vec<(&str, &str)> = found
        .iter()
        .map(|line| {
            (
                line["subset"].as_str().unwrap(),
                line["content"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("text", "# Title\n\nText."),
            ("web", "Page & text"),
            ("text", "one"),
            ("s", "two"),
            ("mail", "Hello\n\nBody."),
            ("text", "A paragraph of a page. Second page."),
            ("python", "def f():\n\treturn 1\n"),
            ("text", "packed"),
            ("text", "café"),
            ("text", "below"),
            ("math", "*x*"),
        ]
    );
    assert_eq!(found[1]["meta"]["title"], "T");
    assert_eq!(found[2]["meta"]["url"], "u");
    assert_eq!(found[2]["meta"]["path"], "c.jsonl");
    assert_eq!(found[3]["meta"]["number"], 3);
    for (what, n) in [
        ("skipped: no text", 1),
        ("skipped: bad JSON", 1),
        ("passed: hidden", 1),
        ("repaired: encoding", 0),
        ("dropped: other date", 1),
    ] {
        assert_eq!(count(&place, "out.manifest.json", what), n, "{what}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let place = Place::new();
    place.write("a.txt", "text");
    place
        .lmz(["corpus", "local", "nowhere", "-o", "x.jsonl"])
        .fails(1, "nowhere: no such file or directory");
    place
        .lmz(["corpus", "local", "a.txt"])
        .fails(2, "--out FILE");
    place
        .lmz(["corpus", "local", "a.txt", "-o", "no/x.jsonl"])
        .fails(1, "no/");
    place
        .lmz(["corpus", "local", "a.txt", "-o", "x", "--size", "much"])
        .fails(2, "--size");
    place
        .lmz(["corpus", "local", "a.txt", "-o", "x", "--near", "0.2"])
        .fails(2, "not from 0.5 to 1");
    place.lmz(["corpus"]).fails(2, "Usage: lmz corpus");
    assert_eq!(place.names(), ["a.txt"]);
}

#[test]
fn quality_is_what_a_model_pays() {
    let place = Place::new();
    fs::create_dir(place.path("d")).unwrap();
    let nonsense = |n: u32| -> String {
        let mut state = n.wrapping_mul(2_654_435_761) | 1;
        let mut letter = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            char::from(b'a' + (state >> 8) as u8 % 26)
        };
        (0..600).map(|_| letter()).collect()
    };
    for n in 0..6 {
        place.write(format!("d/{n}-good.txt"), super::page(n, 6));
        place.write(format!("d/{n}-bad.txt"), nonsense(n as u32 + 1));
    }
    fine(place.lmz([
        "corpus",
        "local",
        "d",
        "-q",
        "-o",
        "out.jsonl",
        "--quality",
        "50",
        "--quality-bytes",
        "512",
    ]));
    let found = lines(&place, "out.jsonl");
    assert_eq!(found.len(), 6);
    for line in &found {
        assert!(line["meta"]["path"].as_str().unwrap().ends_with("good.txt"));
        assert!(line["meta"]["bits_per_byte"].as_f64().unwrap() < 4.0);
        assert!(["head", "middle"].contains(&line["meta"]["bucket"].as_str().unwrap()));
    }
    assert_eq!(count(&place, "out.manifest.json", "dropped: quality"), 6);
}
