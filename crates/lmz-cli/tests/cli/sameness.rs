//! The same bytes, however they are made.

use crate::harness::{Place, nano, noise, run, story};

#[test]
fn kernels_threads_files_and_pipes_give_the_same_bytes() {
    let nano = nano();
    let place = Place::new();
    let text = story(8_000);
    place.write("text", &text);
    let expected = place
        .lmz([
            "-c",
            "-m",
            nano,
            "--mix",
            "none",
            "--segment",
            "2K",
            "--context",
            "64",
            "text",
        ])
        .quiet();
    let list = place.lmz_with(["-l", "--json"], &expected).quiet();
    let list = String::from_utf8(list).unwrap();
    assert_eq!(
        list.matches(r#""kind": "model""#).count(),
        4,
        "the model codes it: {list}"
    );
    let mut ways: Vec<(&str, Vec<u8>)> = vec![
        (
            "pipe",
            place
                .lmz_with(
                    [
                        "--mix",
                        "none",
                        "--segment",
                        "2K",
                        "--context",
                        "64",
                        "-m",
                        nano,
                    ],
                    &text,
                )
                .quiet(),
        ),
        (
            "one thread",
            place
                .lmz([
                    "-cT1",
                    "--mix",
                    "none",
                    "--segment",
                    "2K",
                    "--context",
                    "64",
                    "-m",
                    nano,
                    "text",
                ])
                .quiet(),
        ),
        (
            "two threads",
            place
                .lmz([
                    "-cT2",
                    "--mix",
                    "none",
                    "--segment",
                    "2K",
                    "--context",
                    "64",
                    "-m",
                    nano,
                    "text",
                ])
                .quiet(),
        ),
        (
            "no check",
            place
                .lmz([
                    "-c",
                    "--no-verify",
                    "--mix",
                    "none",
                    "--segment",
                    "2K",
                    "--context",
                    "64",
                    "-m",
                    nano,
                    "text",
                ])
                .quiet(),
        ),
    ];
    place
        .lmz([
            "--mix",
            "none",
            "--segment",
            "2K",
            "--context",
            "64",
            "-m",
            nano,
            "text",
        ])
        .quiet();
    ways.push(("file", place.read("text.lmz")));
    for isa in lmz::Isa::available() {
        let mut command = place.command();
        command.env("LMZ_KERNEL", isa.name()).args([
            "-c",
            "--mix",
            "none",
            "--segment",
            "2K",
            "--context",
            "64",
            "-m",
            nano,
            "text",
        ]);
        ways.push((isa.name(), run(&mut command, b"").quiet()));
    }
    for (way, bytes) in ways {
        assert!(bytes == expected, "{way}: other bytes");
    }
    for isa in lmz::Isa::available() {
        for threads in ["-T1", "-T2"] {
            let mut command = place.command();
            command.env("LMZ_KERNEL", isa.name()).args([
                "-dc",
                threads,
                "--segment",
                "2K",
                "-m",
                nano,
                "text.lmz",
            ]);
            assert!(
                run(&mut command, b"").quiet() == text,
                "{} {threads}",
                isa.name()
            );
        }
    }
}

#[test]
fn mixed_groups_are_the_same_on_all_machines() {
    let nano = nano();
    let place = Place::new();
    let text = [story(7000), noise(5000), story(4000)].concat();
    let options = ["--segment", "6K", "--context", "64", "-m", nano];
    let expected = place
        .lmz_with(options.iter().chain(&["-T1"]), &text)
        .quiet();
    for isa in lmz::Isa::available() {
        for threads in ["-T1", "-T2", "-T3"] {
            let mut command = place.command();
            command.env("LMZ_KERNEL", isa.name());
            command.args(options).arg(threads);
            let packed = run(&mut command, &text).quiet();
            assert!(packed == expected, "{} {threads}", isa.name());
            let mut command = place.command();
            command.env("LMZ_KERNEL", isa.name());
            command.args(["-d", "-m", nano, threads]);
            let back = run(&mut command, &packed).quiet();
            assert!(back == text, "{} {threads}", isa.name());
        }
    }
}

#[test]
fn options_change_the_bytes_and_not_the_text() {
    let nano = nano();
    let place = Place::new();
    let text = story(5_000);
    let mut seen = Vec::new();
    for options in [
        &[][..],
        &["--segment", "2K"],
        &["--lanes", "3"],
        &["--mix", "none"],
        &["--mix", "none", "--segment", "2K"],
        &["--mix", "none", "--segment", "1M"],
        &["--context", "64"],
        &["--context", "64", "--overlap", "0"],
        &["--context", "64", "--overlap", "20"],
    ] {
        let packed = place
            .lmz_with(["-m", nano].iter().chain(options), &text)
            .quiet();
        // As tar does it: the same options again, and -d.
        let back = place
            .lmz_with(["-d", "-m", nano].iter().chain(options), &packed)
            .quiet();
        assert!(back == text, "{options:?}");
        assert!(!seen.contains(&packed), "{options:?} changed nothing");
        seen.push(packed);
    }
}
