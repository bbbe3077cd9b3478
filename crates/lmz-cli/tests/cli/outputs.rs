//! Output files: never half, never over something, never without need.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::harness::{Place, nano, story};

#[test]
fn nothing_is_overwritten_without_force() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    place.write("a.lmz", "precious");
    place
        .lmz(["-m", nano, "a"])
        .fails(1, "a.lmz already exists");
    place
        .lmz(["-m", nano, "a", "-o", "a.lmz"])
        .fails(1, "a.lmz already exists");
    assert_eq!(place.read("a.lmz"), b"precious");
    place.lmz(["-fm", nano, "a"]).quiet();
    place
        .lmz(["-dm", nano, "a.lmz"])
        .fails(1, "a already exists");
    place.write("a", "other");
    place.lmz(["-dfkm", nano, "a.lmz"]).quiet();
    assert_eq!(place.read("a"), b"text");
    assert_eq!(place.names(), ["a", "a.lmz"]);
}

#[test]
fn the_input_is_never_the_output() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    place
        .lmz(["-fm", nano, "a", "-o", "a"])
        .fails(1, "same file");
    place
        .lmz(["-fm", nano, "a", "-o", "./a"])
        .fails(1, "same file");
    assert_eq!(
        (place.read("a"), place.names().len()),
        (b"text".to_vec(), 1)
    );
}

#[test]
fn a_failure_keeps_what_was_there() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(5000));
    place.lmz(["-m", nano, "a"]).quiet();
    let mut packed = place.read("a.lmz");
    let middle = packed.len() / 2;
    packed[middle] ^= 0xff;
    place.write("a.lmz", packed);
    place.lmz(["-dfm", nano, "a.lmz"]).fails(1, "damaged");
    assert_eq!(
        place.read("a"),
        story(5000),
        "-f replaces by what is complete, or not at all"
    );
    assert_eq!(place.names(), ["a", "a.lmz"]);
}

#[test]
fn names_must_make_sense() {
    let nano = nano();
    let place = Place::new();
    place.write("a.lmz", "text");
    place
        .lmz(["-m", nano, "a.lmz"])
        .fails(1, "already has the suffix .lmz");
    place.lmz(["-fm", nano, "a.lmz"]).quiet();
    fs::rename(place.path("a.lmz.lmz"), place.path("packed")).unwrap();
    place
        .lmz(["-dm", nano, "packed"])
        .fails(1, "does not end in .lmz");
    assert_eq!(place.lmz(["-dcm", nano, "packed"]).quiet(), b"text");
    place.lmz(["-dm", nano, "packed", "-o", "b"]).quiet();
    assert_eq!(place.read("b"), b"text");
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let nano = nano();
    let place = Place::new();
    fs::create_dir(place.path("directory")).unwrap();
    place.write("a", "text a");
    place.write("b", "text b");
    let run = place.lmz([
        "-m",
        nano,
        "a",
        "missing",
        "directory",
        "missing/a",
        "a/b",
        "b",
    ]);
    run.fails(1, "lmz: missing: no such file");
    run.fails(1, "lmz: directory: is a directory");
    run.fails(1, "lmz: a/b: a part of the path is not a directory");
    assert_eq!(run.stderr.lines().count(), 4, "{}", run.stderr);
    assert_eq!(place.names(), ["a", "a.lmz", "b", "b.lmz", "directory"]);
    place.lmz(["-m", nano, "a", "-o", "directory"]).quiet();
    assert!(place.path("directory/a.lmz").exists());
    place
        .lmz(["-m", nano, "a", "-o", "nowhere/a.lmz"])
        .fails(1, "nowhere/a.lmz: no such file or directory");
}

