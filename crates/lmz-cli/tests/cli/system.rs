//! What the operating system is asked for: streams that were closed, holes, times, places without a name.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::faults::with;
use crate::harness::{Place, finish, isolate, nano, run, spawn, story};

/// The program by a shell, which may close its streams.
fn shell(place: &Place, script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_lmz")]);
    command.args(args).current_dir(place.path(""));
    isolate(&mut command);
    command
}

#[test]
fn closed_streams_are_no_null_devices() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    let closed = r#"exec "$0" "$@" >&-"#;
    let args: [&[&str]; 5] = [
        &["-cm", nano, "a"],
        &["-l", "b.lmz"],
        &["--version"],
        &["models"],
        &["help"],
    ];
    place.lmz(["-qm", nano, "a", "-o", "b.lmz"]).quiet();
    for args in args {
        let run = run(&mut shell(&place, closed, args), b"");
        run.fails(1, "standard output: it is closed");
    }
    // What writes files alone does not mind.
    run(&mut shell(&place, closed, &["-qm", nano, "a"]), b"").quiet();
    let mut no_input = shell(&place, r#"exec "$0" "$@" <&-"#, &["-cm", nano]);
    let no_input = run(&mut no_input, b"");
    no_input.fails(1, "standard input: is closed");
    assert!(no_input.stdout.is_empty());
    // The null device itself is as good as ever.
    let null = run(
        &mut shell(
            &place,
            r#"exec "$0" "$@" >/dev/null </dev/null"#,
            &["-cqm", nano],
        ),
        b"",
    );
    null.quiet();
}

#[test]
#[cfg(target_os = "linux")]
fn help_that_finds_no_room_is_an_error() {
    let place = Place::new();
    for args in [
        &["--version"][..],
        &["--help"],
        &["help"],
        &["cat", "--help"],
        &["man"],
    ] {
        let full = r#"exec "$0" "$@" >/dev/full"#;
        run(&mut shell(&place, full, args), b"").fails(1, "no space left");
    }
}

#[test]
fn a_gap_is_a_hole_in_a_file_and_refused_by_a_pipe() {
    let place = with("gap.lmz");
    let run = place.lmz(["-d", "--keep-going", "file.lmz"]);
    run.fails(3, "are lost");
    let made = fs::metadata(place.path("file")).unwrap();
    assert!(made.len() > 100 << 30, "{}", made.len());
    assert!(made.blocks() < 1 << 18, "{} blocks", made.blocks());
    let run = place.lmz(["-dc", "--keep-going", "file.lmz"]);
    run.fails(1, "--fill skip");
    assert!(run.stdout.len() < 1 << 30);
}

#[test]
fn zeros_are_restored_as_holes_unless_they_shall_not() {
    let place = Place::new();
    place.write(
        "a",
        [vec![0; 3 << 20], b"end".to_vec(), vec![0; 1 << 20]].concat(),
    );
    place.lmz(["-q", "a"]).quiet();
    place.lmz(["-dq", "a.lmz", "-o", "holes"]).quiet();
    place
        .lmz(["-dq", "--no-sparse", "a.lmz", "-o", "none"])
        .quiet();
    assert!(place.read("holes") == place.read("a") && place.read("none") == place.read("a"));
    let blocks = |name| fs::metadata(place.path(name)).unwrap().blocks();
    assert!(blocks("holes") < 100 && blocks("none") > 4000);
}

