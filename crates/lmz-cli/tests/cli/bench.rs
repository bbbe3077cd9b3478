//! `lmz bench`

use serde_json::Value;

use crate::harness::{Place, nano, story};

#[test]
fn all_programs_are_measured_on_the_same_bytes() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(3000));
    place.write("empty", b"");
    place.lmz(["-m", nano, "a"]).quiet();
    let args = [
        "bench", "--json", "-m", nano, "--plot", "p.svg", "a", "empty",
    ];
    let bench: Value = serde_json::from_slice(&place.lmz(args).quiet()).unwrap();
    let files = bench["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    let results = files[0]["results"].as_array().unwrap();
    let names: Vec<&str> = results
        .iter()
        .map(|r| r["program"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["gzip", "bzip2", "xz", "zstd", "brotli", "lmz"]);
    for result in results {
        let bytes = result["bytes"].as_u64().unwrap();
        assert!(bytes > 100 && bytes < 3000, "{result:#}");
        assert_eq!(result["raw_bytes"], 3000);
        assert_eq!(result["sha256"], files[0]["sha256"]);
        assert!(result["compressing"]["seconds"].as_f64().unwrap() > 0.0);
    }
    for result in results {
        assert_eq!(
            (&result["device"], &result["device_name"]),
            (&"cpu".into(), &Value::Null)
        );
    }
    let lmz = &results[5];
    assert_eq!(lmz["bytes"], place.read("a.lmz").len());
    let size = std::fs::metadata(nano).unwrap().len();
    assert_eq!(lmz["model"]["bytes"], size);
    assert_eq!(
        files[1]["sha256"],
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let plot = String::from_utf8(place.read("p.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"));
    for name in names {
        // Once for each direction.
        assert_eq!(plot.matches(&format!("\n{name}\n")).count(), 2, "{name}");
    }
    assert_eq!(place.names(), ["a", "a.lmz", "empty", "p.svg"]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let place = Place::new();
    place.write("a", b"text");
    let run = place.lmz(["bench", "--only", "xz,zstd", "--markdown", "a", "missing"]);
    run.fails(1, "missing: no such file or directory");
    let table = String::from_utf8(run.stdout).unwrap();
    assert!(table.starts_with("| file | raw | xz | zstd |\n"), "{table}");
    for (plot, message) in [
        ("p.png", "ends in .svg"),
        ("no/p.svg", "the directory is not there"),
    ] {
        let run = place.lmz(["bench", "--only", "xz", "--plot", plot, "a"]);
        run.fails(1, message);
    }
    assert_eq!(place.names(), ["a"]);
}

#[test]
fn lmz_is_measured_on_its_device() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(200));
    let list = place.lmz(["devices", "--json"]).quiet();
    let devices: Value = serde_json::from_slice(&list).unwrap();
    for device in devices.as_array().unwrap() {
        let name = device["device"].as_str().unwrap();
        let args = [
            "bench", "-m", nano, "--only", "xz,lmz", "--device", name, "--json", "a",
        ];
        let bench: Value = serde_json::from_slice(&place.lmz(args).quiet()).unwrap();
        let results = &bench["files"][0]["results"];
        assert_eq!(
            (&results[0]["program"], &results[0]["device"]),
            (&"xz".into(), &"cpu".into())
        );
        assert_eq!(results[1]["device"], name);
        match name {
            "cpu" => assert!(results[1]["device_name"].is_null()),
            _ => assert_eq!(results[1]["device_name"], device["name"]),
        }
    }
}

#[test]
fn a_device_that_is_missing_is_not_what_was_measured() {
    let place = Place::new();
    place.write("a", story(1000));
    let run = place.lmz(["bench", "--only", "lmz", "--device", "cuda:99", "a"]);
    run.fails(0, "cuda:99");
    run.fails(0, "the CPU is used instead");
    let table = String::from_utf8(run.stdout).unwrap();
    assert!(table.contains(" on cpu "), "{table}");
    let args = [
        "bench",
        "--only",
        "lmz",
        "--device",
        "cuda:99",
        "--markdown",
        "a",
    ];
    let table = String::from_utf8(place.lmz(args).stdout).unwrap();
    assert!(
        table.starts_with("| file | raw | lmz on cpu |\n"),
        "{table}"
    );
}
