//! What users of gzip, xz and zstd try first.

use std::fs;

use serde_json::Value;

use crate::harness::{Place, nano, story};

/// A tree of files: `tree/a`, `tree/inner/b`, `tree/inner/c.lmz`.
fn tree(nano: &str) -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("tree/inner")).unwrap();
    place.write("tree/a", "the first");
    place.write("tree/inner/b", "the second");
    let packed = place.lmz_with(["-cqm", nano], b"the third").quiet();
    place.write("tree/inner/c.lmz", packed);
    place
}

#[test]
fn directories_are_gone_into() {
    let nano = nano();
    let place = tree(nano);
    place
        .lmz(["-qm", nano, "tree"])
        .fails(1, "is a directory (-r");
    place.lmz(["-rqm", nano, "tree"]).quiet();
    assert!(place.path("tree/a.lmz").exists() && place.path("tree/inner/b.lmz").exists());
    assert!(!place.path("tree/inner/c.lmz.lmz").exists());
    place.lmz(["-rtqm", nano, "tree"]).quiet();
    fs::remove_file(place.path("tree/inner/b")).unwrap();
    // What is there already is not overwritten, and the others are restored all the same.
    let run = place.lmz(["-drqm", nano, "tree"]);
    run.fails(1, "already exists");
    assert_eq!(place.read("tree/inner/b"), b"the second");
    assert_eq!(place.read("tree/inner/c"), b"the third");
}

#[test]
fn inputs_are_removed_when_asked_and_only_when_their_outputs_are_whole() {
    let nano = nano();
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.write(name, format!("text {name}"));
    }
    place.lmz(["-q", "--rm", "-m", nano, "a"]).quiet();
    assert_eq!(place.names(), ["a.lmz", "b", "c"]);
    place.lmz(["-dq", "--rm", "-m", nano, "a.lmz"]).quiet();
    assert_eq!(place.read("a"), b"text a");
    // Standard output is no file.
    place.lmz(["-cq", "--rm", "-m", nano, "b"]).quiet();
    place.lmz(["-q", "--rm", "-k", "-m", nano, "c"]).quiet();
    assert_eq!(place.names(), ["a", "b", "c", "c.lmz"]);
    // An output that is there already, and an input that is damaged.
    place
        .lmz(["-q", "--rm", "-m", nano, "c"])
        .fails(1, "already exists");
    let mut bad = place.read("c.lmz");
    *bad.last_mut().unwrap() ^= 1;
    place.write("bad.lmz", bad);
    place
        .lmz(["-dq", "--rm", "-m", nano, "bad.lmz"])
        .fails(1, "damaged");
    place
        .lmz(["-q", "--rm", "--no-verify", "-m", nano, "b"])
        .fails(2, "--no-verify");
    assert_eq!(place.names(), ["a", "b", "bad.lmz", "c", "c.lmz"]);
    assert_eq!(place.read("c"), b"text c");
}

#[test]
fn outputs_go_into_directories() {
    let nano = nano();
    let place = tree(nano);
    fs::create_dir(place.path("out")).unwrap();
    let (a, b) = ("tree/a", "tree/inner/b");
    place.lmz(["-qm", nano, a, b, "-o", "out"]).quiet();
    place
        .lmz(["-qm", nano, "--output-dir-flat", "flat", a, b])
        .quiet();
    place
        .lmz(["-qrm", nano, "--output-dir-mirror", "mirror", "tree"])
        .quiet();
    for path in [
        "out/a.lmz",
        "out/b.lmz",
        "flat/a.lmz",
        "flat/b.lmz",
        "mirror/tree/a.lmz",
        "mirror/tree/inner/b.lmz",
    ] {
        assert!(place.path(path).exists(), "{path}");
    }
    place.write("a", "another first");
    let run = place.lmz(["-fqm", nano, "--output-dir-flat", "flat", a, "a"]);
    run.fails(1, "another input goes to");
    let restored = place.lmz(["-dcqm", nano, "flat/a.lmz"]).quiet();
    assert_eq!(restored, b"the first");
    place
        .lmz([
            "-qm",
            nano,
            "--output-dir-mirror",
            "mirror",
            "tree/../tree/a",
        ])
        .fails(1, "a path with '..' has no place");
    place
        .lmz(["-qm", nano, a, b, "-o", "single"])
        .fails(2, "-o names one file");
}

