//! What can be had from a damaged file, is; and what is lost is known to the byte.

mod common;

use std::io::{self, Cursor, Read, Seek};

use common::*;
use lmz_format::*;
use proptest::prelude::*;

/// What a salvage gives: for each member the raw bytes with lost ones as `None`, and the losses.
struct Saved {
    raw: Vec<Option<u8>>,
    lost: Vec<Lost>,
    rubbish: u64,
    members: usize,
    repaired: bool,
}

fn salvage(file: &[u8]) -> Saved {
    let mut salvage = Salvage::open(Cursor::new(file)).unwrap();
    let mut saved = Saved {
        raw: Vec::new(),
        lost: Vec::new(),
        rubbish: 0,
        members: 0,
        repaired: false,
    };
    let mut at = 0;
    for part in salvage.parts().to_vec() {
        let remains = match part {
            Part::Rubbish(range, _) => {
                assert_eq!(range.start, at);
                at = range.end;
                saved.rubbish += range.end - range.start;
                continue;
            }
            Part::Member(remains) => remains,
        };
        assert_eq!(
            (remains.file.start, remains.number),
            (at, saved.members as u64)
        );
        at = remains.file.end;
        saved.members += 1;
        saved.repaired |= remains.repaired;
        let start = saved.raw.len();
        for slot in &remains.slots {
            let offset = (saved.raw.len() - start) as u64;
            match slot {
                Slot::Lost(lost) => {
                    assert_eq!(lost.from, offset);
                    saved.lost.push(lost.clone());
                    let len = lost.to.map_or(0, |to| to - lost.from);
                    saved.raw.resize(saved.raw.len() + len as usize, None);
                }
                Slot::Found(info) => {
                    assert_eq!(info.raw_offset, offset);
                    let coded = salvage.read_coded(info).unwrap_or_default();
                    let raw = toy_code(info.kind, &coded);
                    match info.check_raw(&raw) {
                        Ok(()) => saved.raw.extend(raw.into_iter().map(Some)),
                        Err(error) => {
                            let (from, to) = (offset, offset + u64::from(info.raw_len));
                            saved.raw.resize(start + to as usize, None);
                            saved.lost.push(Lost {
                                member: remains.number,
                                from,
                                to: Some(to),
                                file: 0..0,
                                why: error.to_string(),
                            });
                        }
                    }
                }
            }
        }
        if let Some(len) = remains.raw_len {
            assert_eq!((saved.raw.len() - start) as u64, len);
        }
    }
    assert_eq!(at, file.len() as u64);
    saved
}

/// Everything that was saved stands where it stood.
fn right(saved: &[Option<u8>], raw: &[u8]) {
    for (at, (found, byte)) in saved.iter().zip(raw).enumerate() {
        assert!(found.is_none_or(|found| found == *byte), "byte {at}");
    }
}

fn infos(file: &[u8]) -> Vec<SegmentInfo> {
    let mut reader = IndexedReader::open(Cursor::new(file)).unwrap();
    let infos = reader.segments(0).map(|info| info.unwrap());
    infos.collect()
}

#[test]
fn a_sound_file_loses_nothing() {
    let (file, raw) = small();
    for (file, raw, members) in [
        (file.clone(), raw.clone(), 1),
        ([&file[..], &file].concat(), [&raw[..], &raw].concat(), 2),
    ] {
        let saved = salvage(&file);
        assert!(saved.raw.iter().copied().eq(raw.iter().copied().map(Some)));
        assert_eq!((saved.lost.len(), saved.rubbish), (0, 0));
        assert_eq!(saved.members, members);
    }
}

#[test]
fn any_changed_byte_costs_one_segment_at_most() {
    let (file, raw) = small();
    for at in 0..file.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = file.clone();
            damaged[at] ^= change;
            let saved = salvage(&damaged);
            right(&saved.raw, &raw);
            let missing = saved.raw.iter().filter(|byte| byte.is_none()).count();
            assert!(missing <= 16, "{at}: {missing}");
            assert_eq!((saved.raw.len(), saved.members), (raw.len(), 1), "{at}");
            assert_eq!(saved.lost.len(), usize::from(missing > 0), "{at}");
        }
    }
}

