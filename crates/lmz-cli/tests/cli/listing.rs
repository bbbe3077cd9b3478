//! `lmz -l`

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Place, checkpoint, nano, noise, run, story};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn json_accounts_for_every_byte() {
    let nano = nano();
    let place = Place::new();
    place.write(
        "a",
        [story(2048), vec![0; 2000], story(1000), noise(3452)].concat(),
    );
    place
        .lmz([
            "-m",
            nano,
            "--mix",
            "none",
            "--segment",
            "2K",
            "--context",
            "256",
            "--overlap",
            "32",
            "a",
        ])
        .quiet();
    let size = place.read("a.lmz").len() as u64;
    let list = json(&place.lmz(["-l", "--json", "a.lmz"]).quiet());
    let file = &list[0];
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(file["file"], "a.lmz");
    assert_eq!(file["model"]["name"], "stories260K");
    let info = json(&place.lmz(["model", "info", "--json", nano]).quiet());
    assert_eq!(file["model"]["id"], info["id"]);
    assert_eq!(
        file["model"]["checkpoint"].as_str().unwrap(),
        &info["checkpoint"].as_str().unwrap()[..32]
    );
    for (field, value) in [
        ("format_version", 1),
        ("numerics_version", u64::from(lmz::NUMERICS_VERSION)),
        ("recipe", u64::from(lmz::RECIPE)),
        ("context", 256),
        ("overlap", 32),
        ("segment_size", 2048),
        ("raw_bytes", 8500),
        ("compressed_bytes", size),
    ] {
        assert_eq!(file[field], value, "{field}");
    }
    assert_eq!(file["header_damaged"], false);
    assert_eq!(file["members"].as_array().unwrap().len(), 1);
    let sum = |parts: &Value| {
        parts
            .as_object()
            .unwrap()
            .values()
            .map(|v| v.as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(sum(&file["container"]), size);
    assert_eq!(
        file["bits_per_byte"].as_f64().unwrap(),
        size as f64 * 8.0 / 8500.0
    );

    let segments = file["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 5);
    let (mut raw, mut coded, mut ideal) = (0, 0, 0.0);
    for (index, segment) in segments.iter().enumerate() {
        assert_eq!(
            (segment["index"].as_u64(), segment["member"].as_u64()),
            (Some(index as u64), Some(0))
        );
        assert_eq!(segment["raw_offset"], raw);
        raw += segment["raw_len"].as_u64().unwrap();
        coded += segment["coded_len"].as_u64().unwrap();
        ideal += segment["ideal_bits"].as_f64().unwrap_or(0.0);
        let is_model = segment["kind"] == "model";
        assert_eq!(segment["ideal_bits"].is_f64(), is_model);
        assert!(segment["offset"].as_u64().unwrap() < size);
    }
    assert_eq!(
        (raw, file["container"]["coded"].as_u64()),
        (8500, Some(coded))
    );
    assert_eq!(file["ideal_bits"].as_f64(), Some(ideal));
    assert_eq!(segments[0]["kind"], "model");
    let modelled = segments.iter().filter(|s| s["kind"] == "model");
    let modelled: f64 = modelled
        .map(|s| s["coded_len"].as_f64().unwrap() * 8.0)
        .sum();
    assert!(
        ideal <= modelled && modelled <= ideal * 1.001 + 500.0,
        "{ideal} ideal, {modelled} coded"
    );
    let kinds: Vec<_> = segments
        .iter()
        .map(|s| s["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"zstd") && kinds.contains(&"stored"),
        "{kinds:?}"
    );
}

#[test]
fn a_mixed_file_says_so() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(70_000));
    place
        .lmz(["-m", nano, "-T2", "--no-verify", "--full", "a"])
        .quiet();
    let list = json(&place.lmz(["-l", "--json", "a.lmz"]).quiet());
    let file = &list[0];
    for (field, value) in [
        ("format_version", 2),
        ("mixing_version", 2),
        ("segment_size", 1 << 20),
    ] {
        assert_eq!(file[field], value, "{field}");
    }
    assert_eq!(file["segments"][0]["kind"], "mixed");
    assert!(file["segments"][0]["lanes"].as_u64().unwrap() >= 1);
    let ideal = file["segments"][0]["ideal_bits"].as_f64().unwrap();
    let coded = file["segments"][0]["coded_len"].as_f64().unwrap() * 8.0;
    assert!(ideal < coded && coded < ideal + 100.0, "{ideal} {coded}");
    let text = |args: &[&str]| String::from_utf8(place.lmz(args).quiet()).unwrap();
    assert!(text(&["-l", "a.lmz"]).contains(" 1x "));
    let details = text(&["-lv", "a.lmz"]);
    assert!(
        details.contains("format 2") && details.contains("mixing 2"),
        "{details}"
    );
    assert!(details.contains("mixed"), "{details}");
    // A file without mixing is one of the first version.
    place.lmz(["-qfm", nano, "--mix", "none", "a"]).quiet();
    let list = json(&place.lmz(["-l", "--json", "a.lmz"]).quiet());
    assert_eq!(list[0]["format_version"], 1);
    assert_eq!(list[0]["mixing_version"], Value::Null);
}

#[test]
fn tables_have_a_line_for_each_file_and_a_total() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(3000));
    place.write("b", "");
    place.lmz(["-m", nano, "--mix", "none", "a", "b"]).quiet();
    let text = |args: &[&str]| String::from_utf8(place.lmz(args).quiet()).unwrap();
    let table = text(&["-l", "a.lmz", "b.lmz"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(
        lines[0].contains("bits/byte")
            && lines[1].ends_with(" a.lmz")
            && lines[1].contains(" stories260K ")
    );
    assert!(
        lines[2].ends_with(" b.lmz") && lines[3].ends_with(" 2 files"),
        "{table}"
    );
    assert_eq!(text(&["-l", "a.lmz"]).lines().count(), 2);
    let details = text(&["-lv", "a.lmz"]);
    assert!(
        details.contains("ideal") && details.contains("raw offset"),
        "{details}"
    );
    // The listing of standard input, of members, and of what is not there.
    let both = [
        place.read("a.lmz"),
        place.read("b.lmz"),
        place.read("a.lmz"),
    ]
    .concat();
    let list = json(&place.lmz_with(["-l", "--json"], &both).quiet());
    assert_eq!(list[0]["file"], "standard input");
    assert_eq!(list[0]["members"].as_array().unwrap().len(), 3);
    assert_eq!(list[0]["raw_bytes"], 6000);
    assert_eq!(list[0]["segments"][1]["raw_offset"], 3000);
    let run = place.lmz(["-l", "--json", "missing", "a.lmz", "b"]);
    run.fails(1, "lmz: missing: no such file");
    run.fails(1, "lmz: b: the input is empty");
    assert_eq!(json(&run.stdout).as_array().unwrap().len(), 1);
}

#[test]
fn version_and_listing_load_no_model() {
    let place = Place::new();
    place.write("a", "text");
    place.lmz(["a"]).quiet();
    for args in [
        &["--version"][..],
        &["-l", "a.lmz"],
        &["-l", "--json", "a.lmz"],
    ] {
        let time = || {
            let start = Instant::now();
            run(place.command().args(args), b"").quiet();
            start.elapsed()
        };
        // The best of several: the machine may be busy with other tests.
        let best = (0..20).map(|_| time()).min().unwrap();
        assert!(best < Duration::from_millis(50), "{args:?} takes {best:?}");
    }
}

/// Names that other people gave to models and files never steer a terminal, whatever prints them.
#[test]
fn no_verb_prints_a_name_raw() {
    let place = Place::new();
    let hidden = ['\u{202e}', '\u{200b}', '\u{1b}', '\u{9b}'];
    let (file, model) = ("a\u{202e}\u{200b}\u{9b}b.txt", "models/m\u{200b}.lmzm");
    let text = story(3000);
    place.write(file, &text);
    std::fs::create_dir(place.path("models")).unwrap();
    let name = "na\u{202e}me\u{200b}";
    let prepare = [
        "model",
        "prepare",
        "--name",
        name,
        "-o",
        model,
        checkpoint(),
    ];
    let prepared = place.lmz(prepare);
    assert_eq!(prepared.code(), 0, "{}", prepared.stderr);
    let packed = format!("{file}.lmz");
    let packed = &packed[..];
    let mut runs: Vec<Vec<&str>> = vec![
        vec!["-vm", model, file],
        vec!["-l", packed],
        vec!["-l", "--json", packed],
        vec!["-tvm", model, packed],
        vec!["-dcvm", model, "--keep-going", packed],
        vec!["-tm", model, "--keep-going", "--json", packed],
        vec!["models"],
        vec!["models", "--json"],
        vec!["model", "info", model],
        vec!["model", "info", "--json", model],
        vec!["inspect", "-m", model, packed],
        vec!["inspect", "--json", "-m", model, packed],
        vec!["devices"],
        vec!["devices", "--json"],
        vec!["-tm", "models/none\u{202e}.lmzm", packed],
        vec!["study", "plan", "st\u{202e}udy"],
    ];
    if cfg!(feature = "float") {
        runs.extend([
            vec!["verify", "-m", model, packed],
            vec!["verify", "--json", "-m", model, packed],
            vec!["bpc", "-m", model, "-c", file, "--protocol", "stream"],
            vec![
                "bpc",
                "--json",
                "-m",
                model,
                "-c",
                file,
                "--protocol",
                "stream",
            ],
            vec!["bench", "--only", "gzip", file],
            vec!["bench", "--only", "gzip", "--json", file],
            vec!["bench", "--only", "gzip", "--markdown", file],
        ]);
    }
    for args in runs {
        let mut command = place.command();
        command.env("LMZ_MODELS", place.path("models")).args(&args);
        let run = run(&mut command, b"");
        // What is restored is the user's own.
        let restores = args[0].starts_with("-dc");
        let out = if restores { Vec::new() } else { run.stdout };
        let said = String::from_utf8([out, run.stderr.into_bytes()].concat()).unwrap();
        assert!(!said.contains(hidden), "{args:?}: {said:?}");
        assert!(restores || !said.is_empty(), "{args:?}");
    }
}
