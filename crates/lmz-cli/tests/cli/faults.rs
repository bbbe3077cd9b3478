//! What once went wrong: bytes lost or given out twice, files that claim the impossible.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Place, nano, noise, story};

/// A file that was made by hand (tests/fixtures/faults).
fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/faults");
    fs::read(PathBuf::from(folder).join(name)).unwrap()
}

/// A place with such a file.
pub fn with(name: &str) -> Place {
    let place = Place::new();
    place.write("file.lmz", fixture(name));
    place
}

#[test]
fn a_file_cut_behind_a_stored_lmz_gives_its_bytes_once() {
    let file = fixture("salvage_cut_behind_stored_lmz.lmz");
    let place = with("salvage_cut_behind_stored_lmz.lmz");
    let run = place.lmz(["-dc", "--keep-going", "file.lmz"]);
    run.fails(3, "nothing says that they are all");
    assert!(!run.stderr.contains("all bytes are restored"));
    assert!(run.stdout == file[61..]);
    let run = place.lmz(["-t", "--json", "--keep-going", "file.lmz"]);
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&found["whole"], &found["restored_bytes"]),
        (&false.into(), &151.into())
    );
    assert_eq!(found["members_without_hash"], serde_json::json!([0]));
}

#[test]
fn a_member_inside_a_lost_segment_is_no_end_of_the_outer_one() {
    let file = fixture("salvage_inner_member_stops_outer.lmz");
    let place = with("salvage_inner_member_stops_outer.lmz");
    let run = place.lmz(["-dc", "--keep-going", "file.lmz"]);
    run.fails(3, "bytes 2000..4000 are lost");
    run.fails(
        3,
        "14000 bytes restored, 2000 zero bytes in place of lost ones",
    );
    // Each record of 2000 stored bytes has 11 bytes in front of them.
    let records = [51, 4073, 6084, 8095, 10106, 12117, 14128];
    let mut sound = records.iter().map(|at| &file[at + 11..at + 2011]);
    let first = sound.next().unwrap();
    let rest: Vec<u8> = sound.flatten().copied().collect();
    assert!(run.stdout == [first, &[0; 2000], &rest].concat());
}

#[test]
fn nothing_sound_is_worth_no_zeros() {
    let place = with("zerobomb.lmz");
    for args in [
        &["-d", "--keep-going", "file.lmz"][..],
        &["-dc", "--keep-going", "file.lmz"],
    ] {
        let run = place.lmz(args);
        run.fails(1, "nothing of it can be restored: nothing was written");
        assert!(run.stdout.is_empty());
    }
    assert_eq!(place.names(), ["file.lmz"]);
}

#[test]
fn zstd_segments_are_one_frame() {
    for name in ["twoframes.lmz", "skipframe.lmz", "skipfirst.lmz"] {
        let place = with(name);
        place
            .lmz(["-dc", "file.lmz"])
            .fails(1, "damaged: segment 0");
        place
            .lmz(["cat", "file.lmz"])
            .fails(1, "damaged: segment 0");
    }
}

#[test]
fn stored_segments_need_no_model() {
    let place = with("storedunk.lmz");
    let file = fixture("storedunk.lmz");
    let raw = file[65..84].to_vec();
    assert!(place.lmz(["-dc", "file.lmz"]).quiet() == raw);
    assert!(place.lmz(["cat", "file.lmz"]).quiet() == raw);
    let part = place.lmz(["cat", "-r", "3..7", "file.lmz"]).quiet();
    assert!(part == raw[3..7]);
}