#[test]
fn without_footer_records_are_found_behind_damage() {
    let (file, raw) = small();
    let infos = infos(&file);
    let footer_at = infos
        .last()
        .map(|i| i.record_offset as usize + i.record_len as usize);
    let cut = &file[..footer_at.unwrap() + 40];
    // Nothing else is wrong.
    let saved = salvage(cut);
    assert_eq!((saved.raw.len(), saved.lost.len()), (raw.len(), 0));
    for (n, info) in infos.iter().enumerate() {
        for at in info.record_offset..info.record_offset + u64::from(info.record_len) {
            let mut damaged = cut.to_vec();
            damaged[at as usize] ^= 0x11;
            let saved = salvage(&damaged);
            right(&saved.raw, &raw);
            let [lost] = &saved.lost[..] else {
                panic!("{n} {at}: {:?}", saved.lost)
            };
            assert_eq!(lost.from, info.raw_offset, "{at}");
            if n + 1 < infos.len() {
                let end = info.raw_offset + u64::from(info.raw_len);
                assert_eq!((lost.to, saved.raw.len()), (Some(end), raw.len()), "{at}");
            }
        }
    }
}

#[test]
fn bytes_that_vanished_or_slipped_in_cost_what_they_hit() {
    let (file, raw) = small();
    let infos = infos(&file);
    let second = infos[1].record_offset as usize;
    // Two records and a half are gone, and with them the index's offsets.
    let third = infos[3].record_offset as usize;
    let gone = [&file[..second + 5], &file[third + 9..]].concat();
    let saved = salvage(&gone);
    right(&saved.raw, &raw);
    assert_eq!(saved.raw[..16].iter().filter(|b| b.is_some()).count(), 16);
    let more = [&file[..second], &[0xaa; 33], &file[second..]].concat();
    let saved = salvage(&more);
    right(&saved.raw, &raw);
    assert!(
        saved.lost.is_empty() && saved.raw.len() == raw.len(),
        "{:?}",
        saved.lost
    );
}

#[test]
fn every_cut_is_restored_as_far_as_it_goes() {
    let (file, raw) = small();
    let infos = infos(&file);
    let header = infos[0].record_offset as usize;
    for len in 1..file.len() {
        let saved = salvage(&file[..len]);
        right(&saved.raw, &raw);
        if len < header {
            assert_eq!((saved.members, saved.rubbish), (0, len as u64));
            continue;
        }
        let whole = infos
            .iter()
            .filter(|i| i.record_offset + u64::from(i.record_len) <= len as u64);
        let bytes: u64 = whole.clone().map(|i| u64::from(i.raw_len)).sum();
        let there = saved.raw.iter().filter(|byte| byte.is_some()).count() as u64;
        assert_eq!(there, bytes, "{len}");
        let all = whole.count() == infos.len();
        assert_eq!(saved.lost.is_empty(), all, "{len}: {:?}", saved.lost);
        if !all {
            assert!(saved.lost.iter().any(|lost| lost.from == bytes));
        }
    }
}

#[test]
fn members_do_not_take_each_other_along() {
    let (file, raw) = small();
    let mut note = Vec::new();
    let small_header = header(SegmentPlan::Default);
    write_small(&mut note, &small_header, b"note", Some(Payload::Stored)).unwrap();
    let footer = file.len() - 20;
    for first_damaged in [false, true] {
        for wipe_header in [false, true] {
            let mut first = file.clone();
            if first_damaged {
                first[footer..].fill(0x55);
            }
            let mut last = file.clone();
            if wipe_header {
                last[..30].fill(0x77);
            }
            let all = [&first[..], &note, &last, b"rubbish"].concat();
            let saved = salvage(&all);
            let want = [&raw[..], b"note", &raw].concat();
            assert!(saved.raw.iter().copied().eq(want.iter().copied().map(Some)));
            assert_eq!((saved.members, saved.rubbish), (3, 7));
            assert_eq!(saved.repaired, wipe_header);
        }
    }
    // Header and footer gone: nothing says what the records mean.
    let mut hopeless = file.clone();
    hopeless[..10].fill(0);
    hopeless[footer..].fill(0);
    let saved = salvage(&[&hopeless[..], &file].concat());
    assert_eq!((saved.members, saved.rubbish), (1, file.len() as u64));
}

#[test]
fn an_empty_input_and_another_version_are_errors() {
    let error = Salvage::open(Cursor::new(b"")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InsufficientData);
    let saved = salvage(b"this was never compressed");
    assert_eq!((saved.members, saved.rubbish), (0, 25));
}

/// There are as many numbers that a record may have as bytes before it, and thousands of places that look
/// like one: trying all would take hours.
#[test]
fn noise_behind_a_header_is_looked_through_once() {
    let (mut file, _) = member(&header(SegmentPlan::Default), &[], &[SegmentKind::Stored]);
    file.truncate(10 + usize::from(file[5]));
    file.extend(lmz_testkit::noise(16 << 20, 1));
    let saved = Salvage::open(Cursor::new(&file)).unwrap();
    assert!(!saved.parts().is_empty());
}