#[test]
fn times_are_the_inputs() {
    let nano = nano();
    let place = Place::new();
    place.write("a", "text");
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options()
        .write(true)
        .open(place.path("a"))
        .unwrap()
        .set_modified(then)
        .unwrap();
    place.lmz(["-m", nano, "a"]).quiet();
    place.lmz(["-dm", nano, "a.lmz", "-o", "b"]).quiet();
    for name in ["a.lmz", "b"] {
        assert_eq!(
            fs::metadata(place.path(name)).unwrap().modified().unwrap(),
            then,
            "{name}"
        );
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};
    use std::{io::Write, thread};

    use super::*;
    use crate::harness::{finish, is_root, isolate, run, spawn};

    fn mode(place: &Place, name: &str) -> u32 {
        fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn permissions_are_the_inputs() {
        let nano = nano();
        let place = Place::new();
        for (name, given, expected) in [
            ("a", 0o640, 0o640),
            ("b", 0o600, 0o600),
            ("c", 0o4755, 0o755),
            ("d", 0o444, 0o444),
        ] {
            let path = place.write(name, "text");
            fs::set_permissions(&path, fs::Permissions::from_mode(given)).unwrap();
            place.lmz(["-m", nano, name]).quiet();
            assert_eq!(mode(&place, &format!("{name}.lmz")), expected, "{name}");
        }
        // Without an input file, the process's mask decides.
        place.lmz_with(["-m", nano, "-o", "e.lmz"], b"text").quiet();
        place.write("plain", "");
        assert_eq!(mode(&place, "e.lmz"), mode(&place, "plain"));
    }

    #[test]
    fn links_are_followed_and_not_replaced_unasked() {
        let nano = nano();
        let place = Place::new();
        place.write("real", "text");
        symlink("real", place.path("link")).unwrap();
        place.lmz(["-fm", nano, "link"]).quiet();
        assert_eq!(place.lmz(["-dcm", nano, "link.lmz"]).quiet(), b"text");
        place
            .lmz(["-fm", nano, "real", "-o", "link"])
            .fails(1, "same file");
        symlink("nowhere", place.path("dangling")).unwrap();
        place
            .lmz(["-m", nano, "real", "-o", "dangling"])
            .fails(1, "already exists");
        place.lmz(["-m", nano, "dangling"]).fails(1, "no such file");
    }

    #[test]
    fn missing_permissions_are_named() {
        let place = Place::new();
        let program = place.program_for_others();
        let lmz = |args: &[&str]| {
            let mut command = Command::new(&program);
            isolate(command.args(args).current_dir(place.path("")));
            if is_root() {
                // Root may do everything.
                command.uid(65_534).gid(65_534);
            }
            run(&mut command, b"")
        };
        let secret = place.write("secret", "text");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
        lmz(&["secret"]).fails(1, "lmz: secret: permission denied");
        fs::create_dir(place.path("closed")).unwrap();
        place.write("closed/a", "text");
        fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        lmz(&["closed/a"]).fails(1, "closed/a.lmz: permission denied");
        fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn kill(child: &Child, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    #[test]
    fn signals_leave_nothing_behind() {
        let nano = nano();
        let place = Place::new();
        place.write("big", story(20_000_000));
        let start = || place.command();
        all_signals(&place, nano, &start);
    }

    #[test]
    #[ignore = "hides /proc: needs to be root on Linux"]
    fn signals_remove_temporary_names() {
        let place = Place::new();
        place.write("big", story(20_000_000));
        all_signals(&place, nano(), &|| place.command_that_names());
    }

    fn all_signals(place: &Place, nano: &str, command: &dyn Fn() -> Command) {
        for (name, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
            let child = spawn(heeding(command()).args(["-m", nano, "big"]));
            place.wait_for_output(&child);
            kill(&child, name);
            let run = finish(child);
            assert_eq!(
                (run.status.signal(), run.stderr.as_str()),
                (Some(number), "")
            );
            assert_eq!(place.names(), ["big"]);
        }
        // Twice: at once.
        let child = spawn(heeding(command()).args(["-m", nano, "big"]));
        place.wait_for_output(&child);
        kill(&child, "-INT");
        kill(&child, "-INT");
        assert_eq!(finish(child).status.signal(), Some(2));
        assert_eq!(place.names(), ["big"]);
    }

    /// Where files have a name from the beginning, the rest is the same.
    #[test]
    #[ignore = "hides /proc: needs to be root on Linux"]
    fn temporary_names_make_no_difference() {
        let nano = nano();
        let place = Place::new();
        let run = |args: &[&str]| {
            let mut command = place.command_that_names();
            finish(spawn(command.args(["-m", nano]).args(args)))
        };
        place.write("a", story(3000));
        fs::set_permissions(place.path("a"), fs::Permissions::from_mode(0o640)).unwrap();
        run(&["a"]).quiet();
        let packed = place.read("a.lmz");
        run(&["a"]).fails(1, "a.lmz already exists");
        place.write("a.lmz", "older");
        run(&["-f", "a"]).quiet();
        assert_eq!(place.read("a.lmz"), packed);
        assert_eq!(mode(&place, "a.lmz"), 0o640);
        fs::remove_file(place.path("a.lmz")).unwrap();
        place.lmz(["-m", nano, "a"]).quiet();
        assert_eq!(place.read("a.lmz"), packed);
        assert_eq!(mode(&place, "a.lmz"), 0o640);
        assert_eq!(place.names(), ["a", "a.lmz"]);
    }

    /// The same command where no signal is ignored: under nohup, or in the background of a shell,
    /// this process ignores some, and what it starts inherits that.
    fn heeding(command: Command) -> Command {
        let mut env = Command::new("env");
        env.arg("--default-signal=HUP,INT,TERM");
        env.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => env.env(name, value),
                None => env.env_remove(name),
            };
        }
        env.current_dir(command.get_current_dir().unwrap());
        env
    }

    #[test]
    fn a_signal_ends_waiting_for_a_pipe() {
        let nano = nano();
        let place = Place::new();
        let mut command = heeding(place.command());
        let mut child = spawn(command.args(["-m", nano, "-o", "out.lmz"]));
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(b"some, but more may come").unwrap();
        place.wait_for_output(&child);
        kill(&child, "-INT");
        let run = finish(child);
        drop(pipe);
        assert_eq!(run.status.signal(), Some(2));
        assert!(place.names().is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nohup_is_respected() {
        let nano = nano();
        let place = Place::new();
        let mut command = Command::new("sh");
        crate::harness::isolate(&mut command);
        let line = r#"trap "" HUP; exec "$0" -m "$1" -o out.lmz"#;
        command
            .args(["-c", line, env!("CARGO_BIN_EXE_lmz"), nano])
            .current_dir(place.path(""));
        let mut child = spawn(&mut command);
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(b"text").unwrap();
        place.wait_for_output(&child);
        kill(&child, "-HUP");
        thread::sleep(Duration::from_millis(100));
        drop(pipe);
        finish(child).quiet();
        assert_eq!(place.lmz(["-dcm", nano, "out.lmz"]).quiet(), b"text");
    }
}