/// Waits until a program has read all of a file that it has open.
#[cfg(target_os = "linux")]
fn wait_until_read(child: &std::process::Child, path: &std::path::Path) {
    let path = path.canonicalize().unwrap();
    let len = fs::metadata(&path).unwrap().len();
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let position = || -> Option<u64> {
        let mut open = fs::read_dir(process.join("fd")).ok()?.flatten();
        let ours = |link: &fs::DirEntry| fs::read_link(link.path()).is_ok_and(|to| to == path);
        let number = open.find(ours)?.file_name();
        let info = fs::read_to_string(process.join("fdinfo").join(number)).ok()?;
        info.lines()
            .find_map(|line| line.strip_prefix("pos:"))?
            .trim()
            .parse()
            .ok()
    };
    let start = std::time::Instant::now();
    while position() != Some(len) {
        assert!(start.elapsed().as_secs() < 60, "it is not read");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Times of modification can be put back; a change is seen all the same, and one that leaves the bytes alone is none.
#[test]
#[cfg(target_os = "linux")]
fn a_change_with_its_time_put_back_is_noticed() {
    let nano = nano();
    let place = Place::new();
    for changes in [true, false] {
        let path = place.write("a", story(60_000));
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let child = spawn(place.command().args(["-fm", nano, "a"]));
        wait_until_read(&child, &path);
        let file = fs::File::options().write(true).open(&path).unwrap();
        if changes {
            use std::os::unix::fs::FileExt;
            file.write_at(b"X", 59_000).unwrap();
        }
        file.set_modified(before).unwrap();
        let run = finish(child);
        match changes {
            true => run.fails(1, "changed while it was read"),
            false => assert_eq!(run.code(), 0, "{}", run.stderr),
        }
    }
}

#[test]
fn a_growing_log_is_read_as_it_was() {
    let nano = nano();
    let place = Place::new();
    let raw = story(60_000);
    let path = place.write("log", &raw);
    let child = spawn(
        place
            .command()
            .args(["--allow-changing", "-m", nano, "log"]),
    );
    place.wait_for_output(&child);
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"one more line").unwrap();
    assert_eq!(finish(child).code(), 0);
    assert!(place.lmz(["-dcm", nano, "log.lmz"]).quiet() == raw);
}

#[test]
fn a_directory_deeper_than_any_path_takes_outputs() {
    let nano = nano();
    let place = Place::new();
    let script = r#"
        name=$(printf '%0100d' 0)
        i=0
        while [ $i -lt 50 ]; do mkdir $name && cd -P $name || exit 9; i=$((i + 1)); done
        printf text > a && "$0" -qm "$1" a && "$0" -qfm "$1" a && "$0" -dcqm "$1" a.lmz &&
        "$0" -dfqm "$1" a.lmz && "$0" -qfm "$1" a -o a 2>&1
        [ "$(cat a)" = text ]"#;
    let run = run(&mut shell(&place, script, &[nano]), b"");
    assert_eq!(run.code(), 0, "{}", run.stderr);
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(
        told.starts_with("text") && told.contains("the same file"),
        "{told}"
    );
}

#[test]
fn a_missing_place_for_temporary_files_is_named() {
    let place = Place::new();
    let mut command = place.command();
    command
        .env("TMPDIR", place.path("nowhere"))
        .args(["-l", "-"]);
    let run = run(&mut command, b"not compressed");
    run.fails(1, "nowhere");
    run.fails(1, "TMPDIR");
}

#[test]
fn an_error_says_each_thing_once() {
    let place = Place::new();
    place.write("bad.lmzm", "not a model");
    let run = place.lmz(["-m", "bad.lmzm", "-c", "/dev/null"]);
    assert_eq!(run.code(), 1);
    let said = run.stderr.trim_end();
    let last = said.rsplit(": ").next().unwrap();
    assert_eq!(said.matches(last).count(), 1, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// The error names how many threads were asked for, and what to do.
#[test]
#[cfg(target_os = "linux")]
fn threads_that_cannot_be_had_are_named() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    place.lmz(["-qm", nano, "a"]).quiet();
    let bounded = r#"ulimit -v 400000 && exec "$0" "$@""#;
    let mut many = shell(&place, bounded, &["-tm", nano, "-T", "500", "a.lmz"]);
    run(&mut many, b"").fails(1, "cannot start 500 threads (fewer: -T)");
    let mut few = shell(&place, bounded, &["-tqm", nano, "-T", "1", "a.lmz"]);
    run(&mut few, b"").quiet();
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_panics_without_proc() {
    let place = Place::new();
    let hidden = r#"umount -l /proc && exec "$0" "$@""#;
    let mut command = Command::new("unshare");
    command.args([
        "-m",
        "sh",
        "-c",
        hidden,
        env!("CARGO_BIN_EXE_lmz"),
        "devices",
    ]);
    isolate(&mut command);
    let allowed = Command::new("unshare")
        .args(["-m", "sh", "-c", "umount -l /proc"])
        .stderr(Stdio::null())
        .status();
    let run = run(command.current_dir(place.path("")), b"");
    // Who may not take /proc away sees that said, and nothing else.
    let expected = if allowed.is_ok_and(|status| status.success()) {
        0
    } else {
        run.code()
    };
    assert_eq!(run.code(), expected, "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}