/// Counts what is read.
struct Counted<'a>(Cursor<&'a [u8]>, u64);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1 += n as u64;
        Ok(n)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Bytes that a salvage reads, and how many parts and slots it finds.
fn work(file: &[u8]) -> (u64, usize) {
    let mut counted = Counted(Cursor::new(file), 0);
    let salvage = Salvage::open(&mut counted).unwrap();
    let slots = salvage.parts().iter().map(|part| match part {
        Part::Member(remains) => remains.slots.len(),
        Part::Rubbish(..) => 0,
    });
    let found = salvage.parts().len() + slots.sum::<usize>();
    (counted.1, found)
}

/// Twice the file takes twice the work, however many losses or members it has.
#[test]
fn the_work_is_in_proportion_to_the_file() {
    let losses = |segments: usize| {
        let raw = vec![b'x'; 16 * segments];
        let kinds = [SegmentKind::Stored];
        let (mut file, _) = member(&header(SegmentPlan::Fixed(16)), &raw, &kinds);
        let infos = infos(&file);
        let last = infos.last().unwrap();
        let end = (last.record_offset + u64::from(last.record_len)) as usize;
        // The kind of every third record, and all of the index and the footer.
        for info in infos.iter().skip(1).step_by(3) {
            file[info.record_offset as usize] = 0x55;
        }
        file[end..].fill(0x55);
        work(&file)
    };
    let members = |count: usize| {
        let (mut file, _) = small();
        let end = file.len();
        // Its footer's last byte: every other member is found by its header.
        file[end - 1] = 0;
        let (sound, _) = small();
        work(&[&file[..], &sound].concat().repeat(count))
    };
    for (few, many) in [(losses(2000), losses(4000)), (members(500), members(1000))] {
        println!("{few:?} {many:?}");
        assert!(many.1 > few.1 * 3 / 2, "{few:?} {many:?}");
        assert!(many.0 < few.0 * 5 / 2, "{few:?} {many:?}");
    }
}

#[test]
fn hostile_files_end() {
    // End magics that claim all of the file as a footer, and record headers with no end.
    let (file, _) = small();
    let mut footers = file[..60].to_vec();
    while footers.len() < 300_000 {
        footers.extend(290_000u32.to_le_bytes());
        footers.extend([0; 4]);
        footers.extend(END_MAGIC);
    }
    salvage(&footers);
    let mut records = file[..60].to_vec();
    while records.len() < 300_000 {
        records.extend([3, 16, 16, 0, 0, 0, 0, 0, 0]);
    }
    salvage(&records);
}

proptest! {
    #[test]
    fn spliced_files_end(cuts in prop::collection::vec((0usize..400, 0usize..400), 1..6)) {
        let (file, _) = small();
        let mut spliced = vec![0];
        for (a, b) in cuts {
            let (a, b) = (a.min(b).min(file.len()), a.max(b).min(file.len()));
            spliced.extend_from_slice(&file[a..b]);
        }
        let mut found = Salvage::open(Cursor::new(&spliced)).unwrap();
        for part in found.parts().to_vec() {
            if let Part::Member(remains) = part {
                for slot in remains.slots {
                    if let Slot::Found(info) = slot {
                        let _ = found.read_coded(&info);
                    }
                }
            }
        }
    }
}

/// A member that stores a whole `.lmz` behind 900 bytes of noise, its plan being 2000 bytes a segment.
fn holding_another() -> (Vec<u8>, Vec<u8>, Vec<SegmentInfo>) {
    let (inner, _) = small();
    let mut raw = lmz_testkit::noise(14_000, 7);
    raw[2900..2900 + inner.len()].copy_from_slice(&inner);
    let plan = SegmentPlan::fixed(2000).unwrap();
    let (file, _) = member(&header(plan), &raw, &[SegmentKind::Stored]);
    let infos = infos(&file);
    (file, raw, infos)
}

/// The file offsets of everything that is given out.
fn given_out(file: &[u8]) -> Vec<std::ops::Range<u64>> {
    let salvage = Salvage::open(Cursor::new(file)).unwrap();
    let slots = salvage.parts().iter().flat_map(|part| match part {
        Part::Member(remains) => &remains.slots[..],
        Part::Rubbish(..) => &[],
    });
    let found = slots.filter_map(|slot| match slot {
        Slot::Found(info) => {
            Some(info.record_offset..info.record_offset + u64::from(info.record_len))
        }
        Slot::Lost(_) => None,
    });
    found.collect()
}

