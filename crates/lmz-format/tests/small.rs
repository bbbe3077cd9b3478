//! Small members: their size, both readers, damage.

mod common;

use std::io::Cursor;

use common::*;
use lmz_format::*;

fn prime() -> PrimeId {
    PrimeId {
        hash: *b"0123456789abcdef",
        len: 3000,
        tokens: 256,
    }
}

/// A small member of `raw`, coded by the toy codec.
fn small_member(raw: &[u8], kind: SegmentKind, prime: Option<PrimeId>) -> (Vec<u8>, Summary) {
    let header = Header {
        prime,
        context: ContextPolicy::new(8192, 1).unwrap(),
        ..header(SegmentPlan::Default)
    };
    let coded = toy_code(kind, raw);
    let mut file = Vec::new();
    let payload = Some(toy_payload(kind, &coded)).filter(|_| !raw.is_empty());
    let summary = write_small(&mut file, &header, raw, payload).unwrap();
    assert_eq!(summary.bytes.total(), file.len() as u64);
    (file, summary)
}

#[test]
fn the_container_takes_at_most_24_bytes() {
    for (len, most) in [
        (0, 22),
        (100, 22),
        (127, 22),
        (200, 24),
        (500, 24),
        (4096, 24),
    ] {
        let raw = vec![7; len];
        let (_, summary) = small_member(&raw, SegmentKind::Model, None);
        let container = summary.bytes.total() - summary.bytes.coded;
        assert_eq!(container, most, "{len}");
        let (_, primed) = small_member(&raw[..len.min(500)], SegmentKind::Model, Some(prime()));
        let more = primed.bytes.total() - primed.bytes.coded;
        assert!(more <= 24 + 8, "{len}: {more}");
    }
}

#[test]
fn both_readers_read_small_members_among_others() {
    let (full, full_raw) = small();
    let (one, _) = small_member(b"a small message", SegmentKind::Model, Some(prime()));
    let (two, _) = small_member(b"another", SegmentKind::Stored, None);
    let (none, _) = small_member(b"", SegmentKind::Stored, None);
    // A small member that stores a whole file: its end looks like a footer.
    let (nested, _) = small_member(&full, SegmentKind::Stored, None);
    let all: [(&[u8], &[u8]); 5] = [
        (&full, &full_raw),
        (&one, b"a small message"),
        (&two, b"another"),
        (&none, b""),
        (&nested, &full),
    ];
    for first in 0..all.len() {
        for second in 0..all.len() {
            for third in 0..all.len() {
                let of = [all[first], all[second], all[third]];
                let file = of.map(|(file, _)| file).concat();
                let raw = of.map(|(_, raw)| raw).concat();
                assert_eq!(decode_stream(&file[..]).unwrap(), raw);
                assert_eq!(decode_stream(Trickle(&file, 0)).unwrap(), raw);
                assert_eq!(decode_indexed(&file).unwrap(), (raw, false));
            }
        }
    }
}

#[test]
fn what_a_small_member_stores_is_no_member() {
    let (full, full_raw) = small();
    // The end of a member in full, as long as it would be behind a small header: with that in the place of
    // the beginning, its footer makes a member of which only the header is damaged.
    let inner = &full[24..];
    let (nested, summary) = small_member(inner, SegmentKind::Stored, None);
    assert_eq!(summary.bytes.header, 24);
    for (file, raw) in [
        (nested.clone(), inner.to_vec()),
        ([&full[..], &nested].concat(), [&full_raw, inner].concat()),
        (
            [&full[..], &nested, &full].concat(),
            [&full_raw, inner, &full_raw].concat(),
        ),
    ] {
        assert_eq!(decode_stream(&file[..]).unwrap(), raw);
        assert_eq!(decode_indexed(&file).unwrap(), (raw.clone(), false));
        let mut salvage = Salvage::open(Cursor::new(&file)).unwrap();
        let mut saved = Vec::new();
        for part in salvage.parts().to_vec() {
            let Part::Member(remains) = part else {
                panic!("rubbish in a sound file")
            };
            for slot in remains.slots {
                let Slot::Found(info) = slot else {
                    panic!("a loss in a sound file")
                };
                saved.extend(toy_code(info.kind, &salvage.read_coded(&info).unwrap()));
            }
        }
        assert_eq!(saved, raw);
    }
}

#[test]
fn a_small_member_may_store_a_file_of_another_version() {
    let (full, raw) = small();
    let mut other = full.clone();
    let trailer = other.len() - 12;
    let content =
        trailer - u32::from_le_bytes(other[trailer..trailer + 4].try_into().unwrap()) as usize;
    other[content] = FORMAT_VERSION + 1;
    let checksum = crc32fast::hash(&other[content..trailer + 4]);
    other[trailer + 4..trailer + 8].copy_from_slice(&checksum.to_le_bytes());
    let (nested, _) = small_member(&other, SegmentKind::Stored, None);
    let file = [&full[..], &nested].concat();
    let raw = [&raw[..], &other].concat();
    assert_eq!(decode_stream(&file[..]).unwrap(), raw);
    assert_eq!(decode_indexed(&file).unwrap(), (raw, false));
}

/// What is short is what a small member says, not what ends in zeros.
#[test]
fn a_whole_identity_that_ends_in_zeros_is_whole() {
    let mut bytes = *b"prepared-model-1";
    bytes[ModelId::SHORT..].fill(0);
    let whole = Header {
        model_id: ModelId::new(bytes),
        ..header(SegmentPlan::Default)
    };
    let (file, _) = member(&whole, b"text", &[SegmentKind::Stored]);
    let reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let read = reader.members()[0].header.model_id;
    let other = header(SegmentPlan::Default).model_id;
    assert!(read == whole.model_id && !read.is_short());
    assert!(read.names(whole.model_id) && !read.names(other));
    assert_eq!(read.to_string(), "70726570617265640000000000000000");
    let short = other.shortened();
    assert!(short != read && short.names(read) && short.names(other));
    // A full header has no room to say that its identity is half a one.
    let half = Header {
        model_id: short,
        ..whole
    };
    assert!(Writer::new(Vec::new(), &half).is_err());
}

