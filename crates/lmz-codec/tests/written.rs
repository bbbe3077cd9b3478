//! What is written today is what was written: the golden files of format version 2 with mixing version 2, byte for byte. (That they decode, with
//! every kernel, `tests/golden.rs` of the workspace tests, which takes all files that lie there.)
//!
//! Bytes that differ are left in the build's directory of temporary files, under the golden file's name.
#![allow(missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use common::{nano, noise, text};
use lmz_codec::{CompressOptions, Mix, Prime, SegmentPlan, compress};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

/// Text, a table, noise, and text again: parts of each kind.
fn parts() -> Vec<u8> {
    let table = (0..300u32).flat_map(|i| [(i * i / 7) as u8, 0, i as u8]);
    let (text, table): (_, Vec<u8>) = (text(), table.collect());
    [&text[..1500], &table, &noise(4300), &text[500..1300]].concat()
}

fn options(lanes: usize, plan: SegmentPlan, prime: Option<Prime>) -> CompressOptions {
    CompressOptions {
        context: Some(48),
        overlap: Some(11),
        plan,
        mix: Mix::Auto,
        lanes: Some(lanes),
        full: false,
        threads: 2,
        verify: true,
        prime,
    }
}

#[test]
fn golden_files_are_written_as_they_were() {
    let text = text();
    let one = SegmentPlan::Default;
    let groups = SegmentPlan::fixed(1000).unwrap();
    let prime = || Prime::new("prime", &text[..400]).unwrap();
    let mut otherwise = Vec::new();
    for (name, raw, options) in [
        ("mixing2-parts", parts(), options(2, one, None)),
        (
            "mixing2-one-lane",
            text[..1200].to_vec(),
            options(1, one, None),
        ),
        (
            "mixing2-groups",
            text[..2500].to_vec(),
            options(3, groups, None),
        ),
        (
            "mixing2-primed",
            text[400..1100].to_vec(),
            options(2, one, Some(prime())),
        ),
    ] {
        let mut file = Vec::new();
        compress(&raw[..], &mut file, nano(), &options, &()).unwrap();
        assert_eq!(file[4] & 0x7f, 2, "{name} is of format version 2");
        let expected = std::fs::read(golden(name).with_extension("lmz")).unwrap_or_default();
        let original = std::fs::read(golden(name)).unwrap_or_default();
        if file != expected || raw != original {
            let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            std::fs::write(&place, &raw).unwrap();
            std::fs::write(place.with_extension("lmz"), &file).unwrap();
            otherwise.push(place);
        }
    }
    assert!(otherwise.is_empty(), "written otherwise: {otherwise:?}");
}
