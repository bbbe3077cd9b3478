//! Pipes, standard streams, tar, and readers that go away.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::harness::{Place, finish, isolate, nano, noise, run, story};

#[test]
fn standard_streams_are_the_default_and_a_dash() {
    let nano = nano();
    let place = Place::new();
    let packed = place.lmz_with(["-m", nano], b"text").quiet();
    assert_eq!(place.lmz_with(["-m", nano, "-"], b"text").quiet(), packed);
    assert_eq!(place.lmz_with(["-d", "-m", nano], &packed).quiet(), b"text");
    assert_eq!(
        place.lmz_with(["-dcm", nano, "-"], &packed).quiet(),
        b"text"
    );
    place.lmz_with(["-tm", nano], &packed).quiet();
    // A named output for standard input, and standard output as a named one.
    place
        .lmz_with(["-m", nano, "-o", "out.lmz"], b"text")
        .quiet();
    assert_eq!(place.read("out.lmz"), packed);
    assert_eq!(
        place.lmz(["-dm", nano, "-o", "-", "out.lmz"]).quiet(),
        b"text"
    );
    place
        .lmz(["-dm", nano, "-o", "restored", "out.lmz"])
        .quiet();
    assert_eq!(place.read("restored"), b"text");
    assert_eq!(place.names(), ["out.lmz", "restored"]);
}

#[test]
fn several_files_on_standard_output_are_their_concatenation() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "first ");
    place.write("b", "");
    let packed = place
        .lmz_with(["-cm", nano, "a", "-", "b"], b"second")
        .quiet();
    place.write("c.lmz", &packed);
    assert_eq!(
        place.lmz(["-dcm", nano, "c.lmz", "c.lmz"]).quiet(),
        b"first secondfirst second"
    );
    assert_eq!(
        place.lmz_with(["-dm", nano], &packed).quiet(),
        b"first second"
    );
    let garbage = [&packed[..], b"garbage"].concat();
    let run = place.lmz_with(["-dm", nano], &garbage);
    run.fails(1, "trailing garbage");
    assert_eq!(run.stdout, b"first second");
}

#[cfg(unix)]
#[test]
fn tar_uses_it_as_a_filter() {
    let nano = nano();
    let place = Place::new();
    std::fs::create_dir(place.path("docs")).unwrap();
    for n in 0..5 {
        place.write(format!("docs/{n}.txt"), story(3000 * n));
    }
    let filter = format!(
        "{} -m {nano} --segment 16K --context 32",
        env!("CARGO_BIN_EXE_lmz")
    );
    let tar = |args: &[&str]| {
        let mut command = Command::new("tar");
        isolate(
            command
                .arg("-I")
                .arg(&filter)
                .args(args)
                .current_dir(place.path("")),
        );
        run(&mut command, b"").quiet()
    };
    tar(&["-cf", "docs.tar.lmz", "docs"]);
    std::fs::rename(place.path("docs"), place.path("before")).unwrap();
    tar(&["-xf", "docs.tar.lmz"]);
    for n in 0..5 {
        assert_eq!(place.read(format!("docs/{n}.txt")), story(3000 * n));
    }
    assert!(
        place
            .read("docs.tar.lmz")
            .starts_with(&[0x89, b'L', b'M', b'Z'])
    );
    // tar closes the pipe early here, and must not mind how its filter ends.
    tar(&["-tf", "docs.tar.lmz", "--occurrence=1", "docs/0.txt"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    use std::os::unix::process::ExitStatusExt;
    let nano = nano();
    let place = Place::new();
    place.write(
        "noise.lmz",
        place.lmz_with(["-m", nano], &noise(2_000_000)).quiet(),
    );
    for args in [
        &["-dcm", nano, "noise.lmz"][..],
        &["-cm", nano, "noise.lmz"],
        &["-l", "--json", "noise.lmz"],
    ] {
        // Gone before the first byte, however long the program takes to start.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = place.command().args(args).stdout(writer).output().unwrap();
        assert_eq!(
            (run.status.signal(), &*String::from_utf8_lossy(&run.stderr)),
            (Some(13), ""),
            "{args:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let nano = nano();
    let place = Place::new();
    place.write("noise", noise(300_000));
    place.lmz(["-m", nano, "noise"]).quiet();
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for args in [
        &["-cm", nano, "noise"][..],
        &["-dcm", nano, "noise.lmz"],
        &["-dcm", nano, "noise.lmz", "noise.lmz"],
        &["-l", "noise.lmz"],
        &["models"],
    ] {
        let child = place
            .command()
            .args(args)
            .stdin(Stdio::null())
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn();
        let run = finish(child.unwrap());
        run.fails(1, "standard output: no space left");
        assert_eq!(run.stderr.lines().count(), 1, "said once: {}", run.stderr);
    }
    place
        .lmz(["-m", nano, "noise", "-o", "/dev/full"])
        .fails(1, "/dev/full: no space left");
    assert_eq!(place.names(), ["noise", "noise.lmz"]);
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_and_not_replaced() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    place.lmz(["-m", nano, "a", "-o", "/dev/null"]).quiet();
    place.lmz(["-fm", nano, "a", "-o", "/dev/null"]).quiet();
    use std::os::unix::fs::FileTypeExt;
    assert!(
        std::fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    // An input that is a pipe has no name to give.
    let mut command = place.command();
    run(command.args(["-m", nano, "/dev/stdin"]), b"text").fails(1, "not a regular file");
    let packed = run(place.command().args(["-cm", nano, "/dev/stdin"]), b"text").quiet();
    assert_eq!(packed, place.lmz(["-cm", nano, "a"]).quiet());
}

#[cfg(target_os = "linux")]
#[test]
fn terminals_are_spared() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    let on_terminal = |args: &str| {
        let line = format!("'{}' {args}", env!("CARGO_BIN_EXE_lmz"));
        let mut command = Command::new("script");
        isolate(
            command
                .args(["-qec", &line, "/dev/null"])
                .env("TERM", "xterm")
                .current_dir(place.path("")),
        );
        let run = run(&mut command, b"");
        (
            run.code(),
            String::from_utf8_lossy(&run.stdout).into_owned(),
        )
    };
    let (code, said) = on_terminal(&format!("-c -m {nano} a"));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not written to a terminal"), "{said}");
    let (code, said) = on_terminal("");
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("Usage") && said.contains("--decompress"),
        "{said}"
    );
    let (code, said) = on_terminal("-d");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not read from a terminal"), "{said}");
    let (code, said) = on_terminal(&format!("-cf -m {nano} a"));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("LMZ"), "-f forces it: {said}");
    // Somebody is looking: a line for each file, unless -q.
    let (code, said) = on_terminal(&format!("-m {nano} a"));
    assert!(code == 0 && said.contains("a: 4 -> "), "{said}");
    let (code, said) = on_terminal(&format!("-d -m {nano} a.lmz -o b"));
    assert!(code == 0 && said.contains(" -> 4 bytes in "), "{said}");
    let (code, said) = on_terminal(&format!("-qf -m {nano} a"));
    assert!(code == 0 && said.is_empty(), "{said}");
    // Text may go to a terminal, and no bar is drawn into it.
    let (code, said) = on_terminal(&format!("-dcq -m {nano} a.lmz"));
    assert_eq!((code, said.as_str()), (0, "text"));
}