#[test]
fn levels_and_lists_are_accepted() {
    let nano = nano();
    let place = Place::new();
    for name in ["a", "b"] {
        place.write(name, "text");
    }
    let plain = place.lmz(["-cqm", nano, "a"]).quiet();
    for level in ["-1", "-9", "-n9"] {
        assert!(
            place.lmz([level, "-cqm", nano, "a"]).quiet() == plain,
            "{level}"
        );
    }
    place.write("list", "a\n\nb\r\n");
    place.lmz(["-qm", nano, "--filelist", "list"]).quiet();
    assert_eq!(place.names(), ["a", "a.lmz", "b", "b.lmz", "list"]);
    let run = place.lmz(["--nosuch", "a"]);
    run.fails(2, "--nosuch");
    assert!(!run.stderr.contains("as a value"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn names_of_the_program_say_what_to_do() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    place.lmz(["-qm", nano, "a"]).quiet();
    let called = |name: &str, args: &[&str]| {
        let link = place.path(name);
        if !link.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lmz"), &link).unwrap();
        }
        let mut command = std::process::Command::new(link);
        crate::harness::isolate(&mut command);
        crate::harness::run(command.args(args).current_dir(place.path("")), b"")
    };
    called("unlmz", &["-qfm", nano, "a.lmz"]).quiet();
    assert_eq!(place.read("a"), b"text");
    assert_eq!(
        called("lmzcat", &["-m", nano, "a.lmz", "a.lmz"]).quiet(),
        b"texttext"
    );
    called("unlmz", &["-m", nano, "a"]).fails(1, "does not end in .lmz");
    assert!(!place.path("a.lmz.lmz").exists());
}

#[test]
fn a_missing_file_is_missing_whatever_its_name() {
    let place = Place::new();
    for args in [
        &["-d", "nosuch"][..],
        &["-d", "nosuch.lmz"],
        &["-t", "nosuch"],
        &["cat", "nosuch"],
        &["nosuch.lmz"],
    ] {
        place.lmz(args).fails(1, "no such file");
    }
}

#[test]
fn one_file_that_fails_stops_no_other() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    place.lmz(["-qm", nano, "a"]).quiet();
    for (verb, args) in [
        ("", &["-lm", nano][..]),
        ("", &["-tvm", nano]),
        ("", &["-dcm", nano]),
        ("cat", &["-m", nano]),
        ("verify", &["--no-float", "-m", nano]),
    ] {
        let args = [&[verb][..], args, &["missing.lmz", "a.lmz"]].concat();
        let run = place.lmz(args.iter().filter(|arg| !arg.is_empty()));
        run.fails(1, "missing.lmz: no such file");
        let said = [run.stdout, run.stderr.into_bytes()].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            said.contains("a.lmz") && said.contains("4") || said.contains("text"),
            "{verb}: {said}"
        );
    }
}

#[test]
fn parts_of_several_files_follow_each_other() {
    let nano = nano();
    let place = Place::new();
    let raw = story(400);
    place.write("a", &raw[..300]);
    place.write("b", &raw[300..]);
    place.lmz(["-qm", nano, "a", "b"]).quiet();
    assert!(place.lmz(["cat", "-m", nano, "a.lmz", "b.lmz"]).quiet() == raw);
    let parts = place
        .lmz(["cat", "-m", nano, "-r", "..10", "a.lmz", "b.lmz"])
        .quiet();
    assert!(parts == [&raw[..10], &raw[300..310]].concat());
    place
        .lmz(["cat", "-m", nano, "-o", "both", "a.lmz", "b.lmz"])
        .quiet();
    assert!(place.read("both") == raw);
    // All or nothing.
    let run = place.lmz(["cat", "-m", nano, "-o", "none", "a.lmz", "missing"]);
    run.fails(1, "missing: no such file");
    assert!(!place.path("none").exists());
}

#[test]
fn short_files_are_listed_with_the_name_of_their_model() {
    let place = Place::new();
    place.write("short", "a few words");
    place.lmz(["-q", "short"]).quiet();
    let list = String::from_utf8(place.lmz(["-l", "short.lmz"]).quiet()).unwrap();
    assert!(list.contains("lmz-5m"), "{list}");
}

