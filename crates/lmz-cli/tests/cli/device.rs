//! `--device` and `lmz devices`.

use std::fs;
use std::process::Child;

use serde_json::{Value, json};

use crate::harness::{Place, Run, finish, nano, run, spawn, story};

/// All devices, as `--device` takes them, the CPU first. In a build without GPU support there is no
/// other.
fn devices(place: &Place) -> Vec<String> {
    let list = place.lmz(["devices", "--json"]).quiet();
    let devices: Vec<Value> = serde_json::from_slice(&list).unwrap();
    let names = devices.iter().map(|d| d["device"].as_str().unwrap());
    names.map(String::from).collect()
}

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

#[test]
fn too_little_memory_leaves_the_work_to_the_cpu_and_says_how_much_it_takes() {
    let nano = nano();
    let place = Place::new();
    place.write("text", story(200));
    let expected = place.lmz(["-c", "-m", nano, "text"]).quiet();
    // It is about devices only.
    let args = ["-c", "-m", nano, "--memory", "1000", "text"];
    assert!(place.lmz(args).quiet() == expected);
    for device in devices(&place).into_iter().skip(1) {
        let with = |memory: &str| {
            let args = ["-cm", nano, "--device", &device, "--memory", memory, "text"];
            place.lmz(args)
        };
        let run = with("1000");
        run.fails(0, "may be used; the CPU is used instead");
        assert!(run.stdout == expected, "{device}");
        // "... needs 2.3 MiB there ..."
        let words: Vec<&str> = run.stderr.split(' ').collect();
        let needs = words.iter().position(|word| *word == "needs").unwrap();
        let enough = format!("{}M", words[needs + 1]);
        assert_eq!(words[needs + 2], "MiB");
        assert!(with(&enough).quiet() == expected, "{device} with {enough}");
    }
}

/// Compresses and restores `text` on a device, one process after the other.
fn there_and_back(place: &Place, device: &str, name: &str, packed: &[u8]) -> (Child, Child) {
    let cache = place.path("cache");
    let start = |args: &[&str]| {
        let mut command = place.command();
        command.args(args).args(["--device", device]);
        spawn(command.env("XDG_CACHE_HOME", &cache))
    };
    place.write(format!("{name}.lmz"), packed);
    let packed = format!("{name}.lmz");
    (start(&["-c", name]), start(&["-dc", &packed]))
}

#[test]
fn processes_share_a_device() {
    let place = Place::new();
    let names = ["one", "two"];
    let texts: Vec<Vec<u8>> = vec![story(250), story(500)[300..].to_vec()];
    let pack = |(name, text): (&&str, &Vec<u8>)| {
        place.write(name, text);
        place.lmz(["-c", name]).quiet()
    };
    let packed: Vec<Vec<u8>> = names.iter().zip(&texts).map(pack).collect();
    for device in devices(&place) {
        // Four at once.
        let started = names.iter().zip(&packed);
        let started: Vec<_> = started
            .map(|(name, packed)| there_and_back(&place, &device, name, packed))
            .collect();
        for (at, (compressing, restoring)) in started.into_iter().enumerate() {
            let [compressed, restored] = [compressing, restoring].map(finish).map(Run::quiet);
            assert!(compressed == packed[at], "{} on {device}", names[at]);
            assert!(restored == texts[at], "{} on {device}", names[at]);
        }
        // If one of them took long enough to be measured, all that is stored makes sense.
        if let Ok(cache) = fs::read(place.path("cache/lmz/speed.json")) {
            let cache: Value = serde_json::from_slice(&cache).unwrap();
            for entry in cache["entries"].as_array().unwrap() {
                assert_eq!(entry["lmz"], env!("CARGO_PKG_VERSION"));
                let start = entry["start"].as_f64();
                assert!(start.is_none_or(|start| start > 0.0), "{entry}");
            }
            assert_eq!(fs::read_dir(place.path("cache/lmz")).unwrap().count(), 1);
        }
    }
}

#[test]
fn whatever_is_in_the_cache_files_are_the_same() {
    let place = Place::new();
    place.write("text", story(400));
    let expected = place.lmz(["-c", "text"]).quiet();
    let file = place.path("cache/lmz/speed.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let entry = json!({
        "device": "\u{1b}[31m", "lmz": env!("CARGO_PKG_VERSION"), "numerics": 0, "model": 1, "lanes": 1,
        "encoding": -1,
    });
    for text in [
        "rubbish",
        "{}",
        &json!({ "entries": [entry, 7] }).to_string(),
    ] {
        fs::write(&file, text).unwrap();
        let with = |args: &[&str]| {
            let mut command = place.command();
            run(
                command
                    .args(args)
                    .env("XDG_CACHE_HOME", place.path("cache")),
                b"",
            )
        };
        assert!(with(&["-c", "--device", "auto", "text"]).quiet() == expected);
        let list = String::from_utf8(with(&["devices"]).quiet()).unwrap();
        assert!(list.contains("cpu") && !list.contains('\u{1b}'), "{list}");
    }
    // No directory to keep anything in.
    let mut command = place.command();
    command.args(["-c", "--device", "auto", "text"]);
    assert!(run(command.env("XDG_CACHE_HOME", place.path("text")), b"").quiet() == expected);
}
