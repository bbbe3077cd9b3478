//! `lmz cat`: parts of a file.

use crate::harness::{Place, nano, noise, story};

#[test]
fn any_part_is_what_the_whole_has_there() {
    let nano = nano();
    let place = Place::new();
    let raw = [story(900), noise(700), story(500)].concat();
    place.write("a", &raw);
    place.lmz(["-qm", nano, "--segment", "300", "a"]).quiet();
    place.write("note", "a short note");
    place.lmz(["-qm", nano, "note"]).quiet();
    let both = [place.read("a.lmz"), place.read("note.lmz")].concat();
    place.write("both.lmz", &both);
    let raw = [&raw[..], b"a short note"].concat();
    let len = raw.len();
    for (range, from, to) in [
        ("0..10", 0, 10),
        ("..1K", 0, 1024),
        ("299..301", 299, 301),
        ("1000..+500", 1000, 1500),
        ("1K..", 1024, len),
        ("2099..2107", 2099, 2107),
        ("2112..", len, len),
        ("2000..9G", 2000, len),
        ("..", 0, len),
    ] {
        let part = place
            .lmz(["cat", "-m", nano, "--range", range, "both.lmz"])
            .quiet();
        assert!(part == raw[from..to], "{range}");
    }
    assert!(place.lmz(["cat", "-m", nano, "both.lmz"]).quiet() == raw);
    let piped = place
        .lmz_with(["cat", "-m", nano, "-r", "5..9", "-"], &both)
        .quiet();
    assert!(piped == raw[5..9]);
    place
        .lmz(["cat", "-m", nano, "-r", "5..9", "-o", "part", "both.lmz"])
        .quiet();
    assert_eq!(place.read("part"), &raw[5..9]);
    place
        .lmz(["cat", "-r", "5..9", "-o", "part", "both.lmz"])
        .fails(1, "already exists");
    place
        .lmz(["cat", "-m", nano, "-r", "2113..", "both.lmz"])
        .fails(1, "beyond the end");
    place
        .lmz(["cat", "-r", "9..5", "both.lmz"])
        .fails(2, "before the beginning");
    place.lmz(["cat", "-r", "5", "both.lmz"]).fails(2, "A..B");
}

#[test]
fn no_other_segment_is_touched() {
    let nano = nano();
    let place = Place::new();
    let raw = story(3000);
    place.write("a", &raw);
    place.lmz(["-qm", nano, "--segment", "500", "a"]).quiet();
    let list = place.lmz(["-l", "--json", "a.lmz"]).quiet();
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let mut packed = place.read("a.lmz");
    // All records but the third are wiped out.
    for (n, segment) in list[0]["segments"].as_array().unwrap().iter().enumerate() {
        let field = |name: &str| segment[name].as_u64().unwrap() as usize;
        if n != 2 {
            packed[field("offset")..field("offset") + field("record_len")].fill(0xee);
        }
    }
    place.write("wiped.lmz", packed);
    let part = place
        .lmz(["cat", "-m", nano, "-r", "1000..1500", "wiped.lmz"])
        .quiet();
    assert!(part == raw[1000..1500]);
    place
        .lmz(["cat", "-m", nano, "-r", "999..1500", "wiped.lmz"])
        .fails(1, "segment 1");
}
