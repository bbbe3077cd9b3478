//! Bad input: a clear error, nothing lost, and never other bytes than the right ones.

use crate::harness::{Place, nano, noise, story};

/// A file of several segments of all kinds, and what it holds.
fn sample(place: &Place, nano: &str) -> (Vec<u8>, Vec<u8>) {
    let raw = [story(900), vec![b' '; 600], noise(700)].concat();
    place.write("sample", &raw);
    let packed = place
        .lmz(["-cm", nano, "--segment", "500", "--context", "32", "sample"])
        .quiet();
    (raw, packed)
}

#[test]
fn truncated_anywhere() {
    let nano = nano();
    let place = Place::new();
    let (raw, packed) = sample(&place, nano);
    let mut cuts: Vec<usize> = (0..16).map(|n| packed.len() * n / 16).collect();
    cuts.extend([1, 3, 4, 5, 60, packed.len() - 1, packed.len() - 20]);
    for cut in cuts {
        let part = &packed[..cut];
        place.write("cut.lmz", part);
        let word = if cut == 0 { "empty" } else { "" };
        for verb in ["-d", "-t"] {
            let run = place.lmz([verb, "-m", nano, "cut.lmz"]);
            run.fails(1, "lmz: cut.lmz: ");
            run.fails(1, word);
            if cut >= 4 {
                run.fails(1, "truncated");
                run.fails(1, &format!("lmz {verb} --keep-going"));
            }
        }
        place.lmz(["-l", "cut.lmz"]).fails(1, "cut.lmz");
        // What a pipe has seen is a beginning of the right bytes.
        let run = place.lmz_with(["-dm", nano], part);
        run.fails(1, "lmz: standard input: ");
        assert!(raw.starts_with(&run.stdout));
    }
    assert_eq!(
        place.names(),
        ["cut.lmz", "sample"],
        "no output, no temporary file"
    );
}

#[test]
fn any_byte_flipped() {
    let nano = nano();
    let place = Place::new();
    let (raw, packed) = sample(&place, nano);
    let front = 0..8;
    let back = packed.len() - 80..packed.len();
    let between = (8..packed.len() - 80).step_by(packed.len() / 40);
    let mut harmless = 0;
    for (n, at) in front.chain(between).chain(back.step_by(5)).enumerate() {
        let mut bad = packed.clone();
        bad[at] ^= 1 << (n % 8);
        place.write("bad.lmz", &bad);
        let run = place.lmz(["-dfm", nano, "bad.lmz"]);
        if run.code() == 0 {
            // A header that was replaced by its copy, or bits that the coder never looks at.
            assert!(
                place.read("bad") == raw,
                "byte {at}: other bytes, and no error"
            );
            std::fs::remove_file(place.path("bad")).unwrap();
            harmless += 1;
        } else {
            run.fails(1, "lmz: bad.lmz: ");
            let located = ["segment", "byte", "footer", "member"];
            assert!(
                located.iter().any(|word| run.stderr.contains(word)),
                "byte {at}: {}",
                run.stderr
            );
        }
        assert_eq!(place.names(), ["bad.lmz", "sample"], "byte {at}");
        let run = place.lmz_with(["-dm", nano], &bad);
        assert!(raw.starts_with(&run.stdout), "byte {at}");
        assert!(
            run.code() == 1 || run.stdout == raw,
            "byte {at}: {}",
            run.stderr
        );
    }
    assert!(harmless < 30, "{harmless} changes went unnoticed");
}

#[test]
fn a_damaged_header_is_survived_with_a_warning() {
    let nano = nano();
    let place = Place::new();
    let (raw, mut packed) = sample(&place, nano);
    packed[10] ^= 0x40;
    place.write("bad.lmz", &packed);
    let run = place.lmz(["-dm", nano, "bad.lmz"]);
    run.fails(0, "warning: a header or end byte is damaged");
    assert_eq!(place.read("bad"), raw);
    place.lmz(["-dqfm", nano, "bad.lmz"]).quiet();
    place
        .lmz(["-l", "bad.lmz"])
        .fails(0, "warning: the header of member 0 is damaged");
    place
        .lmz_with(["-dm", nano], &packed)
        .fails(1, "the header's checksum is wrong");
}

#[test]
fn other_files_are_told_from_damaged_ones() {
    let place = Place::new();
    place.write("text.lmz", "this is no compressed file");
    place
        .lmz(["-d", "text.lmz"])
        .fails(1, "lmz: text.lmz: not an .lmz file");
    place.write("gzip.lmz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    place.lmz(["-t", "gzip.lmz"]).fails(1, "not an .lmz file");
    // Lengths that no file has are refused before memory is asked for.
    let absurd = [&[0x89, b'L', b'M', b'Z', 1][..], &[0xff; 9], &[1]].concat();
    place.write("absurd.lmz", &absurd);
    place
        .lmz(["-d", "absurd.lmz"])
        .fails(1, "lmz: absurd.lmz: ");
    assert_eq!(place.names(), ["absurd.lmz", "gzip.lmz", "text.lmz"]);
}

#[test]
fn a_newer_version_is_named() {
    let nano = nano();
    let place = Place::new();
    // Too long for a small member.
    let text = b"text ".repeat(1000);
    let mut packed = place.lmz_with(["--mix", "none", "-m", nano], &text).quiet();
    // The header's frame is the same in all versions: version, body length, body, checksum.
    let body_len = usize::from(packed[5]);
    assert!(body_len < 128);
    packed[4] = 9;
    let end = 6 + body_len;
    let crc = crc32(&packed[..end]);
    packed[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    let run = place.lmz_with(["-dm", nano], &packed);
    run.fails(1, "a newer lmz (format version 9)");
}

/// CRC-32 of IEEE 802.3, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
