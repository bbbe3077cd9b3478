//! Source code.

use std::path::Path;
use std::process::Command;

use super::{count, fine, gzip, lines, tar};
use crate::harness::Place;

/// A file of Python that the filters keep.
fn module(number: usize) -> String {
    let mut text =
        format!("\"\"\"Module {number}.\"\"\"\n\n\ndef function_{number}(first, second):\n");
    for n in 0..12 {
        text += &format!(
            "    value_{} = first * {} + second\n",
            super::word(number * 12 + n),
            n + number
        );
    }
    text + "    return first\n"
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", "2026-06-02T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-06-02T00:00:00Z")
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

const MIT: &str = "Permission is hereby granted, free of charge, to any person obtaining a copy";

#[test]
fn a_repository_is_read_from_its_commit() {
    let place = Place::new();
    let folder = place.path("work");
    std::fs::create_dir_all(folder.join("pkg")).unwrap();
    for n in 0..5 {
        place.write(format!("work/pkg/m{n}.py"), module(n));
    }
    place.write(
        "work/pkg/near.py",
        module(0).replacen("Module 0", "Another copy 0", 1),
    );
    place.write(
        "work/generated.py",
        format!("# Automatically generated.\n{}", module(9)),
    );
    place.write("work/LICENSE", MIT);
    place.write("work/readme.md", "no Python");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", folder.join("pkg/link.py")).unwrap();
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "one"]);
    // Not committed, so not there.
    place.write("work/pkg/later.py", module(20));
    fine(place.lmz([
        "corpus",
        "github",
        "--repos",
        "work",
        "-q",
        "-o",
        "python.jsonl",
    ]));
    let found = lines(&place, "python.jsonl");
    let paths: Vec<&str> = found
        .iter()
        .map(|line| line["meta"]["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "pkg/m0.py",
            "pkg/m1.py",
            "pkg/m2.py",
            "pkg/m3.py",
            "pkg/m4.py"
        ]
    );
    let meta = &found[0]["meta"];
    assert_eq!(
        (meta["licence"].as_str(), meta["date"].as_str()),
        (Some("MIT"), Some("2026-06-02"))
    );
    assert_eq!(meta["repository"], "work");
    assert_eq!(meta["commit"].as_str().unwrap().len(), 40);
    assert_eq!(found[1]["content"], module(1));
    assert_eq!(found[1]["subset"], "python");
    assert_eq!(
        count(
            &place,
            "python.manifest.json",
            "dropped: nearly the same text"
        ),
        1
    );
    assert_eq!(
        count(&place, "python.manifest.json", "dropped: generated"),
        1
    );
    let none = |more: &[&str]| {
        let args = [
            "corpus",
            "github",
            "--repos",
            "work",
            "-q",
            "-o",
            "none.jsonl",
        ];
        fine(place.lmz(args.iter().chain(more)));
        assert!(place.read("none.jsonl").is_empty());
    };
    none(&["--after", "2026-06-03"]);
    none(&["--licence", "apache-2.0,bsd-3-clause"]);
    none(&["--language", "rust"]);
    place
        .lmz([
            "corpus",
            "github",
            "--repos",
            "work/pkg",
            "-o",
            "x.jsonl",
            "--language",
            "cobol",
        ])
        .fails(2, "\"cobol\" is none of python, c");
}

#[test]
fn a_folder_that_is_no_repository_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("plain")).unwrap();
    place.write("plain/a.py", module(1));
    let run = place
        .command()
        .args(["corpus", "github", "--repos", "plain", "-o", "x.jsonl"])
        .env("GIT_CEILING_DIRECTORIES", place.path(""))
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("not a git repository"));
}

#[test]
fn tarballs_are_read_and_lists_name_them() {
    let place = Place::new();
    let (a, b) = (module(1), module(2));
    let files: &[(&str, &[u8])] = &[
        ("top/src/a.py", a.as_bytes()),
        ("top/node_modules/b.py", b.as_bytes()),
        ("top/../../evil.py", b.as_bytes()),
        ("top/zlicence", b""),
        ("top/LICENSE.txt", MIT.as_bytes()),
    ];
    place.write("one.tar.gz", gzip(&tar(files)));
    place.write("two.tar", tar(&[("x/c.py", b.as_bytes())]));
    place.write("list.txt", "# tarballs\none.tar.gz\n\ntwo.tar\n");
    fine(place.lmz([
        "corpus",
        "github",
        "--repos",
        "list.txt",
        "-q",
        "-o",
        "out.jsonl",
    ]));
    let found = lines(&place, "out.jsonl");
    let seen: Vec<String> = found
        .iter()
        .map(|line| {
            let meta = &line["meta"];
            format!(
                "{} {} {}",
                meta["repository"], meta["path"], meta["licence"]
            )
        })
        .collect();
    assert_eq!(
        seen,
        ["\"one\" \"src/a.py\" \"MIT\"", "\"two\" \"c.py\" null"]
    );
    assert_eq!(
        count(
            &place,
            "out.manifest.json",
            "skipped: path that leads elsewhere"
        ),
        1
    );
    assert_eq!(
        count(&place, "out.manifest.json", "dropped: somebody else's code"),
        1
    );
}
