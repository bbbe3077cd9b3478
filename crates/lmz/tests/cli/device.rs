//! `--device` and `lmz devices`.

use serde_json::Value;

use crate::harness::{Place, story};

/// In a build without GPU support these are the CPU alone.
#[test]
fn every_device_writes_and_reads_the_same_bytes() {
    let place = Place::new();
    let text = story(300);
    place.write("text", &text);
    let expected = place.lmz(["-c", "text"]).quiet();
    let list = place.lmz(["devices", "--json"]).quiet();
    let devices: Value = serde_json::from_slice(&list).unwrap();
    let devices = devices.as_array().unwrap();
    assert_eq!(devices[0]["device"], "cpu");
    for device in devices {
        let name = device["device"].as_str().unwrap();
        assert_eq!(device["exact"], true, "{device}");
        let packed = place.lmz(["-c", "--device", name, "text"]).quiet();
        assert!(packed == expected, "{name}");
        let restored = place.lmz_with(["-d", "--device", name], &packed).quiet();
        assert!(restored == text, "{name}");
    }
}

#[test]
fn a_missing_device_is_replaced_by_the_cpu() {
    let place = Place::new();
    place.write("text", story(400));
    let expected = place.lmz(["-c", "text"]).quiet();
    let run = place.lmz(["-c", "--device", "cuda:99", "text"]);
    run.fails(0, "cuda:99");
    run.fails(0, "the CPU is used instead");
    assert!(run.stdout == expected);
    let quiet = place.lmz(["-cq", "--device", "cuda:99", "text"]).quiet();
    assert!(quiet == expected);
}

#[test]
fn auto_leaves_small_work_to_the_cpu_and_says_so() {
    let place = Place::new();
    place.write("text", story(400));
    let expected = place.lmz(["-c", "text"]).quiet();
    let run = place.lmz(["-cv", "--device", "auto", "text"]);
    run.fails(0, "the CPU is used");
    assert!(run.stdout == expected);
}

#[test]
fn a_name_that_no_device_has_is_a_usage_error() {
    let place = Place::new();
    place.write("text", b"text");
    let run = place.lmz(["-c", "--device", "tpu", "text"]);
    run.fails(2, "no device is called");
    run.fails(2, "cuda[:N]");
}
