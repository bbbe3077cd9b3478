//! The stages by themselves: shards, and runs that are killed.

use std::thread::sleep;
use std::time::Duration;

use super::{fine, page, record};
use crate::harness::{Place, finish, spawn};

/// Files of pages, some of which are in several of them.
fn files(place: &Place, count: usize, pages: usize) -> Vec<String> {
    (0..count)
        .map(|file| {
            let name = format!("{file}.wet");
            let numbers = (0..pages).map(|n| file * pages + n).chain([3, 4]);
            let records =
                numbers.map(|n| record(&format!("https://s{}.example/{n}", n % 5), &page(n, 8)));
            place.write(&name, records.collect::<Vec<_>>().concat());
            name
        })
        .collect()
}

#[test]
fn shards_make_what_one_process_makes() {
    let place = Place::new();
    let names = files(&place, 5, 20);
    place.write("list.txt", names.join("\n"));
    let run = |more: &[&str]| {
        let common = ["corpus", "cc", "--list", "list.txt", "--near", "0.85", "-q"];
        place.lmz(common.iter().chain(more))
    };
    let size = ["--size", "40KB"];
    fine(run(&[&size[..], &["-o", "whole.jsonl"]].concat()));
    let work = ["--work", "work"];
    run(&[&work[..], &["--stage", "merge"]].concat())
        .fails(1, "run the stage extract of its shard");
    for stage in ["extract", "merge", "filter"] {
        // In any order, and one of them twice.
        let shards: &[&str] = if stage == "merge" {
            &[""]
        } else {
            &["2/3", "0/3", "1/3", "0/3"]
        };
        for shard in shards {
            let mut more = [&work[..], &["--stage", stage]].concat();
            if !shard.is_empty() {
                more.extend(["--shard", shard]);
            }
            fine(run(&more));
        }
    }
    fine(run(&[
        &work[..],
        &size,
        &["--stage", "collect", "-o", "parts.jsonl"],
    ]
    .concat()));
    assert_eq!(place.read("whole.jsonl"), place.read("parts.jsonl"));
    let named = String::from_utf8(place.read("parts.manifest.json"))
        .unwrap()
        .replace("parts.jsonl", "whole.jsonl");
    assert_eq!(
        String::from_utf8(place.read("whole.manifest.json")).unwrap(),
        named
    );

    // The directory belongs to these settings; another size is the last stage's.
    run(&[&work[..], &["--min-length", "10", "-o", "x.jsonl"]].concat())
        .fails(1, "other settings or inputs (");
    fine(run(&[
        &work[..],
        &["--stage", "collect", "--size", "10KB", "-o", "less.jsonl"],
    ]
    .concat()));
    assert!(place.read("less.jsonl").len() < place.read("parts.jsonl").len());
    run(&[
        &work[..],
        &["--stage", "collect", "--shard", "0/2", "-o", "x"],
    ]
    .concat())
    .fails(2, "--shard is for");
}

#[cfg(unix)]
#[test]
fn a_run_that_was_killed_goes_on() {
    let place = Place::new();
    let names = files(&place, 6, 400);
    let arguments = |out: &'static str| {
        let mut arguments = vec![
            "corpus".to_owned(),
            "cc".into(),
            "-q".into(),
            "-o".into(),
            out.into(),
            "--wet".into(),
        ];
        arguments.extend(names.iter().cloned());
        arguments
    };
    fine(place.lmz(arguments("whole.jsonl")));
    let mut killed = 0;
    for wait in [20, 50, 100, 200, 400] {
        let mut child = spawn(place.command().args(arguments("again.jsonl")));
        sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        let run = finish(child);
        if run.status.success() {
            break;
        }
        killed += 1;
        // Never a part under the final name.
        assert!(
            !place.path("again.jsonl").exists()
                || place.read("again.jsonl") == place.read("whole.jsonl")
        );
    }
    assert!(killed > 0);
    fine(place.lmz(arguments("again.jsonl")));
    assert_eq!(place.read("again.jsonl"), place.read("whole.jsonl"));
    let temporary = place
        .names()
        .into_iter()
        .filter(|name| name.contains("tmp") || name.ends_with(".work"));
    assert_eq!(temporary.collect::<Vec<_>>(), Vec::<String>::new());
}
