//! Papers.

use super::{count, fine, gzip, lines, tar};
use crate::harness::Place;

fn metadata(id: &str, categories: &str, day: u32) -> String {
    format!(
        "{{\"id\":\"{id}\",\"title\":\"On {id}\",\"categories\":\"{categories}\",\"license\":\"http://creativecommons.org/licenses/by/4.0/\",\
         \"versions\":[{{\"version\":\"v1\",\"created\":\"{day} Jun 2026 10:00:00 GMT\"}}],\"update_date\":\"2026-07-01\"}}\n"
    )
}

fn paper(text: &str) -> String {
    format!(
        "\\documentclass{{article}}\n\\newcommand{{\\R}}{{\\mathbb{{R}}}}\n\\begin{{document}}\n{text}\n\\end{{document}}\n"
    )
}

#[test]
fn papers_become_markdown() {
    let place = Place::new();
    let long = "Let $f$ be a function on $\\R$. It is continuous, and we show that it is bounded as well. ".repeat(20);
    let main = paper(&format!(
        "\\section{{Start}}\n{long}\n\\input{{sections/two}}"
    ));
    let whole = gzip(&tar(&[
        ("main.tex", main.as_bytes()),
        ("sections/two.tex", b"\\section{Second}\n\\emph{The part} that is included, with \\input{../../../../etc/passwd} nothing."),
        ("figure.png", b"\x89PNG\r\n\x1a\n\0"),
    ]));
    let single = gzip(paper(&long.replace("continuous", "smooth")).as_bytes());
    let bomb = gzip(&vec![b'a'; 20 << 20]);
    let bulk = tar(&[
        ("2606/2606.00001.gz", &whole),
        ("2606/2606.00002.gz", &single),
        ("2606/2606.00003.gz", &single),
        ("2606/2606.00004.pdf", b"%PDF-1.4"),
        ("2606/2606.00005.gz", b"\x1f\x8b broken"),
        ("2606/2606.00006.gz", &bomb),
        ("0309/math0309136.gz", &single),
    ]);
    place.write("arXiv_src_2606_001.tar", bulk);
    let lines_of = [
        "2606.00001",
        "2606.00002",
        "2606.00004",
        "2606.00005",
        "2606.00006",
    ]
    .map(|id| metadata(id, "math.CA math.FA", 10))
    .concat();
    place.write(
        "meta.json",
        lines_of
            + &metadata("2606.00003", "cs.LG math.CA", 10)
            + &metadata("math/0309136", "math.CA", 1),
    );
    let args = [
        "corpus",
        "arxiv",
        "--tar",
        "arXiv_src_2606_001.tar",
        "--metadata",
        "meta.json",
        "--category",
        "math",
        "--after",
        "2026-06-02",
        "--markup",
        "builtin",
        "-q",
        "-o",
        "math.jsonl",
    ];
    fine(place.lmz(args));
    let found = lines(&place, "math.jsonl");
    assert_eq!(found.len(), 2);
    let content = found[0]["content"].as_str().unwrap();
    assert!(
        content.starts_with("# Start\n\nLet $f$ be a function on $\\mathbb{R}$."),
        "{content}"
    );
    assert!(
        content.ends_with("# Second\n\n*The part* that is included, with nothing."),
        "{content}"
    );
    let meta = &found[0]["meta"];
    assert_eq!(meta["id"], "2606.00001");
    assert_eq!(meta["date"], "2026-06-10");
    assert_eq!(meta["url"], "https://arxiv.org/abs/2606.00001");
    assert_eq!(
        meta["licence"],
        "http://creativecommons.org/licenses/by/4.0/"
    );
    for (what, n) in [
        ("read: papers", 7),
        ("passed: not asked for", 2),
        ("dropped: no TeX", 1),
        ("broken: paper", 2),
    ] {
        assert_eq!(count(&place, "math.manifest.json", what), n, "{what}");
    }
    let args = [
        "corpus",
        "arxiv",
        "--tar",
        "arXiv_src_2606_001.tar",
        "--metadata",
        "meta.json",
        "--markup",
        "tex",
        "-q",
        "-o",
        "tex.jsonl",
        "--keep-duplicates",
    ];
    fine(place.lmz(args));
    assert_eq!(lines(&place, "tex.jsonl").len(), 4);
    place.write("empty.json", "{}\n");
    place
        .lmz([
            "corpus",
            "arxiv",
            "--tar",
            "arXiv_src_2606_001.tar",
            "--metadata",
            "empty.json",
            "-o",
            "x",
        ])
        .fails(1, "describes a paper of arXiv");
}
