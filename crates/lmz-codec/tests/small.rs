//! Messages of a few hundred bytes, and primes.
#![allow(missing_docs)]

mod common;

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use common::{alone, bootstrap, nano, noise, packed, restored, small, text};
use lmz_codec::trace::{TraceOptions, Tracer};
use lmz_codec::{
    CodecError, CompressOptions, DecompressOptions, Prime, Reader, SegmentPlan, Writer, compress,
    decompress, decompress_seekable,
};
use lmz_format::IndexedReader;

const STORY: &str = "Once upon a time, there was a little girl named Lily. She loved to play with her \
    red ball in the park. One day, her mom said, \"Lily, it is time to go home.\" Lily was sad.";

fn container(file: &[u8]) -> u64 {
    let mut index = IndexedReader::open(Cursor::new(file)).unwrap();
    let bytes = index.container_bytes(0).unwrap();
    bytes.total() - bytes.coded
}

fn is_small(file: &[u8]) -> bool {
    let index = IndexedReader::open(Cursor::new(file)).unwrap();
    index.members()[0].header.is_small()
}

#[test]
fn short_inputs_have_at_most_24_bytes_of_container() {
    let options = alone();
    let context = options.context_policy(nano(), 0).unwrap().context as usize;
    for len in [0, 1, 50, 100, 200, 300, context.min(500), context] {
        for raw in [text()[..len].to_vec(), noise(len), vec![b' '; len]] {
            let file = packed(&raw, &options);
            assert!(is_small(&file) && container(&file) <= 24, "{len}");
            assert!(restored(&file).unwrap() == raw);
            let mut out = Vec::new();
            let options = DecompressOptions::default();
            decompress_seekable(Cursor::new(&file), &mut out, nano(), &options, &()).unwrap();
            assert!(out == raw);
        }
    }
    assert!(!is_small(&packed(&text()[..context + 1], &options)));
}

#[test]
fn what_decides_is_bytes_and_options_alone() {
    let raw = &STORY.as_bytes()[..120];
    let whole = packed(raw, &alone());
    let mut writer = Writer::new(Vec::new(), nano(), &alone(), &()).unwrap();
    for byte in raw {
        writer.write_all(&[*byte]).unwrap();
    }
    let (trickled, report) = writer.finish().unwrap();
    assert!(trickled == whole);
    assert_eq!((report.raw_len, report.segments), (120, [1, 0, 0, 0]));
    assert!(report.ideal_bits > 8.0);
    for options in [
        CompressOptions {
            plan: SegmentPlan::fixed(119).unwrap(),
            ..alone()
        },
        CompressOptions {
            context: Some(119),
            ..alone()
        },
    ] {
        let file = packed(raw, &options);
        assert!(!is_small(&file) && restored(&file).unwrap() == raw);
    }
    // The coded bytes are those of a full member.
    let mut index = IndexedReader::open(Cursor::new(&whole)).unwrap();
    let small_coded = index.read_coded(0, 0).unwrap().1;
    let options = CompressOptions {
        context: Some(119),
        ..alone()
    };
    let full = packed(&raw[..119], &options);
    let cut = packed(&raw[..119], &alone());
    let mut index = IndexedReader::open(Cursor::new(&cut)).unwrap();
    assert_eq!(
        full.len() as u64 - container(&full),
        cut.len() as u64 - container(&cut)
    );
    assert!(small_coded.len() >= index.read_coded(0, 0).unwrap().1.len());
}

#[test]
fn all_ways_of_reading_take_small_members() {
    let one = packed(STORY.as_bytes(), &alone());
    let two = packed(&text()[..900], &small());
    let file = [&one[..], &two, &one].concat();
    let raw = [STORY.as_bytes(), &text()[..900], STORY.as_bytes()].concat();
    assert!(restored(&file).unwrap() == raw);
    let mut reader =
        Reader::open(Cursor::new(&file), nano(), &DecompressOptions::default()).unwrap();
    assert_eq!(reader.len(), raw.len() as u64);
    reader.seek(SeekFrom::Start(100)).unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!(rest == raw[100..]);
    let mut tracer = Tracer::open(Cursor::new(&file), nano(), &TraceOptions::default()).unwrap();
    let mut traced = Vec::new();
    while let Some(batch) = tracer.next_batch(&()).unwrap() {
        batch
            .iter()
            .for_each(|segment| traced.extend_from_slice(&segment.raw));
    }
    assert!(traced == raw);
    assert_eq!(tracer.container_bytes().unwrap().total(), file.len() as u64);
}

fn primed(prime: &Prime, options: CompressOptions) -> CompressOptions {
    CompressOptions {
        prime: Some(prime.clone()),
        ..options
    }
}

fn restored_with(file: &[u8], prime: Option<&Prime>) -> lmz_codec::Result<Vec<u8>> {
    let options = DecompressOptions {
        prime: prime.cloned(),
        ..Default::default()
    };
    let mut out = Vec::new();
    decompress(file, &mut out, nano(), &options, &())?;
    Ok(out)
}

