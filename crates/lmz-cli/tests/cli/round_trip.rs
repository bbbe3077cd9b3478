//! What goes in comes out.

use std::fmt::Write;
use std::fs;

use crate::harness::{Place, nano, noise, pico, story};

fn log(len: usize) -> Vec<u8> {
    let mut text = String::new();
    for (n, byte) in noise(len / 60).into_iter().enumerate() {
        let level = ["INFO", "WARN", "DEBUG"][usize::from(byte) % 3];
        writeln!(
            text,
            "2024-05-{:02} 12:{:02}:{:02} {level} worker-{}: request {} took {} ms",
            n / 3600 % 28 + 1,
            n / 60 % 60,
            n % 60,
            byte % 7,
            n * 17,
            byte
        )
        .unwrap();
    }
    let mut bytes = text.into_bytes();
    bytes.truncate(len);
    bytes
}

/// Small cases that must come back; a name and the bytes.
fn small() -> Vec<(&'static str, Vec<u8>)> {
    let all: Vec<u8> = (0..=255).collect();
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", Vec::new()),
        ("one-byte", vec![b'x']),
        ("one-zero", vec![0]),
        ("all-bytes", all.clone()),
        (
            "invalid-utf8",
            [
                &b"good \xff\xfe\xc3"[..],
                &b" \xe2\x82 cut \xf0\x9f\x98"[..],
                &[0x80; 40],
            ]
            .concat(),
        ),
        ("crlf", text("first\r\nsecond\r\n\r\nlone\rlast\n\r")),
        ("bom", text("\u{feff}a text with a byte order mark\u{feff}")),
        (
            "combining",
            text("e\u{301}a\u{308}o\u{302}\u{323} Å Å \u{1100}\u{1161}\u{11a8} ﬁ ㎏"),
        ),
        ("cjk", text("北京大学。東京タワー、서울특별시。龍龜麤𠀀𪚥")),
        ("arabic", text("اَلْعَرَبِيَّةُ ‏كتاب‏ ۱۲۳ שָׁלוֹם")),
        ("emoji", text("👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣ 🇩🇪🇫🇷")),
        (
            "json",
            text(r#"{"a": [1, 2.5e-3, null, true], "b\u00e9": "\"quoted\"", "c": {"d": {}}}"#),
        ),
        (
            "source",
            fs::read(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/cli/round_trip.rs"
            ))
            .unwrap(),
        ),
        ("random-small", noise(100)),
        (
            "special-tokens",
            text(
                "<|bos|><s></s><unk><0x0A><|endoftext|> <|bos|> ▁ <s>text</s>\n<pad>[INST]<|im_start|>",
            ),
        ),
        (
            "spaces",
            text("   leading,   inner  \t\t and trailing   \n\n\n   "),
        ),
        ("story", story(3000)),
    ]
}

/// Large ones.
fn large() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("log", log(1 << 20)),
        ("random", noise(300_000)),
        ("nuls", vec![0; 66_000]),
        ("run", vec![b'a'; 66_000]),
        ("mixed", [story(70_000), noise(70_000)].concat()),
    ]
}

#[test]
fn small_files_come_back() {
    let nano = nano();
    come_back(nano, &small());
}

#[test]
fn large_files_come_back() {
    let pico = pico();
    come_back(pico, &large());
}

/// Compresses all cases at once, tests them, and restores them.
fn come_back(model: &str, cases: &[(&str, Vec<u8>)]) {
    let place = Place::new();
    for (name, bytes) in cases {
        place.write(name, bytes);
    }
    let names: Vec<_> = cases.iter().map(|(name, _)| *name).collect();
    // A short context, to be quick.
    let args = ["-m", model, "--context", "32", "--"]
        .into_iter()
        .chain(names.iter().copied());
    assert!(place.lmz(args).quiet().is_empty());

    let packed: Vec<_> = names.iter().map(|name| format!("{name}.lmz")).collect();
    for (name, bytes) in cases {
        let original = place.read(name);
        assert_eq!(&original, bytes, "{name} was touched");
        fs::remove_file(place.path(name)).unwrap();
        let packed = place.read(format!("{name}.lmz")).len() as f64;
        let most = if bytes.len() >= 100_000 { 1.001 } else { 1.02 };
        assert!(
            packed <= bytes.len() as f64 * most + 200.0,
            "{name}: {} -> {packed}",
            bytes.len()
        );
    }
    let test = place.lmz(
        ["-t", "-m", model]
            .into_iter()
            .chain(packed.iter().map(String::as_str)),
    );
    assert!(test.quiet().is_empty());
    assert_eq!(place.names().len(), names.len(), "-t writes nothing");

    let restore = ["-d", "-m", model]
        .into_iter()
        .chain(packed.iter().map(String::as_str));
    place.lmz(restore).quiet();
    for (name, bytes) in cases {
        assert_eq!(&place.read(name), bytes, "{name} came back different");
    }
    assert_eq!(place.names().len(), 2 * names.len(), "nothing else is left");
}

#[test]
fn compressed_data_hardly_grows() {
    let nano = nano();
    let place = Place::new();
    let once = place
        .lmz_with(["-m", nano, "--context", "32"], &story(20_000))
        .quiet();
    let twice = place.lmz_with(["-m", nano], &once).quiet();
    let most = once.len() as f64 * 1.001 + 200.0;
    assert!(
        twice.len() as f64 <= most,
        "{} -> {}",
        once.len(),
        twice.len()
    );
    let back = place.lmz_with(["-d", "-m", nano], &twice).quiet();
    assert_eq!(back, once);
}

#[test]
fn the_embedded_model_needs_no_option() {
    let place = Place::new();
    let text = "It was the best of times, it was the worst of times, it was the age of wisdom.\n"
        .repeat(3);
    place.write("tale.txt", &text);
    assert!(place.lmz(["tale.txt"]).quiet().is_empty());
    assert!(place.read("tale.txt.lmz").len() < text.len() + 200);
    fs::rename(place.path("tale.txt"), place.path("kept")).unwrap();
    place.lmz(["-t", "tale.txt.lmz"]).quiet();
    place.lmz(["-d", "tale.txt.lmz"]).quiet();
    assert_eq!(place.read("tale.txt"), text.as_bytes());
    assert_eq!(place.names(), ["kept", "tale.txt", "tale.txt.lmz"]);
}

#[test]
fn odd_file_names_work() {
    let nano = nano();
    let place = Place::new();
    let long = "n".repeat(251);
    for name in [
        "-d",
        "with space",
        "größe",
        "models",
        "model",
        ".hidden",
        &long,
    ] {
        place.write(name, name);
        place.lmz(["-m", nano, "--", name]).quiet();
        fs::remove_file(place.path(name)).unwrap();
        place
            .lmz(["-dm", nano, "--", &format!("{name}.lmz")])
            .quiet();
        assert_eq!(place.read(name), name.as_bytes());
    }
    // Only as the first argument these are verbs.
    place.lmz(["-fm", nano, "./models", "models"]).quiet();
    // What the file system cannot name is an error, and not a half-written file.
    let too_long = "n".repeat(252);
    place.write(&too_long, "text");
    let before = place.names().len();
    place.lmz(["-m", nano, &too_long]).fails(1, "cannot write");
    assert_eq!(place.names().len(), before);
}