#[test]
fn what_decodes_before_a_cut_is_offered_and_marked() {
    let nano = nano();
    let place = Place::new();
    let raw = [story(1500), noise(3000)].concat();
    place.write("text", &raw[..1500]);
    place.write("noise", &raw[1500..]);
    for (name, raw, least) in [("text", &raw[..1500], 300), ("noise", &raw[1500..], 1000)] {
        let packed = place.lmz(["-cqm", nano, "--mix", "none", name]).quiet();
        place.write("cut.lmz", &packed[..packed.len() / 2]);
        let run = place.lmz(["-dcm", nano, "--keep-going", "cut.lmz"]);
        run.fails(1, "--unverified gives what decodes before the cut");
        let run = place.lmz([
            "-dcm",
            nano,
            "--keep-going",
            "--unverified",
            "--fill",
            "skip",
            "cut.lmz",
        ]);
        run.fails(3, "nothing vouches for them");
        assert!(
            run.stdout.len() > least && raw.starts_with(&run.stdout),
            "{name}"
        );
        let json = place.lmz([
            "-tm",
            nano,
            "--keep-going",
            "--unverified",
            "--json",
            "cut.lmz",
        ]);
        let found: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(found["unverified"][0]["to"], run.stdout.len());
        assert_eq!(found["restored_bytes"], 0);
    }
}

