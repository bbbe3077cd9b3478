//! Groups that are coded by the model and by what is learnt: what goes in comes out, whatever the threads.
#![allow(missing_docs)]

mod common;

use common::{bootstrap, nano, noise, small, text};
use lmz_codec::mixed::{MAX_LANES, decode_group, encode_groups};
use lmz_codec::{CodecError, CompressOptions, DecompressOptions, Model, Prime};
use proptest::prelude::*;

fn with(threads: usize, prime: Option<Prime>) -> CompressOptions {
    CompressOptions {
        threads,
        prime,
        ..small()
    }
}

fn coded(raw: &[u8], options: &CompressOptions, lanes: usize) -> Vec<u8> {
    let options = CompressOptions {
        lanes: Some(lanes),
        ..options.clone()
    };
    let mut groups = encode_groups(&[raw], nano(), &options, &()).unwrap();
    groups.remove(0)
}

fn restored(
    coded: &[u8],
    raw_len: usize,
    model: &Model,
    options: &CompressOptions,
) -> Result<Vec<u8>, CodecError> {
    let policy = options.context_policy(model, raw_len).unwrap();
    let means = DecompressOptions {
        threads: options.threads,
        prime: options.prime.clone(),
    };
    decode_group(coded, raw_len, model, policy, &means, &())
}

/// A header of an archive, some text, padding; again and again.
fn archive() -> Vec<u8> {
    let mut raw = Vec::new();
    for (i, text) in text()[..6000].chunks(1500).enumerate() {
        let mut header = vec![0u8; 512];
        header[..11].copy_from_slice(b"directory/a");
        header[11] = b'0' + i as u8;
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(b"00000002734");
        raw.extend(header);
        raw.extend(text);
        raw.resize(raw.len().next_multiple_of(512), 0);
    }
    raw
}

fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let table = (0..2000u32).flat_map(|i| (i * i / 7).to_le_bytes());
    vec![
        ("empty", vec![]),
        ("one byte", vec![b'x']),
        ("a zero", vec![0]),
        ("all bytes", (0..=255).collect()),
        ("text", text()[..4000].to_vec()),
        (
            "invalid UTF-8",
            b"abc \xff\xfe\xc3( \xe2\x82 \xf0\x9f end".repeat(9),
        ),
        (
            "CJK",
            "圧縮は知能を線形に表す。压缩代表智能。".repeat(30).into(),
        ),
        ("table", table.collect()),
        ("noise", noise(9000)),
        ("zeros", vec![0; 200_000]),
        ("repetitive", text()[..700].repeat(20)),
        ("archive", archive()),
        (
            "text, noise, text, a repeat",
            [
                &text()[..3000],
                &noise(5000),
                &text()[3000..4000],
                &text()[500..2500],
            ]
            .concat(),
        ),
    ]
}

#[test]
fn what_goes_in_comes_out() {
    for (name, raw) in cases() {
        for lanes in [1, 3, 16] {
            let coded = coded(&raw, &with(2, None), lanes);
            let again = restored(&coded, raw.len(), nano(), &with(2, None)).unwrap();
            assert!(again == raw, "{name}, {lanes} lanes");
            assert!(
                coded.len() <= raw.len() + 16,
                "{name}: {} bytes",
                coded.len()
            );
        }
    }
}

#[test]
fn threads_change_nothing() {
    let all = cases();
    let groups: Vec<&[u8]> = all.iter().map(|(_, raw)| &raw[..]).collect();
    for lanes in [1, 5] {
        let of = |threads| {
            let options = CompressOptions {
                lanes: Some(lanes),
                ..with(threads, None)
            };
            encode_groups(&groups, nano(), &options, &()).unwrap()
        };
        let coded = of(1);
        for threads in [2, 3] {
            assert!(of(threads) == coded, "{lanes} lanes, {threads} threads");
        }
        for threads in [1, 3] {
            for ((name, raw), coded) in all.iter().zip(&coded) {
                let again = restored(coded, raw.len(), nano(), &with(threads, None)).unwrap();
                assert!(again == *raw, "{name}, {lanes} lanes, {threads} threads");
            }
        }
    }
}