/// Each option is told in the manual page with its text, also those that a short help leaves out.
#[test]
fn the_manual_page_tells_every_option() {
    let place = Place::new();
    let page = String::from_utf8(place.lmz(["man"]).quiet()).unwrap();
    let plain = page
        .replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fR", "")
        .replace("\\fI", "");
    for (option, text) in [
        ("--keep", "so it is unless --rm is given"),
        ("--no-progress", "Show no progress bar"),
        ("--fill", "put zero bytes in the place of lost ones"),
        ("--segment", "Cut the input into segments"),
        ("--context", "Tokens that a block may hold"),
        ("--overlap", "Tokens that a block repeats"),
        ("--filelist", "Read the names of files"),
        ("FILE", "Files to work on"),
        ("-1", "they change nothing"),
    ] {
        assert!(plain.contains(option), "{option}");
        assert!(plain.contains(text), "{option}: {text}");
    }
    // Examples are lines of their own.
    let lines: Vec<&str> = page.lines().collect();
    let example = lines
        .iter()
        .position(|line| line.contains("write book.txt.lmz, keep book.txt"));
    let before = &lines[..example.unwrap()];
    assert_eq!(
        before.iter().rev().find(|line| line.starts_with('.')),
        Some(&".nf")
    );
    let places = Place::new();
    places.lmz(["man", "--out", "."]).quiet();
    assert!(
        places.names().contains(&"lmz-cat.1".to_owned()),
        "{:?}",
        places.names()
    );
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn symbolic_links_are_skipped_unless_forced_or_written_elsewhere() {
        let nano = nano();
        let place = Place::new();
        place.write("real", "text");
        symlink("real", place.path("link")).unwrap();
        place
            .lmz(["-m", nano, "link"])
            .fails(1, "is a symbolic link");
        assert_eq!(place.names(), ["link", "real"]);
        place.lmz(["-cqm", nano, "link"]).quiet();
        place.lmz(["-qfm", nano, "link"]).quiet();
        assert_eq!(place.lmz(["-dcm", nano, "link.lmz"]).quiet(), b"text");
        // An output that is a link is replaced by force alone, and not silently.
        place.write("other", "precious");
        symlink("other", place.path("out")).unwrap();
        place
            .lmz(["-m", nano, "real", "-o", "out"])
            .fails(1, "already exists");
        let run = place.lmz(["-fm", nano, "real", "-o", "out"]);
        run.fails(0, "out is a symbolic link: it is replaced");
        assert_eq!(place.read("other"), b"precious");
        // A directory's links are left alone.
        fs::create_dir(place.path("tree")).unwrap();
        symlink("../real", place.path("tree/link")).unwrap();
        place.lmz(["-rqm", nano, "tree"]).quiet();
        assert_eq!(fs::read_dir(place.path("tree")).unwrap().count(), 1);
    }

    #[test]
    fn names_survive_and_do_nothing_to_a_terminal() {
        let nano = nano();
        let place = Place::new();
        let name = OsStr::from_bytes(b"caf\xe9.lmz");
        let packed = place.lmz_with(["-cqm", nano], b"text").quiet();
        place.write(name, &packed);
        place.write("plain.lmz", &packed);
        let args = [
            OsStr::new("-l"),
            OsStr::new("--json"),
            name,
            OsStr::new("plain.lmz"),
        ];
        let list: Value = serde_json::from_slice(&place.lmz(args).quiet()).unwrap();
        assert_eq!(list[0]["file_base64"], "Y2Fm6S5sbXo=");
        assert_eq!(list[1]["file_base64"], Value::Null);
        let turned = "txt.\u{202e}zml.lmz";
        place.write(turned, &packed);
        place.write("a\u{200b}b.lmz", &packed[..10]);
        for args in [
            ["-l", turned],
            ["-t", "a\u{200b}b.lmz"],
            ["-l", "\u{1b}[31m"],
        ] {
            let run = place.lmz(args);
            let said = [run.stdout, run.stderr.into_bytes()].concat();
            let said = String::from_utf8(said).unwrap();
            for hidden in ['\u{202e}', '\u{200b}', '\u{1b}'] {
                assert!(!said.contains(hidden), "{said:?}");
            }
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn extended_attributes_go_along() {
        use rustix::fs::{XattrFlags, getxattr, setxattr};
        let nano = nano();
        let place = Place::new();
        let path = place.write("a", "text");
        // Where the file system has none, none are kept.
        let set = setxattr(&path, "user.origin", b"here", XattrFlags::empty()).is_ok();
        place.lmz(["-qm", nano, "a"]).quiet();
        place.lmz(["-dqm", nano, "a.lmz", "-o", "b"]).quiet();
        for name in ["a.lmz", "b"] {
            let mut value = [0u8; 10];
            let kept = getxattr(place.path(name), "user.origin", &mut value[..]);
            assert_eq!(kept.ok(), set.then_some(4), "{name}");
            assert!(!set || value.starts_with(b"here"));
        }
    }
}
