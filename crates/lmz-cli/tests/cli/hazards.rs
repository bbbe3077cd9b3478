//! What happens to programs: kill -9, a full disk, reads that fail, inputs that change meanwhile.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Place, finish, nano, noise, spawn, story};

/// Numbers that look random, from a fixed seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n.max(1)
    }
}

/// 200 kills at random moments: the input stays, and the final name stands for nothing, for what it
/// stood for before, or for the whole output.
#[test]
#[ignore = "takes a minute or two"]
fn two_hundred_kills_leave_inputs_whole_and_no_partial_output() {
    let nano = nano();
    let place = Place::new();
    let leftovers = two_hundred_kills(&place, nano, &|| place.command());
    if cfg!(target_os = "linux") {
        // What has no name vanishes. Only to replace another file it needs one, for a moment.
        assert!(leftovers < 10, "{leftovers} temporary files were left");
    }
}

/// The same where files have temporary names.
#[test]
#[ignore = "takes a minute or two, and hides /proc: needs to be root on Linux"]
fn two_hundred_kills_of_programs_that_use_temporary_names() {
    let nano = nano();
    let place = Place::new();
    two_hundred_kills(&place, nano, &|| place.command_that_names());
}

/// Returns how many temporary files were left.
fn two_hundred_kills(place: &Place, nano: &str, command: &dyn Fn() -> Command) -> usize {
    let raw = story(12_000);
    place.write("a", &raw);
    let arguments = |restores: bool| match restores {
        false => ["-qfm", nano, "--segment", "2K", "a"],
        true => ["-dqfm", nano, "--segment", "2K", "a.lmz"],
    };
    let time = |restores: bool| {
        let start = Instant::now();
        finish(spawn(command().args(arguments(restores)))).quiet();
        start.elapsed()
    };
    let times = [time(false), time(true)];
    let packed = place.read("a.lmz");
    assert!(place.read("a") == raw);
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let (mut finished, mut nothing, mut old_ones, mut leftovers) = (0, 0, 0, 0);
    for round in 0..200 {
        let restores = dice.below(2) == 1;
        let replaces = dice.below(2) == 1;
        let [(input, input_bytes), (output, output_bytes)] = match restores {
            false => [("a", &raw), ("a.lmz", &packed)],
            true => [("a.lmz", &packed), ("a", &raw)],
        };
        place.write(input, input_bytes);
        let old = b"an older output, which nobody may harm";
        if replaces {
            place.write(output, old);
        } else {
            let _ = fs::remove_file(place.path(output));
        }
        let mut command = command();
        command
            .args(arguments(restores))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        // Some of the moments lie behind the end, and a part of them close before it.
        let most = times[usize::from(restores)].as_micros() as u64 * 11 / 10;
        std::thread::sleep(Duration::from_micros(dice.below(most)));
        let _ = child.kill();
        child.wait().unwrap();
        assert!(
            place.read(input) == *input_bytes,
            "round {round}: the input is harmed"
        );
        match fs::read(place.path(output)) {
            Err(_) if !replaces => nothing += 1,
            Ok(found) if found == *output_bytes => finished += 1,
            Ok(found) if replaces && found == old => old_ones += 1,
            found => panic!(
                "round {round}: a partial output: {:?}",
                found.map(|f| f.len())
            ),
        }
        for name in place.names() {
            if name != "a" && name != "a.lmz" {
                assert!(name.starts_with('.') && name.ends_with(".tmp"), "{name}");
                fs::remove_file(place.path(name)).unwrap();
                leftovers += 1;
            }
        }
    }
    println!(
        "200 kills: {finished} came too late, {nothing} left no output, {old_ones} the older one; \
         {leftovers} temporary files were left"
    );
    assert!(
        nothing + old_ones > 50,
        "the kills came too late to mean anything"
    );
    leftovers
}

/// A disk of its own, unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf, size: &str) -> Self {
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&path)
            .status();
        assert!(mounted.unwrap().success());
        Self(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "mounts a file system: needs to be root on Linux"]
fn a_full_disk_leaves_nothing_and_harms_nothing() {
    let place = Place::new();
    let disk = Disk::mount(place.path("disk"), "128k");
    let names = |disk: &Disk| fs::read_dir(&disk.0).unwrap().count();
    let raw = noise(400_000);
    place.write("a", &raw);
    place
        .lmz(["-o", "disk/a.lmz", "a"])
        .fails(1, "no space left");
    assert_eq!(names(&disk), 0);
    place.lmz(["-q", "a"]).quiet();
    place
        .lmz(["-d", "-o", "disk/a", "a.lmz"])
        .fails(1, "no space left");
    place
        .lmz(["-d", "--keep-going", "-o", "disk/a", "a.lmz"])
        .fails(1, "no space left");
    place
        .lmz(["cat", "-o", "disk/a", "a.lmz"])
        .fails(1, "no space left");
    assert_eq!(names(&disk), 0);
    // What stands there already stays, also where it was to be replaced.
    fs::write(disk.0.join("a.lmz"), "old").unwrap();
    place
        .lmz(["-f", "-o", "disk/a.lmz", "a"])
        .fails(1, "no space left");
    assert_eq!(fs::read(disk.0.join("a.lmz")).unwrap(), b"old");
    assert_eq!(names(&disk), 1);
    assert!(place.read("a") == raw);
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_error_leaves_no_output() {
    // Reads of it fail, as no process has anything at address 0.
    let unreadable = "/proc/self/mem";
    let place = Place::new();
    for args in [
        &["-o", "out", unreadable][..],
        &["-d", "-o", "out", unreadable],
        &["-d", "--keep-going", "-o", "out", unreadable],
        &["-t", unreadable],
        &["-l", unreadable],
        &["cat", "-o", "out", unreadable],
        &["--prime", unreadable, "-o", "out", "/dev/null"],
    ] {
        let run = place.lmz(args);
        assert_eq!(run.code(), 1, "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("lmz: "), "{args:?}: {}", run.stderr);
        assert!(place.names().is_empty(), "{args:?}");
    }
}

#[test]
fn an_input_that_changes_is_refused() {
    let nano = nano();
    let place = Place::new();
    let raw = story(60_000);
    for appends in [false, true] {
        place.write("a", &raw);
        let mut command = place.command();
        command.args(["-m", nano, "-T1", "--segment", "1K", "a"]);
        let child = spawn(&mut command);
        // The output is there before the first byte is read.
        place.wait_for_output(&child);
        // Times of files have the grain of the kernel's clock.
        std::thread::sleep(Duration::from_millis(30));
        let more = if appends { &b"more"[..] } else { b"" };
        place.write("a", [&raw, more].concat());
        finish(child).fails(1, "lmz: a: changed while it was read");
        assert_eq!(place.names(), ["a"]);
    }
}