/// By default files are groups, of which the list of parts says where each byte has its place.
#[test]
fn a_cut_group_gives_what_decodes_in_its_place() {
    let nano = nano();
    let place = Place::new();
    let table: Vec<u8> = (0..3000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    let alice = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/alice29.txt");
    let text = &fs::read(alice).unwrap()[3000..15_000];
    let raw = [&table[..], text, &noise(8192), &table[..600]].concat();
    place.write("a", &raw);
    place.lmz(["-qm", nano, "a"]).quiet();
    let packed = place.read("a.lmz");
    place.write("cut.lmz", &packed[..packed.len() - 600]);
    let refused = place.lmz(["-dm", nano, "--keep-going", "cut.lmz"]);
    refused.fails(
        1,
        "--unverified gives what decodes before the cut, if anything does",
    );
    let args = ["-dfm", nano, "--keep-going", "--unverified", "cut.lmz"];
    place.lmz(args).fails(3, "nothing vouches for them");
    let restored = place.read("cut");
    assert_eq!(restored.len(), raw.len());
    let json = place.lmz([
        "-tm",
        nano,
        "--keep-going",
        "--unverified",
        "--json",
        "cut.lmz",
    ]);
    let found: Value = serde_json::from_slice(&json.stdout).unwrap();
    let ranges = |key: &str| -> Vec<(usize, usize)> {
        let ranges = found[key].as_array().unwrap().iter();
        let end = |range: &Value, key| range[key].as_u64().unwrap() as usize;
        ranges
            .map(|range| (end(range, "from"), end(range, "to")))
            .collect()
    };
    let (known, lost) = (ranges("unverified"), ranges("lost"));
    // A part of the text is lost, in the middle; what is stored and what is a copy of the table is not.
    assert!(known.len() > 1 && !lost.is_empty(), "{known:?} {lost:?}");
    let mut all = [&known[..], &lost[..]].concat();
    all.sort_unstable();
    assert!(all.windows(2).all(|two| two[0].1 == two[1].0), "{all:?}");
    assert_eq!((known[0].0, known[known.len() - 1].1), (0, raw.len()));
    assert!(known[0].1 > table.len() + 1000, "{known:?}");
    for (from, to) in known {
        assert!(restored[from..to] == raw[from..to], "{from}..{to}");
    }
    for (from, to) in lost {
        assert!(restored[from..to].iter().all(|&byte| byte == 0));
    }
    // Of what is cut off before any of it decodes nothing is promised, and nothing is found.
    place.write("head.lmz", &packed[..20]);
    for args in [
        &["-dm", nano, "--keep-going", "--unverified", "head.lmz"][..],
        &["-dm", nano, "--keep-going", "head.lmz"],
    ] {
        let run = place.lmz(args);
        run.fails(1, "nothing of it can be restored: nothing was written");
        assert!(!run.stderr.contains("--unverified"), "{}", run.stderr);
    }
}

#[test]
fn zero_bytes_behind_the_end_are_padding_and_other_bytes_are_not() {
    let nano = nano();
    let place = Place::new();
    for raw in [story(300), [story(5000), vec![0; 50]].concat()] {
        let packed = place.lmz_with(["-cqm", nano], &raw).quiet();
        place.write("padded.lmz", [&packed[..], &[0; 700]].concat());
        for args in [&["-dcm", nano, "padded.lmz"][..], &["-dcm", nano]] {
            let run = place.lmz_with(args, &place.read("padded.lmz"));
            run.fails(0, "zero bytes behind the end are taken for padding");
            assert!(run.stdout == raw);
        }
        assert!(place.lmz(["-dcqm", nano, "padded.lmz"]).quiet() == raw);
        assert!(place.lmz(["cat", "-m", nano, "padded.lmz"]).quiet() == raw);
        place.lmz(["-l", "padded.lmz"]).quiet();
        place.write("more.lmz", [&packed[..], &[0; 700], b"x"].concat());
        place
            .lmz(["-tm", nano, "more.lmz"])
            .fails(1, "trailing garbage");
    }
}

#[test]
fn a_prepared_model_longer_than_it_says_is_not_read() {
    let place = Place::new();
    fs::create_dir(place.path("models")).unwrap();
    let path = place.write("models/big.lmzm", fs::read(nano()).unwrap());
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(40 << 30).unwrap();
    let mut command = place.command();
    command
        .env("LMZ_MODELS", place.path("models"))
        .arg("models");
    let run = crate::harness::run(&mut command, b"");
    run.fails(1, "is damaged: it has 42949672960 bytes");
    // One that says nothing, since it is a hole from its start on.
    let hole = fs::File::create(place.path("hole.lmzm")).unwrap();
    hole.set_len(40 << 30).unwrap();
    let run = place.lmz(["-cm", "hole.lmzm", "/dev/null"]);
    run.fails(1, "not a prepared model");
}

/// Whoever opens a pipe waits for who writes into it.
#[test]
#[cfg(unix)]
fn a_pipe_is_no_model() {
    let place = Place::new();
    let pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo")
            .arg(place.path(name))
            .status();
        assert!(made.unwrap().success());
    };
    pipe("pipe.lmzm");
    place
        .lmz(["-cm", "pipe.lmzm", "/dev/null"])
        .fails(1, "not a regular file");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::create_dir(place.path("model")).unwrap();
        for other in ["config.json", "tokenizer.json", "model.safetensors"] {
            let from = std::path::Path::new(crate::harness::checkpoint()).join(other);
            fs::copy(from, place.path("model").join(other)).unwrap();
        }
        fs::remove_file(place.path("model").join(file)).unwrap();
        pipe(&format!("model/{file}"));
        place
            .lmz(["-cm", "model", "/dev/null"])
            .fails(1, "not a regular file");
        if cfg!(feature = "float") {
            place
                .lmz(["bpc", "-m", "model", "-c", "/dev/null"])
                .fails(1, "not a regular file");
        }
        fs::remove_dir_all(place.path("model")).unwrap();
    }
}

#[test]
fn repeats_are_left_to_zstd_and_that_is_said() {
    let place = Place::new();
    place.write("zeros", vec![0; 300_000]);
    let run = place.lmz(["-v", "--mix", "none", "zeros"]);
    run.fails(0, "0 by the model");
    run.fails(0, "the model did not help here");
    assert!(!run.stderr.contains("ideal"), "{}", run.stderr);
    assert!(place.read("zeros.lmz").len() < 1000);
    assert!(place.lmz(["-dc", "zeros.lmz"]).quiet() == vec![0; 300_000]);
    let told = String::from_utf8(place.lmz(["verify", "zeros.lmz"]).quiet()).unwrap();
    assert!(told.contains("the model did not help here"), "{told}");
    assert!(!told.contains("float engine"), "{told}");
    place.write("noise", noise(5000));
    place
        .lmz(["-v", "noise"])
        .fails(0, "nothing shrinks these bytes");
}

#[test]
fn the_number_of_threads_is_not_the_environments() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(500));
    place.lmz(["-qm", nano, "a"]).quiet();
    let mut command = place.command();
    command.env("RAYON_NUM_THREADS", "100000");
    let run = crate::harness::run(command.args(["-tqm", nano, "a.lmz"]), b"");
    run.quiet();
}
