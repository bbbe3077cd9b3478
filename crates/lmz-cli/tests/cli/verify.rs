//! `lmz verify`

use serde_json::Value;

use crate::harness::{Place, checkpoint, nano, noise, story};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The lines' units, in bits of 2^-24.
#[track_caller]
fn adds_up(file: &Value, size: u64) {
    let lines = file["lines"].as_array().unwrap();
    let sum: i64 = lines.iter().map(|l| l["units"].as_i64().unwrap()).sum();
    assert_eq!(sum, 8 * size as i64 * (1 << 24), "{file:#}");
    assert_eq!(file["file_bytes"], size);
    assert_eq!(lines.last().unwrap()["total_bits"], 8.0 * size as f64);
}

#[test]
fn a_plain_file_and_its_compressed_form_have_the_same_ledger() {
    let nano = nano();
    let place = Place::new();
    let raw = [story(6000), vec![0; 3000], noise(3000)].concat();
    place.write("a", &raw);
    place.lmz(["-m", nano, "a"]).quiet();
    let size = place.read("a.lmz").len() as u64;
    let run = |args: &[&str]| json(&place.lmz(args).quiet());
    let both = run(&["verify", "--no-float", "--json", "-m", nano, "a", "a.lmz"]);
    let (plain, packed) = (&both[0], &both[1]);
    for file in [plain, packed] {
        adds_up(file, size);
        assert_eq!(file["ok"], true);
        assert_eq!(file["raw_bytes"], 12_000);
        assert_eq!(file["float_engine"], Value::Null);
    }
    assert_eq!(plain["restored"], "compared");
    assert_eq!(packed["restored"], "checksums");
    assert_eq!(plain["lines"], packed["lines"]);
    // Nothing is left beside the files.
    assert_eq!(place.names(), ["a", "a.lmz"]);
    let list = run(&["-l", "--json", "a.lmz"]);
    let line = |step: &str| {
        let lines = plain["lines"].as_array().unwrap().iter();
        let mut own = lines.filter(|line| line["step"] == step);
        own.next().unwrap()["bits"].as_f64().unwrap()
    };
    assert_eq!(plain["lines"][0]["step"], "exact");
    // A file of 12,000 bytes is a small member, which does not record its ideal length.
    assert_eq!(list[0]["form"], "small");
    assert!(line("mixing") < 0.0 && line("contexts") > 0.0);
    // By the model alone it is recorded.
    place.lmz(["-qfm", nano, "--mix", "none", "a"]).quiet();
    let alone = &run(&["verify", "--no-float", "--json", "-m", nano, "a.lmz"])[0];
    let list = run(&["-l", "--json", "a.lmz"]);
    let exact = alone["lines"][0]["bits"].as_f64().unwrap();
    let recorded = list[0]["ideal_bits"].as_f64().unwrap();
    assert!((exact - recorded).abs() < 1.0, "{exact} {recorded}");
}

#[test]
fn the_table_names_every_part() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(3000));
    place.lmz(["-m", nano, "--mix", "none", "a"]).quiet();
    let run = place.lmz(["verify", "--no-float", "-m", nano, "a.lmz"]);
    let text = String::from_utf8(run.quiet()).unwrap();
    for part in [
        "every byte was decoded, all checksums match",
        "float engine: not asked",
        "ideal, exact engine",
        "integer frequencies",
        "range coder",
        "seals to whole bytes",
        "segment headers",
        "index",
        "footer",
        "on disk",
        "bits/char",
        "every byte of the file has a name",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(!text.contains("BROKEN"), "{text}");
}

#[test]
fn streams_and_empty_files_are_verified() {
    let nano = nano();
    let place = Place::new();
    place.write("empty", "");
    let args = ["verify", "--no-float", "--json", "-m", nano, "-", "empty"];
    let files = json(&place.lmz_with(args, &story(2000)).quiet());
    assert_eq!(files[0]["file"], "standard input");
    assert_eq!(files[0]["raw_bytes"], 2000);
    assert_eq!(files[1]["raw_bytes"], 0);
    for file in files.as_array().unwrap() {
        adds_up(file, file["file_bytes"].as_u64().unwrap());
    }
}

#[test]
fn damage_and_what_is_missing_are_told() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(3000));
    place.lmz(["-m", nano, "a"]).quiet();
    let mut damaged = place.read("a.lmz");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    place.write("b.lmz", damaged);
    let run = place.lmz([
        "verify",
        "--no-float",
        "--json",
        "-m",
        nano,
        "missing",
        "b.lmz",
        "a.lmz",
    ]);
    run.fails(1, "lmz: missing: no such file");
    run.fails(1, "lmz: b.lmz: damaged");
    // The sound one is verified all the same.
    assert_eq!(json(&run.stdout).as_array().unwrap().len(), 1);
    place
        .lmz(["verify", "--no-float", "a.lmz"])
        .fails(1, "model");
    place.lmz(["verify"]).fails(2, "FILE");
    place.lmz(["verify", "-", "-"]).fails(2, "only once");
}

/// With the float engine: over the checkpoint's own weights, and over the prepared model's.
#[cfg(feature = "float")]
#[test]
fn the_float_engine_agrees() {
    let nano = nano();
    let place = Place::new();
    // Stories of the generator are zstd's where a model predicts badly: then there is nothing to score.
    let text = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../corpora/alice29.txt"
    ))
    .unwrap();
    place.write("a", &text[..6_000]);
    for model in [nano, checkpoint()] {
        place
            .lmz(["-f", "-m", model, "--segment", "2K", "a"])
            .quiet();
        let files = json(
            &place
                .lmz(["verify", "--json", "-m", model, "a.lmz"])
                .quiet(),
        );
        let file = &files[0];
        adds_up(file, file["file_bytes"].as_u64().unwrap());
        assert_eq!(file["lines"][0]["step"], "float");
        assert!(file["float_engine"].is_string());
        let percent = file["lines"][1]["percent"].as_f64().unwrap();
        assert!(percent.abs() < 0.5, "{percent}");
        let bounds = file["bounds"].as_array().unwrap();
        let engines = bounds.iter().find(|b| b["bound"] == "exact_against_float");
        assert_eq!(engines.unwrap()["kept"], true);
    }
}

/// A build without the float engine says so.
#[cfg(not(feature = "float"))]
#[test]
fn without_a_float_engine_it_says_so() {
    let place = Place::new();
    place.write("a", story(500));
    let run = place.lmz(["verify", "-m", checkpoint(), "a"]);
    let text = String::from_utf8(run.quiet()).unwrap();
    assert!(
        text.contains("float engine: not built into this lmz"),
        "{text}"
    );
}