#[test]
fn what_was_seen_helps() {
    let raw = &text()[..20_000];
    let plain = common::packed(raw, &with(2, None)).len();
    let mixed = coded(raw, &with(2, None), 1).len();
    assert!(mixed * 10 < plain * 9, "{mixed} against {plain} bytes");
}

#[test]
fn a_prime_teaches() {
    let raw = &text()[3000..4500];
    let prime = Prime::new("a beginning", &text()[..3000]).unwrap();
    // Half the context is what the model is shown, and what the contexts are taught.
    let long = |prime| CompressOptions {
        context: Some(512),
        overlap: Some(64),
        ..with(2, prime)
    };
    let (with, without) = (long(Some(prime)), long(None));
    for lanes in [1, 4] {
        let primed = coded(raw, &with, lanes);
        assert!(primed.len() < coded(raw, &without, lanes).len());
        assert_eq!(restored(&primed, raw.len(), nano(), &with).unwrap(), raw);
    }
}

#[test]
fn another_model_does_it_too() {
    let (model, raw) = (bootstrap(), archive());
    let options = CompressOptions {
        context: None,
        overlap: None,
        lanes: Some(4),
        ..with(2, None)
    };
    let coded = encode_groups(&[&raw], &model, &options, &()).unwrap();
    assert_eq!(
        restored(&coded[0], raw.len(), &model, &options).unwrap(),
        raw
    );
}

#[test]
fn impossible_wishes_are_refused() {
    for lanes in [0, MAX_LANES + 1] {
        let options = CompressOptions {
            lanes: Some(lanes),
            ..small()
        };
        assert!(encode_groups(&[b"a"], nano(), &options, &()).is_err());
    }
}

#[test]
fn damage_gives_an_error_or_other_bytes() {
    for (name, raw) in cases() {
        let whole = coded(&raw, &with(2, None), 3);
        for at in (0..whole.len().min(40)).chain((40..whole.len()).step_by(997)) {
            for flip in [1u8, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                if let Ok(other) = restored(&damaged, raw.len(), nano(), &with(2, None)) {
                    assert_eq!(other.len(), raw.len(), "{name}");
                }
            }
        }
        for cut in 0..whole.len().min(20) {
            if let Ok(other) = restored(&whole[..cut], raw.len(), nano(), &with(2, None)) {
                assert_eq!(other.len(), raw.len(), "{name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_come_back(raw in prop::collection::vec(any::<u8>(), 0..900), lanes in 1usize..9) {
        let options = with(2, None);
        let coded = coded(&raw, &options, lanes);
        prop_assert_eq!(restored(&coded, raw.len(), nano(), &options).unwrap(), raw);
    }

    #[test]
    fn any_pieces_come_back(pieces in prop::collection::vec((0usize..5, 1usize..900), 0..8), lanes in 1usize..9) {
        let mut raw = Vec::new();
        for (i, (kind, len)) in pieces.into_iter().enumerate() {
            match kind {
                0 => raw.extend(&text()[i * 1000..i * 1000 + len]),
                1 => raw.extend(noise(len)),
                2 => raw.extend(vec![i as u8; len]),
                3 => raw.extend("é圧\u{301}".repeat(len / 6 + 1).bytes()),
                _ => raw.extend_from_within(..len.min(raw.len())),
            }
        }
        let options = with(2, None);
        let coded = coded(&raw, &options, lanes);
        prop_assert_eq!(restored(&coded, raw.len(), nano(), &options).unwrap(), raw);
    }

    #[test]
    fn any_coded_bytes_are_read_or_refused(coded in prop::collection::vec(any::<u8>(), 0..60), raw_len in 0usize..600) {
        if let Ok(raw) = restored(&coded, raw_len, nano(), &with(2, None)) {
            prop_assert_eq!(raw.len(), raw_len);
        }
    }
}