#[test]
fn what_a_segment_holds_is_no_member_of_the_file() {
    let (file, raw, infos) = holding_another();
    let footer_at = file.len() - 60;
    let inner_end = infos[1].record_offset as usize + 11 + 900 + small().0.len();
    assert_eq!(&file[inner_end - 4..inner_end], &END_MAGIC);
    // Cut behind the inner footer, anywhere else, with and without a damaged record around the inner member.
    for cut in [inner_end, inner_end + 100, footer_at, file.len()] {
        for damaged in [None, Some(1), Some(0), Some(2)] {
            let mut left = file[..cut].to_vec();
            if let Some(number) = damaged {
                let at = infos[number].record_offset as usize + 1;
                if at + 10 > cut {
                    continue;
                }
                left[at..at + 4].fill(0xff);
            }
            let whole = |info: &&SegmentInfo| {
                info.record_offset + u64::from(info.record_len) <= cut as u64
                    && Some(info.index as usize) != damaged
            };
            let sound: u64 = infos
                .iter()
                .filter(whole)
                .map(|i| u64::from(i.raw_len))
                .sum();
            let saved = salvage(&left);
            let there = saved.raw.iter().filter(|byte| byte.is_some()).count() as u64;
            let ranges = given_out(&left);
            assert!(
                ranges.windows(2).all(|w| w[0].end <= w[1].start),
                "{ranges:?}"
            );
            if cut > inner_end + 100 || damaged != Some(1) {
                right(&saved.raw, &raw);
                assert_eq!((there, saved.members), (sound, 1), "{cut} {damaged:?}");
            }
        }
    }
}

/// Two members of the same kind, the first of which lost its end: the second one is not taken for a part of it.
#[test]
fn a_member_behind_a_lost_end_is_not_swallowed() {
    let (file, raw) = small();
    let infos = infos(&file);
    let cut = infos[2].record_offset as usize + 3;
    for (lost_footer, want) in [(0, raw.len()), (30, raw.len())] {
        let second = &file[..file.len() - lost_footer];
        let all = [&file[..cut], second].concat();
        let saved = salvage(&all);
        assert_eq!(saved.members, 2);
        let there: Vec<u8> = saved.raw.iter().flatten().copied().collect();
        assert!(
            there == [&raw[..32], &raw[..want]].concat(),
            "{lost_footer}"
        );
    }
}

/// Without a sound footer the hash may still be there to be compared.
#[test]
fn the_hash_of_a_damaged_footer_is_found() {
    let (file, raw) = small();
    for (cut, want) in [(3, true), (8, true), (70, false)] {
        let salvage = Salvage::open(Cursor::new(&file[..file.len() - cut])).unwrap();
        let [Part::Member(remains)] = salvage.parts() else {
            panic!("{:?}", salvage.parts())
        };
        assert_eq!(remains.raw_hash, None);
        let right = remains
            .likely_hash
            .is_some_and(|hash| hash.agrees_with(RawHash::of(&raw)));
        assert_eq!(right, want, "{cut}");
    }
}

/// Behind the last member, zero bytes are what a tape or a block device adds.
#[test]
fn zero_bytes_behind_the_end_are_padding() {
    let (file, raw) = small();
    let mut zeros = Vec::new();
    let brief = header(SegmentPlan::Default);
    write_small(&mut zeros, &brief, &[0; 9], Some(Payload::Stored)).unwrap();
    for (members, raw) in [
        (file.clone(), raw.clone()),
        ([&file[..], &file].concat(), [&raw[..], &raw].concat()),
        (zeros.clone(), vec![0; 9]),
        ([&file[..], &zeros].concat(), [&raw[..], &[0; 9]].concat()),
        ([&zeros[..], &file].concat(), [&[0; 9][..], &raw].concat()),
    ] {
        for padding in [0, 1, 3, 511, 200_000] {
            let padded = [&members[..], &vec![0; padding]].concat();
            assert!(decode_stream(&padded[..]).unwrap() == raw);
            assert!(decode_indexed(&padded).unwrap().0 == raw);
            let index = IndexedReader::open(Cursor::new(&padded)).unwrap();
            assert_eq!(index.padding(), padding as u64);
            let more = [&padded[..], b"x"].concat();
            assert!(decode_stream(&more[..]).is_err() && decode_indexed(&more).is_err());
            // Between members it is no padding.
            let between = [&padded[..], &members].concat();
            assert_eq!(decode_stream(&between[..]).is_ok(), padding == 0);
            assert_eq!(decode_indexed(&between).is_ok(), padding == 0, "{padding}");
        }
    }
    assert!(decode_stream(&[0; 20][..]).is_err() && decode_indexed(&[0; 20]).is_err());
}