#[test]
fn a_small_header_says_what_it_knows() {
    let (file, summary) = small_member(b"a small message", SegmentKind::Model, Some(prime()));
    let mut reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    let member = reader.members()[0].clone();
    let whole = header(SegmentPlan::Default);
    assert!(member.header.is_small() && member.header.model_id.is_short());
    assert!(member.header.model_id.names(whole.model_id));
    assert!(!member.header.model_id.names(ModelId::new([0; 16])));
    assert!(!whole.model_id.names(member.header.model_id));
    assert_eq!(member.header.model_id.to_string(), "7072657061726564");
    assert_eq!(member.header.model_label(), "7072657061726564");
    let found = member.header.prime.unwrap();
    assert!(found.names(prime().hash, 3000) && !found.names(prime().hash, 3001));
    assert!(!found.names([0; 16], 3000));
    assert_eq!((found.tokens, found.hash_text()), (256, "30313233".into()));
    assert_eq!((member.raw_len, member.raw_hash), (15, None));
    assert_eq!(reader.container_bytes(0).unwrap(), summary.bytes);
    let (info, coded) = reader.read_coded(0, 0).unwrap();
    info.check_raw(&toy_code(info.kind, &coded)).unwrap();
    assert_eq!(info.ideal_bits, None);
}

#[test]
fn the_full_header_names_a_prime_too() {
    let mut header = header(SegmentPlan::Default);
    header.prime = Some(prime());
    let (file, _) = member(&header, b"some bytes", &[SegmentKind::Model]);
    let reader = IndexedReader::open(Cursor::new(&file)).unwrap();
    assert_eq!(reader.members()[0].header, header);
    assert_eq!(header.prime.unwrap().hash_text().len(), 32);
    for tokens in [0, 512] {
        header.prime = Some(PrimeId { tokens, ..prime() });
        let error = Writer::new(Vec::new(), &header).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

/// Two bits hold the recipe: recipes begin at 1, and 0 stands for recipe 4.
#[test]
fn four_recipes_fit() {
    for recipe in 1..=4 {
        let header = Header {
            recipe,
            ..header(SegmentPlan::Default)
        };
        let mut file = Vec::new();
        write_small(&mut file, &header, b"text", Some(Payload::Stored)).unwrap();
        assert_eq!(file[5] >> 3 & 3, recipe % 4);
        let reader = IndexedReader::open(Cursor::new(&file)).unwrap();
        assert_eq!(reader.members()[0].header.recipe, recipe);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let fits = header(SegmentPlan::Default);
    assert!(fits.fits_small(512) && !fits.fits_small(513));
    for header in [
        Header {
            numerics_version: 8,
            ..fits.clone()
        },
        Header {
            recipe: 0,
            ..fits.clone()
        },
        Header {
            recipe: 5,
            ..fits.clone()
        },
        Header {
            plan: SegmentPlan::Fixed(9),
            ..fits.clone()
        },
        Header {
            context: ContextPolicy::new(9, 0).unwrap(),
            ..fits.clone()
        },
        Header {
            prime: Some(PrimeId {
                tokens: 503,
                ..prime()
            }),
            ..fits.clone()
        },
    ] {
        assert!(!header.fits_small(10), "{header:?}");
        let error = write_small(Vec::new(), &header, &[0; 10], Some(Payload::Stored)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    assert!(write_small(Vec::new(), &fits, b"x", None).is_err());
    assert!(write_small(Vec::new(), &fits, b"", Some(Payload::Stored)).is_err());
    assert!(write_small(Vec::new(), &fits, b"x", Some(Payload::Zstd(b"xy"))).is_err());
}

#[test]
fn every_changed_byte_and_every_cut_is_detected() {
    for prime in [None, Some(prime())] {
        let (file, raw) = (
            small_member(b"a small message", SegmentKind::Model, prime).0,
            b"a small message",
        );
        assert_eq!(decode_stream(&file[..]).unwrap(), raw);
        for len in 0..file.len() {
            for failure in [
                decode_stream(&file[..len]).unwrap_err(),
                decode_indexed(&file[..len]).unwrap_err(),
            ] {
                assert_eq!(
                    failure.kind(),
                    ErrorKind::InsufficientData,
                    "{len} {failure:?}"
                );
            }
        }
        let mut damaged = file.clone();
        for at in 0..file.len() {
            for change in 1..=255 {
                damaged[at] = file[at] ^ change;
                for failure in [
                    decode_stream(&damaged[..]).unwrap_err(),
                    decode_indexed(&damaged).unwrap_err(),
                ] {
                    let wrong = [ErrorKind::Compatibility, ErrorKind::Io];
                    assert!(
                        !wrong.contains(&failure.kind()),
                        "{at} {change} {failure:?}"
                    );
                }
            }
            damaged[at] = file[at];
        }
    }
}

#[test]
fn a_newer_small_member_names_its_version() {
    let (mut file, _) = small_member(b"a small message", SegmentKind::Model, None);
    file[4] = 0x85;
    let end = file.len() - 15;
    let crc = crc32fast::hash(&file[..end - 2]).to_le_bytes();
    file[end - 2..end].copy_from_slice(&crc[..2]);
    let error = StreamReader::new(&file[..]).next_event().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Compatibility);
    assert!(error.to_string().contains("format version 5"), "{error}");
}
