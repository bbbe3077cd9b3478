//! `lmz -d --keep-going`: what is left of damaged files.

use serde_json::Value;

use crate::harness::{Place, nano, noise, story};

fn sample(place: &Place, nano: &str) -> (Vec<u8>, Vec<u8>) {
    let raw = [story(900), vec![b' '; 600], noise(700)].concat();
    place.write("sample", &raw);
    let packed = place
        .lmz(["-cm", nano, "--segment", "500", "sample"])
        .quiet();
    (raw, packed)
}

fn offset(place: &Place, packed: &[u8], segment: usize) -> usize {
    place.write("whole.lmz", packed);
    let list: Value =
        serde_json::from_slice(&place.lmz(["-l", "--json", "whole.lmz"]).quiet()).unwrap();
    list[0]["segments"][segment]["offset"].as_u64().unwrap() as usize
}

#[test]
fn sound_segments_are_restored_and_lost_ones_named() {
    let nano = nano();
    let place = Place::new();
    let (raw, mut packed) = sample(&place, nano);
    let at = offset(&place, &packed, 1);
    packed[at + 20] ^= 0x40;
    place.write("bad.lmz", &packed);
    place.lmz(["-dm", nano, "bad.lmz"]).fails(1, "damaged");
    let run = place.lmz(["-dm", nano, "--keep-going", "bad.lmz"]);
    run.fails(3, "lmz: bad.lmz: bytes 500..1000 are lost: ");
    run.fails(
        3,
        "1700 bytes restored, 500 zero bytes in place of lost ones",
    );
    let zeroed = [&raw[..500], &[0; 500], &raw[1000..]].concat();
    assert!(place.read("bad") == zeroed);
    let run = place.lmz(["-dcm", nano, "--keep-going", "--fill", "skip", "bad.lmz"]);
    run.fails(3, "bytes 500..1000 are lost");
    assert!(run.stdout == [&raw[..500], &raw[1000..]].concat());
    let run = place.lmz_with(["-dqm", nano, "--keep-going"], &packed);
    assert_eq!((run.code(), run.stderr.as_str()), (3, ""));
    assert!(run.stdout == zeroed);

    let run = place.lmz([
        "-tm",
        nano,
        "--keep-going",
        "--json",
        "bad.lmz",
        "whole.lmz",
    ]);
    assert_eq!(run.code(), 3);
    let mut found = serde_json::Deserializer::from_slice(&run.stdout).into_iter::<Value>();
    let (bad, whole) = (
        found.next().unwrap().unwrap(),
        found.next().unwrap().unwrap(),
    );
    assert_eq!(
        (&bad["whole"], &whole["whole"]),
        (&false.into(), &true.into())
    );
    assert_eq!(bad["lost"][0]["from"], 500);
    assert_eq!(bad["lost"][0]["to"], 1000);
    assert_eq!(bad["lost"][0]["file_from"], at);
    assert_eq!(whole["restored_bytes"], raw.len());
}

#[test]
fn truncated_files_come_back_as_far_as_they_go() {
    let nano = nano();
    let place = Place::new();
    let (raw, packed) = sample(&place, nano);
    let third = offset(&place, &packed, 2);
    place.write("cut.lmz", &packed[..third + 12]);
    let run = place.lmz(["-dm", nano, "--keep-going", "cut.lmz"]);
    run.fails(3, "bytes 1000..1500 are lost");
    run.fails(3, "bytes from 1500 on, nobody knows how many, are lost");
    assert!(place.read("cut")[..1000] == raw[..1000]);
    // Nothing at all: no file.
    place.write("none.lmz", &packed[..40]);
    place
        .lmz(["-dm", nano, "--keep-going", "none.lmz"])
        .fails(1, "nothing of it can be restored");
    place.write("text.lmz", "this is something else");
    place
        .lmz(["-dm", nano, "--keep-going", "text.lmz"])
        .fails(1, "not understood");
    assert!(!place.names().contains(&"none".to_owned()));
    // A footer alone is no loss.
    place.write("foot.lmz", &packed[..packed.len() - 3]);
    place.lmz(["-dm", nano, "foot.lmz"]).fails(1, "truncated");
    let run = place.lmz(["-dm", nano, "--keep-going", "foot.lmz"]);
    run.fails(0, "all bytes are restored");
    assert!(place.read("foot") == raw);
}