#[test]
fn a_prime_is_needed_again_and_helps() {
    let text = "Once upon a time there was a little girl named Sue. Sue had a yellow ball and a friend \
        named Max. Max and Sue went to the lake with the yellow ball. ";
    let prime = Prime::new("Max and Sue", text).unwrap();
    let raw =
        b"Max and Sue went to the lake and Max played with the yellow ball. Sue said, \"Max, give \
        me the yellow ball!\" Max and Sue were happy at the lake.";
    let options = CompressOptions {
        verify: true,
        ..alone()
    };
    let file = packed(raw, &primed(&prime, options));
    assert!(is_small(&file));
    assert!(restored_with(&file, Some(&prime)).unwrap() == raw);
    let alone = packed(raw, &alone());
    let coded = |file: &[u8]| file.len() as u64 - container(file);
    assert!(
        coded(&file) < coded(&alone),
        "{} {}",
        coded(&file),
        coded(&alone)
    );

    let error = restored_with(&file, None).unwrap_err();
    assert!(matches!(error, CodecError::PrimeMissing { .. }), "{error}");
    let hash: String = prime.hash()[..4]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert!(error.to_string().contains(&hash), "{error}");
    let other = Prime::new("other", &text[1..]).unwrap();
    let error = restored_with(&file, Some(&other)).unwrap_err();
    assert!(matches!(error, CodecError::WrongPrime { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("other is not") && text.contains(&hash),
        "{text}"
    );
    // A file that was not primed needs none, and minds none.
    assert!(restored_with(&alone, Some(&prime)).unwrap() == raw);
}

#[test]
fn primes_go_with_segments_blocks_and_odd_bytes() {
    let odd = [&noise(90)[..], b"\xff\x00caf\xc3\xa9 ", STORY.as_bytes()].concat();
    let raw = [&text()[..700], &noise(200), &text()[3000..3500]].concat();
    for (text, context, overlap) in [
        (STORY.as_bytes(), 24, 7),
        (&odd, 40, 39),
        (&odd, 2, 1),
        (b"x", 64, 0),
        (&odd, 300, 150),
    ] {
        let prime = Prime::new("p", text).unwrap();
        let options = CompressOptions {
            context: Some(context),
            overlap: Some(overlap),
            plan: SegmentPlan::fixed(300).unwrap(),
            verify: true,
            ..small()
        };
        let file = packed(&raw, &primed(&prime, options.clone()));
        assert!(!is_small(&file));
        assert!(
            restored_with(&file, Some(&prime)).unwrap() == raw,
            "{context}"
        );
        assert!(restored_with(&file, None).is_err());
        // The encoder's passes are traced the same way, and the contexts begin with the prime.
        let options = TraceOptions {
            prime: Some(prime.clone()),
            ..Default::default()
        };
        let mut tracer = Tracer::open(Cursor::new(&file), nano(), &options).unwrap();
        while let Some(batch) = tracer.next_batch(&()).unwrap() {
            for segment in batch.iter().filter(|segment| !segment.symbols.is_empty()) {
                let contexts = segment.contexts();
                let scored: usize = contexts.iter().map(|c| c.scored).sum();
                assert_eq!(scored, segment.symbols.len());
                assert!(contexts[0].tokens.len() > 1 + contexts[0].scored);
                assert!(
                    contexts
                        .iter()
                        .all(|c| c.tokens.len() <= context as usize + 1)
                );
            }
        }
        let options = DecompressOptions {
            prime: Some(prime),
            ..Default::default()
        };
        let mut reader = Reader::open(Cursor::new(&file), nano(), &options).unwrap();
        let mut bytes = [0; 120];
        reader.read_at(850, &mut bytes).unwrap();
        assert!(bytes == raw[850..970]);
    }
    let prime = Prime::new("p", "text").unwrap();
    let options = primed(
        &prime,
        CompressOptions {
            context: Some(1),
            overlap: Some(0),
            ..small()
        },
    );
    assert!(compress(&b"x"[..], Vec::new(), nano(), &options, &()).is_err());
}

/// What a prime keeps is one model's, for one number of tokens, and changes no byte.
#[test]
fn a_prime_that_was_used_before_is_as_good_as_new() {
    let fresh = || Prime::new("p", &text()[5000..9000]).unwrap();
    let used = fresh();
    let other = bootstrap();
    for round in 0..3 {
        for (model, context) in [(nano(), 64), (&other, 64), (&other, 24), (nano(), 200)] {
            for len in [150, 700] {
                let raw = &text()[1000 * round..][..len];
                let options = CompressOptions {
                    context: Some(context),
                    overlap: Some(5),
                    verify: round > 0,
                    ..small()
                };
                let [ours, expected] = [&used, &fresh()].map(|prime| {
                    let mut file = Vec::new();
                    let options = primed(prime, options.clone());
                    compress(raw, &mut file, model, &options, &()).unwrap();
                    file
                });
                assert!(ours == expected, "{round}, {context}, {len}");
                for prime in [&used, &fresh()] {
                    let options = DecompressOptions {
                        prime: Some(prime.clone()),
                        ..Default::default()
                    };
                    let mut out = Vec::new();
                    decompress(&ours[..], &mut out, model, &options, &()).unwrap();
                    assert!(out == raw, "{round}, {context}, {len}");
                }
            }
        }
    }
}
